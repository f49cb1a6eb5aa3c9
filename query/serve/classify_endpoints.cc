// Labels -> counts, shelves, answers, evidence, and what to judge by hand. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "lib/labelling/labelling_bytes.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/json_object.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::optional<float> above_of(const Shelves& shelves) {
  return shelves.multi();
}

// The threshold as classify applies it: with multi it says which labels are told.
Labelling labelling_of(const Shelves& shelves, const AskedLabelling& asked) {
  return shelves.labelling_with(asked.request.threshold);
}

ShelfLabel shelf_label(const Shelves& shelves, const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  const std::vector<Label>& labels = shelves.labelling().labels;
  const auto found = std::ranges::find(labels, *name, &Label::name);
  if (found == labels.end())
    throw Error(ErrorCode::InvalidArgument, "label",
                fmt::format("'{}' is none of the labels", *name));
  return static_cast<uint32_t>(found - labels.begin());
}

void expect_order(const Members& members, const AskedLabelling& asked, ShelfOrder order) {
  if (asked.request.several && order != ShelfOrder::Score)
    members.refuse("sort", "pictures of several labels have no margin", "sort by score");
}

std::string label_json(const Shelves& shelves, const Shelves::Counts& counts, size_t k,
                       std::span<const std::string> pictures) {
  const Label& label = shelves.labelling().labels[k];
  const uint64_t all = shelves.snapshot()->counts.pictures;
  return json_object([&](JsonWriter& json) {
    json.member("name", label.name)
        .member("prompts", label.prompts)
        .member("count", counts.of_label[k])
        .member("share", Rounded{all == 0 ? 0
                                          : static_cast<double>(counts.of_label[k]) /
                                                static_cast<double>(all)})
        .member("histogram", counts.histograms[k])
        .member("pictures", raw({pictures.begin(), pictures.end()}));
  });
}

}  // namespace

namespace {

struct AskedCounts {
  AskedLabelling labelling;
  size_t first = 0;  // of each label
  size_t bins = 0;
  ShelfOrder order = ShelfOrder::Score;
};

AskedCounts ask_counts(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedCounts asked;
  asked.labelling = ask_labelling(members);
  asked.first = members.whole("per_label", 0, 1000).value_or(50);
  asked.bins = members.whole("bins", 1, 200).value_or(40);
  asked.order = ask_order(members);
  members.expect_no_others();
  expect_order(members, asked.labelling, asked.order);
  return asked;
}

struct AskedStretch {
  AskedLabelling labelling;
  std::optional<std::string> label;  // absent: the unsure ones
  size_t offset = 0;
  size_t limit = 0;
  ShelfOrder order = ShelfOrder::Score;
};

AskedStretch ask_stretch(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedStretch asked;
  asked.labelling = ask_labelling(members);
  if (!json.contains("label"))
    members.refuse("label", "it is missing", "name a label, or null for the unsure ones");
  asked.label = members.text("label", 1000);
  asked.offset = members.whole("offset", 0, UINT64_MAX).value_or(0);
  asked.limit = members.whole("limit", 0, 1000).value_or(100);
  asked.order = ask_order(members);
  members.expect_no_others();
  expect_order(members, asked.labelling, asked.order);
  return asked;
}

}  // namespace

