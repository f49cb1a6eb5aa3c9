// What people say of pictures, and what follows from it: accuracy, calibration, a learned
// classifier. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/labelling_bytes.h"
#include "lib/labels/prompt.h"
#include "lib/report/evaluate_output.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/value_bytes.h"
#include "models/clip/load.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/chorus.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

template <class Message>
std::string object_of(const Message& message) {
  return json_object([&](JsonWriter& json) { write_members(json, message); });
}

std::string changed_json(const Service& service, uint64_t changed) {
  return json_object([&](JsonWriter& json) {
    json.member("changed", changed).member("count", service.truths.count());
  });
}

// The view's pictures that are known, by labels of the truth that are among these; in each process
// its own. all: how many in all of them.
struct Known {
  KnownContents own;
  uint64_t all = 0;
};

Known known_of(const Snapshot& snapshot, const KeptTruth& truth, const std::vector<Label>& labels) {
  std::vector<ContentHash> contents;
  for (const auto& [content, said] : truth.all()) contents.push_back(content);
  std::vector<std::optional<Row>> rows = rows_of_contents(snapshot, contents);
  for (std::optional<Row>& row : rows) {
    if (row) row = snapshot.has(*row) ? std::optional(*row - snapshot.first_row) : std::nullopt;
  }
  Known known{known_contents(rows, labels, truth), 0};
  known.own.other_labels = sum_of_all(snapshot, known.own.other_labels);
  known.all = sum_of_all(snapshot, known.own.pictures.size());
  in_all(snapshot, [&] {
    if (known.all == 0)
      throw Error(ErrorCode::InvalidArgument, "the truth",
                  known.own.other_labels > 0 ? "all pictures that were judged have other labels"
                                             : "no picture of the collection was judged yet",
                  "judge some with the labels that you ask for");
    return true;
  });
  return known;
}

std::vector<std::string> comparisons_json(const EvaluationResult& result,
                                          std::optional<size_t> only_with) {
  std::vector<std::string> told;
  for (const Comparison& pair : result.comparisons) {
    if (!only_with || pair.second == *only_with)
      told.push_back(object_of(comparison_message(result, pair)));
  }
  return told;
}

std::vector<std::string> accuracies_json(const EvaluationResult& result) {
  std::vector<std::string> told;
  for (const Report& report : result.reports) told.push_back(object_of(accuracy_message(report)));
  return told;
}

}  // namespace

namespace {

std::shared_ptr<const KeptTruth> truth_in_all(Service& service, const Snapshot& snapshot) {
  auto own = in_all(snapshot, [&] { return service.truths.all(); });
  Ranks* ranks = ranks_of(snapshot.view);
  return ranks == nullptr ? own : truth_of_first(std::move(own), *ranks);
}

}  // namespace

HttpResponse get_truth(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  struct Asked {
    uint64_t offset = 0;
    uint64_t limit = 0;
  };
  const Asked asked = in_all(snapshot, [&] {
    return Asked{whole_parameter(call.request, "offset", 0, UINT64_MAX),
                 whole_parameter(call.request, "limit", 100, 1000)};
  });
  const auto truth = truth_in_all(service, snapshot);
  std::map<std::string_view, uint64_t> counts;
  for (const auto& [content, said] : truth->all()) ++counts[said.label];
  std::vector<const KeptTruth::Entry*> entries = truth->in_order();
  const size_t count = entries.size();
  std::ranges::reverse(entries);
  entries.erase(entries.begin(),
                entries.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(asked.offset, count)));
  entries.resize(std::min<uint64_t>(entries.size(), asked.limit));
  std::vector<ContentHash> contents;
  for (const KeptTruth::Entry* entry : entries) contents.push_back(entry->first);
  const std::vector<std::optional<Row>> rows = rows_of_contents(snapshot, contents);
  if (is_silent(snapshot)) return {};
  std::vector<std::string> labels;
  for (const auto& [name, pictures] : counts)
    labels.push_back(json_object([&, name = name, pictures = pictures](JsonWriter& json) {
      json.member("name", name).member("count", pictures);
    }));
  std::vector<std::string> pictures;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [content, said] = *entries[i];
    pictures.push_back(json_object([&, &content = content, &said = said](JsonWriter& json) {
      json.member("row", rows[i])
          .member("sha256", to_hex(content))
          .path(said.path)
          .member("label", said.label);
    }));
  }
  return json_response(json_object([&](JsonWriter& json) {
    json.member("count", count)
        .member("labels", raw(labels))
        .member("offset", asked.offset)
        .member("pictures", raw(pictures));
  }));
}

