// What people say of pictures, and what follows from it: accuracy, calibration, a learned
// classifier. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/kept.h"
#include "lib/labels/prompt.h"
#include "lib/report/evaluate_output.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "models/clip/load.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
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

// The pictures that are known, by labels of the truth that are among these.
KnownContents known_of(const KeptTruth& truth, const View& view, const std::vector<Label>& labels) {
  KnownContents known = known_contents(view, labels, truth);
  if (known.pictures.empty())
    throw Error(ErrorCode::InvalidArgument, "the truth",
                known.other_labels > 0 ? "all pictures that were judged have other labels"
                                       : "no picture of the collection was judged yet",
                "judge some with the labels that you ask for");
  return known;
}

std::vector<std::string> comparisons_json(const EvaluationResult& result, std::optional<size_t> only_with) {
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

HttpResponse get_truth(Service& service, const Call& call) {
  const uint64_t offset = whole_parameter(call.request, "offset", 0, UINT64_MAX);
  const uint64_t limit = whole_parameter(call.request, "limit", 100, 1000);
  const auto truth = service.truths.all();
  std::map<std::string_view, uint64_t> counts;
  for (const auto& [content, said] : truth->all()) ++counts[said.label];
  std::vector<std::string> labels;
  for (const auto& [name, count] : counts)
    labels.push_back(json_object([&, name = name, count = count](JsonWriter& json) {
      json.member("name", name).member("count", count);
    }));
  std::vector<const KeptTruth::Entry*> entries = truth->in_order();
  std::ranges::reverse(entries);
  std::vector<std::string> pictures;
  for (size_t i = std::min<uint64_t>(offset, entries.size());
       i < entries.size() && pictures.size() < limit; ++i) {
    const auto& [content, said] = *entries[i];
    pictures.push_back(json_object([&, &content = content, &said = said](JsonWriter& json) {
      json.member("row", call.snapshot->view.find_content(content))
          .member("sha256", to_hex(content))
          .path(said.path)
          .member("label", said.label);
    }));
  }
  return json_response(json_object([&](JsonWriter& json) {
    json.member("count", entries.size())
        .member("labels", raw(labels))
        .member("offset", offset)
        .member("pictures", raw(pictures));
  }));
}

HttpResponse put_truth(Service& service, const Call& call) {
  struct Change {
    ContentHash content{};
    std::string path;
    std::optional<std::string> label;
  };
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const View& view = call.snapshot->view;
  std::vector<Change> changes;
  for (const auto& [value, where] : members.list("pictures", 10'000)) {
    Members picture(*value, where + ".");
    const auto row = picture.whole("row", 0, UINT64_MAX);
    std::optional<ContentHash> content;
    if (const auto hash = picture.text("sha256", 64))
      content = ask_hash(*hash, picture.where() + "sha256");
    Change change;
    change.label = picture.text("label", 1000);
    if (!value->contains("label")) picture.refuse("label", "it is missing", "null takes one back");
    picture.expect_no_others();
    if (change.label && trimmed(*change.label).empty())
      picture.refuse("label", "a label has a name", "null takes one back");
    if (!change.label && content && !row) {  // also of a picture that is gone
      change.content = *content;
    } else {
      const PictureRecord record = view.record(row_of(view, row, content));
      change.content = record.content_hash;
      change.path = record.file.path;
    }
    changes.push_back(std::move(change));
  }
  members.expect_no_others();
  const uint64_t changed = service.truths.change(view, [&](KeptTruth& truth) {
    uint64_t count = 0;
    for (const Change& change : changes)
      count += change.label ? truth.say(change.content, *change.label, change.path)
                            : truth.take_back(change.content);
    return count;
  });
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
  const View& view = call.snapshot->view;
  // A relative path is one of no folder that the server knows, so it is none of a picture.
  const TruthFile file = parse_truth(call.request.body, "the CSV file", "/");
  uint64_t read = 0;
  service.truths.change(view, [&](KeptTruth& truth) {
    for (const auto& [path, label] : file.truth) {
      const auto row = view.find_path(path);
      if (!row) continue;
      ++read;
      truth.say(view.record(*row).content_hash, label, path);
    }
    if (read == 0 && !file.truth.empty())
      throw Error(
          ErrorCode::InvalidArgument, "the CSV file",
          fmt::format("none of {} paths is in the collection; first looked for: {}",
                      with_thousands(file.truth.size()), to_utf8(file.truth.begin()->first)),
          "write absolute paths, as GET /v1/pictures/{row} tells them");
    return read;
  });
  return json_response(json_object([&](JsonWriter& json) {
    json.member("read", read)
        .member("not_in_collection", file.truth.size() - read)
        .member("unlabelled", file.unlabelled)
        .member("count", service.truths.count());
  }));
}

HttpResponse post_evaluate(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const AskedLabelling asked = ask_labelling(members);
  members.expect_no_others();
  const View& view = call.snapshot->view;
  const Gate::Pass pass(service.gate, call.go_on);
  Labelling labelling = service.labeller().labelling(call.snapshot, asked, call.go_on);
  const std::vector<Label> labels = labelling.labels;
  const LabelTree tree = labelling.tree;
  KnownContents known = known_of(*service.truths.all(), view, labels);
  const uint64_t examples = leave_out_examples(known.pictures, labelling.vectors);
  std::vector<Way> ways;
  ways.push_back({"asked", std::move(labelling)});
  if (asked.request.classifier.empty()) {
    for (Way& way :
         every_rule(view, labels,
                    service.labeller().label_vectors(call.snapshot, asked.request, call.go_on), tree))
      ways.push_back(std::move(way));
  }
  const EvaluationResult result =
      evaluate_answers(answers_of(view, ways, known.pictures), labels.size(), ResamplingOptions());
  const ReportDetails details = report_details(result.reports.front(), labels);
  std::vector<std::string> warnings;
  if (examples > 0) warnings.push_back(examples_note(examples));
  const bool is_bundled = view.manifest().model_name == kBundledModel;
  if (auto warning = near_chance_warning(result, labels.size(), is_bundled))
    warnings.push_back(*std::move(warning));
  const uint64_t all = call.snapshot->counts.pictures;
  return json_response(json_object([&](JsonWriter& out) {
    out.member("pictures", known.pictures.size())
        .member("without_truth", all - std::min<uint64_t>(all, known.pictures.size()))
        .member("other_labels", known.other_labels)
        .member("ways", raw(accuracies_json(result)))
        .member("labels", details.labels)
        .member("confusion", details.confusion)
        .member("comparisons", raw(comparisons_json(result, {})))
        .member("reliability", details.reliability)
        .member("coverage", details.coverage)
        .member("warnings", warnings);
  }));
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
  const KnownContents known = known_of(*service.truths.all(), view, labels);
  if (known.pictures.size() < 10 || labels.size() < 2)
    throw Error(ErrorCode::InvalidArgument, "the truth",
                fmt::format("{} judged pictures and {} labels are too few",
                            known.pictures.size(), labels.size()),
                "judge at least 10 pictures, better 50, of two labels");
  const Fusion by_default = default_fusion(view, "mix");
  const LabelVectors vectors =
      labels_for(view, by_default, service.labeller().label_vectors(call.snapshot, asked.request, call.go_on));
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
  const KnownContents known = known_of(*truth, view, labels);
  const Training training = train_classifier(view, names, known.pictures);
  call.go_on();
  LabellingRequest request;
  request.labels = labels;
  std::vector<Answers> answers = answers_of(
      view,
      every_rule(view, labels, service.labeller().label_vectors(call.snapshot, request, call.go_on)),
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