HttpResponse post_classify(Service& service, const Call& call) {
  const auto start = Clock::now();
  const AskedCounts asked_counts =
      in_all(*call.snapshot, [&] { return ask_counts(call.request.body); });
  const AskedLabelling& asked = asked_counts.labelling;
  const GoOn go_on = go_on_of(service, call, asked.client, "classify ");
  const auto shelves = service.labeller().shelves(call.snapshot, asked, go_on);
  const Shelves::Counts counts = count_in_all(*shelves, asked.request.threshold, asked_counts.bins,
                                              asked_counts.first, asked_counts.order);
  go_on();
  std::vector<Row> rows;
  for (const std::vector<Row>& of_shelf : counts.first)
    rows.insert(rows.end(), of_shelf.begin(), of_shelf.end());
  const Labelling labelling = labelling_of(*shelves, asked);
  const auto truth = in_all(*call.snapshot, [&] { return service.truths.all(); });
  const std::vector<std::string> answers =
      answers_json(*shelves->snapshot(), labelling, rows, above_of(*shelves), *truth);
  go_on();
  if (is_silent(*call.snapshot)) return {};
  std::span<const std::string> left(answers);
  std::vector<std::string> labels;
  for (size_t k = 0; k < shelves->labels(); ++k) {
    labels.push_back(label_json(*shelves, counts, k, left.first(counts.first[k].size())));
    left = left.subspan(counts.first[k].size());
  }
  return json_response(json_object([&](JsonWriter& out) {
    out.member("labels", raw(labels))
        .member("unsure", counts.unsure)
        .member("unsure_pictures", raw({left.begin(), left.end()}))
        .member("pictures", shelves->snapshot()->counts.pictures)
        .member("fusion", labelling.fusion.rule->name())
        .member("way", way_name(asked.request))
        .member("threshold", asked.request.several ? asked.multi() : asked.request.threshold)
        .member("none", labelling.none ? std::optional(labelling.labels[*labelling.none].name)
                                       : std::nullopt)
        .member("bins", asked_counts.bins)
        .member("generation", shelves->snapshot()->generation)
        .member("seconds", Decimal{seconds_since(start), 6})
        .member("warnings", service.labeller().warnings(labelling));
  }));
}

HttpResponse post_shelf(Service& service, const Call& call) {
  const auto start = Clock::now();
  const AskedStretch asked_stretch =
      in_all(*call.snapshot, [&] { return ask_stretch(call.request.body); });
  const AskedLabelling& asked = asked_stretch.labelling;
  const auto shelves = service.labeller().shelves(call.snapshot, asked, call.go_on);
  const ShelfLabel shelf =
      in_all(*call.snapshot, [&] { return shelf_label(*shelves, asked_stretch.label); });
  const Stretch stretch =
      stretch_of_shelf(*shelves, shelf, asked.request.threshold, asked_stretch.order,
                       asked_stretch.offset, asked_stretch.limit);
  const auto truth = in_all(*call.snapshot, [&] { return service.truths.all(); });
  const std::vector<std::string> answers =
      answers_json(*shelves->snapshot(), labelling_of(*shelves, asked), stretch.rows,
                   above_of(*shelves), *truth);
  if (is_silent(*call.snapshot)) return {};
  return json_response(json_object([&](JsonWriter& out) {
    out.member("label", asked_stretch.label)
        .member("count", stretch.count)
        .member("offset", asked_stretch.offset)
        .member("pictures", raw(answers))
        .member("generation", shelves->snapshot()->generation)
        .member("seconds", Decimal{seconds_since(start), 6});
  }));
}

namespace {

// What lines of answers follow from.
struct AskedLines {
  Labelling labelling;
  std::optional<float> multi;
  bool as_csv = false;

  std::unique_ptr<PredictionWriter> csv() const {
    return as_csv ? prediction_writer(OutputFormat::Csv, labelling.labels) : nullptr;
  }
};

// The answers of a stretch of the view's rows as lines; one pass over the records and one over the
// words.
std::string lines_of(const Snapshot& snapshot, const AskedLines& asked, Row first, Row end,
                     const KeptTruth& truth) {
  const View& view = snapshot.view;
  const Labelling& labelling = asked.labelling;
  const auto csv = asked.csv();
  std::vector<Prediction> predictions;
  std::vector<std::vector<Scored>> above;
  ScanOptions options;
  options.threads = 1;
  options.all_scores = asked.multi.has_value();
  options.first_row = first;
  options.end_row = end;
  scan(view, labelling, options, [&](const PredictionBlock& block) {
    predictions.insert(predictions.end(), block.predictions.begin(), block.predictions.end());
    for (size_t i = 0; asked.multi && i < block.predictions.size(); ++i)
      above.push_back(labels_above(block, i, *asked.multi));
  });
  std::vector<std::vector<Word>> words(predictions.size());
  view.for_each_words(first, end, [&](Row row, const std::vector<Word>& of_row) {
    if (row - first < words.size()) words[row - first] = of_row;
  });
  std::string lines;
  view.for_each_record(first, end, [&](Row row, const PictureRecord& record) {
    const size_t i = row - first;
    if (i >= predictions.size()) return;
    const std::vector<Scored>* all = asked.multi ? &above[i] : nullptr;
    if (csv != nullptr) {
      csv->append(lines, {record, predictions[i], words[i], all});
      return;
    }
    append_answer(lines, labelling.labels, snapshot.first_row + row, record, words[i],
                  predictions[i], all, label_of(truth, record.content_hash));
    lines += '\n';
  });
  return lines;
}

// To those who have the rows: a question of its own for each stretch, so that others have their
// turn in between.
HttpRequest question_of(const AskedLines& asked, Row first, Row end) {
  HttpRequest request;
  request.method = "POST";
  request.path = kLinesPath;
  request.is_abandoned = [] { return false; };
  ByteWriter out;
  out.number(first);
  out.number(end);
  out.number<uint8_t>(asked.as_csv);
  out.number<uint8_t>(asked.multi.has_value());
  out.number(asked.multi.value_or(0));
  out.text(bytes_of_labelling(asked.labelling));
  request.body = std::move(out).bytes();
  return request;
}

}  // namespace