namespace {

// What is said of a picture, by its row, its content, or both.
struct SaidOfPicture {
  std::optional<uint64_t> row;
  std::optional<ContentHash> content;
  std::optional<std::string> label;  // absent: it is taken back
};

std::vector<SaidOfPicture> ask_said(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  members.needed("pictures", R"(e.g. "pictures": [{"row": 12, "label": "cat"}])");
  std::vector<SaidOfPicture> all;
  for (const auto& [value, where] : members.list("pictures", 10'000)) {
    Members picture(*value, where + ".");
    SaidOfPicture& said = all.emplace_back();
    said.row = picture.whole("row", 0, UINT64_MAX);
    if (const auto hash = picture.text("sha256", 64))
      said.content = ask_hash(*hash, picture.where() + "sha256");
    if (!said.row && !said.content)
      picture.refuse("row", "it is missing", "name the picture by row, by sha256, or by both");
    said.label = picture.text("label", 1000);
    if (!value->contains("label")) picture.refuse("label", "it is missing", "null takes one back");
    picture.expect_no_others();
    if (said.label && trimmed(*said.label).empty())
      picture.refuse("label", "a label has a name", "null takes one back");
  }
  members.expect_no_others();
  return all;
}

// A picture's content and path.
std::string identity_of(const View& view, Row row) {
  const PictureRecord record = view.record(row);
  ByteWriter out;
  out.raw(std::as_bytes(std::span(record.content_hash)));
  out.text(record.file.path);
  return std::move(out).bytes();
}

struct Identity {
  ContentHash content{};
  std::string path;
};

Identity identity_of_bytes(std::string_view bytes) {
  Identity identity;
  ByteReader in(bytes, kRanksMessage);
  std::ranges::copy(in.take(identity.content.size()), identity.content.begin());
  identity.path = in.text();
  return identity;
}

// Of each the picture of its row, if that has the content, else one with the content. Of a picture
// that is gone what was said can be taken back by its content.
std::vector<Identity> pictures_of(const Snapshot& snapshot, std::span<const SaidOfPicture> all) {
  const View& view = snapshot.view;
  const auto by_row = first_told(snapshot, all.size(), [&](size_t i) {
    const auto own = row_if_it_is(snapshot, all[i].row, all[i].content);
    return own ? identity_of(view, *own) : std::string();
  });
  const auto by_content = first_told(snapshot, all.size(), [&](size_t i) {
    const auto own = by_row[i].empty() && all[i].content ? view.find_content(*all[i].content)
                                                         : std::optional<Row>();
    return own ? identity_of(view, *own) : std::string();
  });
  return in_all(snapshot, [&] {
    std::vector<Identity> pictures;
    for (size_t i = 0; i < all.size(); ++i) {
      const SaidOfPicture& said = all[i];
      const std::string& told = by_row[i].empty() ? by_content[i] : by_row[i];
      if (!said.label && said.content && !said.row) {
        pictures.push_back({*said.content, ""});
      } else if (told.empty()) {
        throw no_such_picture(said.row, said.content);
      } else {
        pictures.push_back(identity_of_bytes(told));
      }
    }
    return pictures;
  });
}

// The first process keeps it; what change returns, in all of them.
uint64_t change_truth(Service& service, const Snapshot& snapshot,
                      const std::function<uint64_t(KeptTruth&)>& change) {
  return sum_of_all(snapshot, in_all(snapshot, [&] {
                      return is_silent(snapshot) ? 0 : service.truths.change(snapshot.view, change);
                    }));
}

}  // namespace

HttpResponse put_truth(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const auto all = in_all(snapshot, [&] { return ask_said(call.request.body); });
  const std::vector<Identity> pictures = pictures_of(snapshot, all);
  const uint64_t changed = change_truth(service, snapshot, [&](KeptTruth& truth) {
    uint64_t count = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const Identity& picture = pictures[i];
      count += all[i].label ? truth.say(picture.content, *all[i].label, picture.path)
                            : truth.take_back(picture.content);
    }
    return count;
  });
  if (is_silent(snapshot)) return {};
  return json_response(changed_json(service, changed));
}