HttpResponse post_lines(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  HttpResponse response;
  for (const std::string& lines : told_by_all(snapshot, [&] {
         ByteReader in(call.request.body, kRanksMessage);
         const Row first = std::max(in.number<Row>(), snapshot.first_row);
         const Row end = std::min(in.number<Row>(), snapshot.first_row + snapshot.view.rows());
         if (first >= end) return std::string();
         AskedLines asked;
         asked.as_csv = in.number<uint8_t>() != 0;
         const bool multi = in.number<uint8_t>() != 0;
         const auto above = in.number<float>();
         if (multi) asked.multi = above;
         asked.labelling = labelling_of_bytes(in.text());
         in.expect_end();
         return lines_of(snapshot, asked, first - snapshot.first_row, end - snapshot.first_row,
                         *service.truths.all());
       })) {
    response.body += lines;
  }
  return response;
}

HttpResponse post_answers(Service& service, const Call& call) {
  constexpr Row kStretch = 2048;
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const AskedLabelling asked_labelling = ask_labelling(members);
  const bool as_csv = members.choice("format", false, {{"jsonl", false}, {"csv", true}});
  members.expect_no_others();
  const auto asked = std::make_shared<const AskedLines>(
      AskedLines{service.labeller().labelling(call.snapshot, asked_labelling, call.go_on),
                 asked_labelling.multi(), as_csv});
  HttpResponse response;
  response.content_type = as_csv ? "text/csv; charset=utf-8" : "application/jsonl";
  if (as_csv)
    response.headers.push_back({"Content-Disposition", "attachment; filename=labels.csv"});
  // The request is gone when this runs; the state of the collection is kept.
  response.stream = [asked, chorus = service.chorus, truth = service.truths.all(),
                     snapshot = call.snapshot](const HttpResponse::Write& write) {
    const auto csv = asked->csv();
    if (csv && !write(csv->header())) return;
    for (Row first = 0; first < snapshot->rows; first += kStretch) {
      const Row end = std::min(snapshot->rows, first + kStretch);
      if (!write(chorus == nullptr ? lines_of(*snapshot, *asked, first, end, *truth)
                                   : chorus->ask(question_of(*asked, first, end)).body))
        return;
    }
  };
  return response;
}