HttpResponse delete_truth(Service& service, const Call& call) {
  service.truths.change(call.snapshot->view, [](KeptTruth& truth) {
    truth = KeptTruth();
    return 0;
  });
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse get_truth_csv(Service& service, const Call&) {
  const auto truth = service.truths.all();
  std::vector<const KeptTruth::Entry*> entries = truth->in_order();
  std::ranges::stable_sort(entries, {}, [](const KeptTruth::Entry* entry) -> const std::string& {
    return entry->second.path;
  });
  std::string csv = "path,label,path_base64\r\n";
  for (const KeptTruth::Entry* entry : entries) {
    append_csv_cell(csv, entry->second.path);
    csv += ',';
    append_csv_cell(csv, entry->second.label);
    csv += ',';
    append_csv_path_base64(csv, entry->second.path);
    csv += "\r\n";
  }
  HttpResponse response;
  response.content_type = "text/csv; charset=utf-8";
  response.headers.push_back({"Content-Disposition", "attachment; filename=truth.csv"});
  response.body = std::move(csv);
  return response;
}

HttpResponse put_truth_csv(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const View& view = snapshot.view;
  // A relative path is one of no folder that the server knows, so it is none of a picture.
  const TruthFile file =
      in_all(snapshot, [&] { return parse_truth(call.request.body, "the CSV file", "/"); });
  std::vector<const Truth::value_type*> lines;
  for (const auto& line : file.truth) lines.push_back(&line);
  const auto told = first_told(snapshot, lines.size(), [&](size_t i) {
    const auto own = view.find_path(lines[i]->first);
    return own ? identity_of(view, *own) : std::string();
  });
  const uint64_t read = change_truth(service, snapshot, [&](KeptTruth& truth) {
    uint64_t count = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (told[i].empty()) continue;
      ++count;
      truth.say(identity_of_bytes(told[i]).content, lines[i]->second, lines[i]->first);
    }
    if (count == 0 && !lines.empty())
      throw Error(ErrorCode::InvalidArgument, "the CSV file",
                  fmt::format("none of {} paths is in the collection; first looked for: {}",
                              with_thousands(lines.size()), to_utf8(lines.front()->first)),
                  "write absolute paths, as GET /v1/pictures/{row} tells them");
    return count;
  });
  if (is_silent(snapshot)) return {};
  return json_response(json_object([&](JsonWriter& json) {
    json.member("read", read)
        .member("not_in_collection", file.truth.size() - read)
        .member("unlabelled", file.unlabelled)
        .member("count", service.truths.count());
  }));
}