namespace {

std::string evidence_json(const Snapshot& snapshot, Row row, const std::vector<Row>& copies,
                          const Labelling& labelling, std::optional<float> above,
                          const KeptTruth& truth) {
  const View& view = snapshot.view;
  const LabelVectors& vectors = labelling.vectors;
  const RowAnswers answers = classify_rows(view, labelling, std::span(&row, 1), Scores::All);
  const auto similarities = [&](const ViewVectors& of, uint64_t number, const Matrix& labels,
                                const std::vector<float>& biases) {
    std::vector<float> values(labels.rows());
    of.inner_products(number, 1, labels, values);
    for (size_t k = 0; k < biases.size(); ++k) values[k] += biases[k];
    return values;
  };
  const std::vector<float> image =
      similarities(ViewVectors::pictures(view), row, vectors.image, vectors.image_bias);
  const auto text_number = view.text_index(row);
  const std::vector<float> text = text_number ? similarities(ViewVectors::texts(view), *text_number,
                                                             vectors.text, vectors.text_bias)
                                              : std::vector<float>();
  std::vector<uint32_t> order(labelling.places());
  for (uint32_t k = 0; k < order.size(); ++k) order[k] = k;
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](uint32_t k) { return answers.scores[k]; });
  std::vector<std::string> scores;
  for (const uint32_t k : order) {
    scores.push_back(json_object([&](JsonWriter& out) {
      out.member("label", labelling.labels[k].name)
          .member("score", answers.scores[k])
          .member("image", k < image.size() ? std::optional(image[k]) : std::nullopt)
          .member("text", k < text.size() ? std::optional(text[k]) : std::nullopt);
    }));
  }
  const float weight =
      text_number ? labelling.fusion.settings.text_weight(view.text_evidence(*text_number)) : 0;
  const std::string answer =
      own_answers(snapshot, labelling, std::span(&row, 1), above, truth).front();
  return json_object([&](JsonWriter& out) {
    out.member("picture", RawJson{picture_json(snapshot, row, copies, truth)})
        .member("answer", RawJson{answer})
        .member("scores", raw(scores))
        .member("text_weight", weight)
        .member("fusion", labelling.fusion.rule->name())
        .member("generation", snapshot.generation);
  });
}

AskedLabelling ask_labelling_alone(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedLabelling asked = ask_labelling(members);
  members.expect_no_others();
  return asked;
}

}  // namespace

HttpResponse post_evidence(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const AskedLabelling asked =
      in_all(snapshot, [&] { return ask_labelling_alone(call.request.body); });
  const std::optional<Row> own = own_row(call);
  const std::vector<Row> copies = copies_of(snapshot, own);
  // From the kept answers where there are some: a page asks for what it shows.
  const auto shelves = service.labeller().shelves(call.snapshot, asked, call.go_on);
  return json_response(told_by_owner(snapshot, own, [&](Row row) {
    return evidence_json(snapshot, row, copies, labelling_of(*shelves, asked), above_of(*shelves),
                         *service.truths.all());
  }));
}

namespace {

struct AskedReview {
  AskedLabelling labelling;
  ShelfOrder order = ShelfOrder::Margin;
  size_t count = 0;
  bool with_known = false;
};

AskedReview ask_review(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedReview asked;
  asked.labelling = ask_labelling(members);
  asked.order =
      members.choice("by", ShelfOrder::Margin,
                     {{"margin", ShelfOrder::Margin}, {"disagreement", ShelfOrder::Disagreement}});
  asked.count = members.whole("k", 0, 1000).value_or(20);
  asked.with_known = members.flag("known").value_or(false);
  members.expect_no_others();
  if (asked.labelling.request.several)
    members.refuse("multi", "pictures of several labels have no margin");
  return asked;
}

}  // namespace

HttpResponse post_review(Service& service, const Call& call) {
  const AskedReview asked = in_all(*call.snapshot, [&] { return ask_review(call.request.body); });
  const auto shelves = service.labeller().shelves(call.snapshot, asked.labelling, call.go_on);
  const Snapshot& snapshot = *shelves->snapshot();
  const auto truth = in_all(snapshot, [&] { return service.truths.all(); });
  const Stretch least_sure = least_sure_in_all(
      *shelves, asked.order, asked.count, asked.with_known ? 0 : truth->all().size(), [&](Row own) {
        return asked.with_known || truth->find(snapshot.view.record(own).content_hash) == nullptr;
      });
  const std::vector<std::string> answers = answers_json(
      snapshot, labelling_of(*shelves, asked.labelling), least_sure.rows, std::nullopt, *truth);
  if (is_silent(snapshot)) return {};
  return json_response(json_object([&](JsonWriter& out) {
    out.member("candidates", least_sure.count)
        .member("pictures", raw(answers))
        .member("generation", snapshot.generation);
  }));
}

}  // namespace zeroshelf::serve