namespace {

// The first process makes them, since it has the model.
std::vector<Way> ways_in_all(const Snapshot& snapshot,
                             const std::function<std::vector<Way>()>& make) {
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return make();
  const std::string bytes = ranks->made_by_first([&] {
    ByteWriter out;
    for (const Way& way : make()) {
      out.text(way.name);
      out.text(bytes_of_labelling(way.labelling));
    }
    return std::move(out).bytes();
  });
  std::vector<Way> ways;
  ByteReader in(bytes, kRanksMessage);
  while (in.left() > 0) {
    std::string name(in.text());
    ways.push_back({std::move(name), labelling_of_bytes(in.text())});
  }
  return ways;
}

// About the pictures of all processes, in the order of their rows, in the first one.
std::vector<Answers> answers_in_all(const Snapshot& snapshot, const std::vector<Way>& ways,
                                    const std::vector<KnownPicture>& own) {
  if (ranks_of(snapshot.view) == nullptr) return answers_of(snapshot.view, ways, own);
  std::vector<Answers> all;
  for (const Way& way : ways) all.push_back({way.name, {}});
  for (const std::string& bytes : told_by_all(snapshot, [&] {
         ByteWriter out;
         for (const Answers& of_way : answers_of(snapshot.view, ways, own)) {
           out.varint(of_way.checked.size());
           for (const CheckedAnswer& checked : of_way.checked) write_plain(out, checked);
         }
         return std::move(out).bytes();
       })) {
    ByteReader in(bytes, kRanksMessage);
    for (Answers& of_way : all) {
      for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left)
        of_way.checked.push_back(read_plain<CheckedAnswer>(in));
    }
  }
  return all;
}

AskedLabelling ask_only_labelling(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedLabelling asked = ask_labelling(members);
  members.expect_no_others();
  return asked;
}

}  // namespace

HttpResponse post_evaluate(Service& service, const Call& call) {
  const Snapshot& snapshot = *call.snapshot;
  const View& view = snapshot.view;
  const AskedLabelling asked =
      in_all(snapshot, [&] { return ask_only_labelling(call.request.body); });
  const Gate::Pass pass(service.gate, call.go_on);
  const std::vector<Way> ways = ways_in_all(snapshot, [&] {
    Labelling labelling = service.labeller().labelling(call.snapshot, asked, call.go_on);
    const std::vector<Label> labels = labelling.labels;
    const LabelTree tree = labelling.tree;
    std::vector<Way> made;
    made.push_back({"asked", std::move(labelling)});
    if (!asked.request.classifier.empty()) return made;
    for (Way& way : every_rule(
             view, labels,
             service.labeller().label_vectors(call.snapshot, asked.request, call.go_on), tree))
      made.push_back(std::move(way));
    return made;
  });
  const std::vector<Label>& labels = ways.front().labelling.labels;
  const auto truth = truth_in_all(service, snapshot);
  Known known = known_of(snapshot, *truth, labels);
  const uint64_t examples = in_all(snapshot, [&] {
    return leave_out_examples(known.own.pictures, ways.front().labelling.vectors);
  });
  const uint64_t pictures = known.all - examples;
  const std::vector<Answers> answers = answers_in_all(snapshot, ways, known.own.pictures);
  return in_all(snapshot, [&]() -> HttpResponse {
    if (is_silent(snapshot)) return {};
    const EvaluationResult result = evaluate_answers(answers, labels.size(), ResamplingOptions());
    const ReportDetails details = report_details(result.reports.front(), labels);
    std::vector<std::string> warnings;
    if (examples > 0) warnings.push_back(examples_note(examples));
    const bool is_bundled = view.manifest().model_name == kBundledModel;
    if (auto warning = near_chance_warning(result, labels.size(), is_bundled))
      warnings.push_back(*std::move(warning));
    const uint64_t all = snapshot.counts.pictures;
    return json_response(json_object([&](JsonWriter& out) {
      out.member("pictures", pictures)
          .member("without_truth", all - std::min<uint64_t>(all, pictures))
          .member("other_labels", known.own.other_labels)
          .member("ways", raw(accuracies_json(result)))
          .member("labels", details.labels)
          .member("confusion", details.confusion)
          .member("comparisons", raw(comparisons_json(result, {})))
          .member("reliability", details.reliability)
          .member("coverage", details.coverage)
          .member("warnings", warnings);
    }));
  });
}

HttpResponse post_calibrate(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const AskedLabelling asked = ask_labelling(members);
  const auto save = members.text("save", 100);
  members.expect_no_others();
  if (save) checked_name(*save, "save");
  if (!asked.request.classifier.empty())
    members.refuse("classifier", "a classifier has settings of its own", "calibrate prompts");
  const View& view = call.snapshot->view;
  const std::vector<Label>& labels = asked.request.labels;
  const Gate::Pass pass(service.gate, call.go_on);
  const KnownContents known = known_of(*call.snapshot, *service.truths.all(), labels).own;
  if (known.pictures.size() < 10 || labels.size() < 2)
    throw Error(ErrorCode::InvalidArgument, "the truth",
                fmt::format("{} judged pictures and {} labels are too few", known.pictures.size(),
                            labels.size()),
                "judge at least 10 pictures, better 50, of two labels");
  const Fusion by_default = default_fusion(view, "mix");
  const LabelVectors vectors = labels_for(
      view, by_default, service.labeller().label_vectors(call.snapshot, asked.request, call.go_on));
  const KnownEvidence evidence(view, vectors, known.pictures);
  const Calibration calibration = calibrate(evidence, labels.size(), by_default.settings);
  const bool keeps = save && calibration.gain.is_real();
  if (keeps) save_calibration(view, *save, kept_calibration(view, labels, calibration));
  const std::string settings = settings_json(calibration.settings);
  const std::string told = object_of(calibration_message(calibration, settings));
  return json_response(json_object([&](JsonWriter& out) {
    out.member("calibration", RawJson{told}).member("kept", keeps ? save : std::nullopt);
  }));
}

namespace {

// The labels of the truth, with the prompts that the request gives them, else by its template.
std::vector<Label> labels_with_prompts(const std::vector<std::string>& names,
                                       const std::vector<Label>& given) {
  std::vector<Label> labels;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(given, name, &Label::name);
    labels.push_back(found != given.end() ? *found : Label{name, {as_text_prompt(name)}});
  }
  return labels;
}

}  // namespace

HttpResponse post_train(Service& service, const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const bool has_labels = members.find("labels") != nullptr;
  // Also without labels: then all of the truth's, by their names.
  std::vector<Label> given;
  if (has_labels) {
    given = ask_labelling(members).request.labels;
  } else {
    for (const char* name : {"template", "fusion", "none", "threshold", "multi", "client",
                             "calibration", "classifier", "flat", "depth"})
      members.find(name);
  }
  const std::string save = checked_name(members.text("save", 100).value_or("judged"), "save");
  members.expect_no_others();
  const View& view = call.snapshot->view;
  const Gate::Pass pass(service.gate, call.go_on);
  const auto truth = service.truths.all();
  const std::vector<std::string> names = truth->labels();
  const std::vector<Label> labels = labels_with_prompts(names, given);
  const KnownContents known = known_of(*call.snapshot, *truth, labels).own;
  const Training training = train_classifier(view, names, known.pictures);
  call.go_on();
  LabellingRequest request;
  request.labels = labels;
  std::vector<Answers> answers =
      answers_of(view,
                 every_rule(view, labels,
                            service.labeller().label_vectors(call.snapshot, request, call.go_on)),
                 known.pictures);
  for (Answers& of_rule : answers) of_rule.name = "zero-shot, " + of_rule.name;
  answers.push_back({"learned", training.validation.held_out});
  const EvaluationResult result = evaluate_answers(answers, labels.size(), ResamplingOptions());
  save_classifier(view, save, training.classifier);
  const message::Training told{training.classifier.pictures, training.classifier.labels.size(),
                               training.validation.penalty, training.validation.folds,
                               training.validation.log_loss};
  const std::string told_json = object_of(told);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  return json_response(json_object([&](JsonWriter& out) {
    out.member("training", RawJson{told_json})
        .member("ways", raw(accuracies_json(result)))
        .member("comparisons", raw(comparisons_json(result, result.reports.size() - 1)))
        .member("kept", save)
        .member("seconds", Decimal{spent.count(), 6});
  }));
}

}  // namespace zeroshelf::serve
