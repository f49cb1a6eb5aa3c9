// Tested by tests/labelling/current_run_test.cc.

#include "lib/labelling/current_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/kept_request.h"
#include "lib/labelling/run_entries.h"
#include "lib/util/error.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"
#include "lib/xmp/keyword_path.h"

namespace zeroshelf {
namespace {

LabellingRequest request_of(const View& collection, const std::string& run) {
  std::optional<LabellingRequest> request = load_request(collection, run);
  if (!request)
    throw Error(ErrorCode::InvalidArgument, run,
                "the run does not say what was asked: an earlier version saved it, or its labels "
                "had vectors from a file",
                "save it again with classify --save");
  return *std::move(request);
}

std::vector<Row> unknown_rows(const View& collection, const Run& run) {
  std::vector<Row> rows;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    if (run.find(content_key(record.content_hash)) == nullptr) rows.push_back(row);
  });
  return rows;
}

bool same_names(const std::vector<Label>& a, const std::vector<Label>& b) {
  return std::ranges::equal(a, b, {}, &Label::name, &Label::name);
}

// Below a root stands what one run says and nothing else: two would take each other's away.
void expect_root_of_its_own(const View& collection, const std::string& run,
                            const std::string& wanted) {
  const KeywordPath root = parse_keyword(wanted, "--root");
  for (const std::string& other : collection.attachments().names(kCurrentKind)) {
    const auto current = other == run ? std::nullopt : load_current(collection, other);
    if (!current || current->keyword_root.empty()) continue;
    const KeywordPath taken = parse_keyword(current->keyword_root, "--root");
    if (root == taken || is_below(root, taken) || is_below(taken, root))
      throw Error(ErrorCode::InvalidArgument, "--root",
                  fmt::format("the keywords of run {} stand below '{}'", other,
                              with_slashes(taken)),
                  "name another keyword");
  }
}

bool is_keyword(const std::string& text) {
  try {
    parse_keyword(text, "");
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string encode_current(const CurrentRun& current) {
  nlohmann::json value = {{"export_to", base64(current.export_to)}, {"mode", current.mode}};
  if (!current.keyword_root.empty()) value["keyword_root"] = current.keyword_root;
  return value.dump();
}

CurrentRun decode_current(std::string_view bytes, const std::string& subject) {
  const auto value = parse_bounded_json(bytes);
  if (!value) throw Error(ErrorCode::Corruption, subject, "damaged: it is not JSON");
  CurrentRun current;
  const auto folder = from_base64(json_member<std::string>(*value, "export_to", subject));
  current.mode = json_member<std::string>(*value, "mode", subject);
  const bool is_known =
      current.mode == "symlink" || current.mode == "hardlink" || current.mode == "copy";
  if (!folder || !is_known || (!folder->empty() && !std::filesystem::path(*folder).is_absolute()))
    throw Error(ErrorCode::Corruption, subject, "damaged: no usable folder or mode");
  current.export_to = *folder;
  if (!value->contains("keyword_root")) return current;
  current.keyword_root = json_member<std::string>(*value, "keyword_root", subject);
  if (!is_keyword(current.keyword_root))
    throw Error(ErrorCode::Corruption, subject, "damaged: no usable \"keyword_root\"");
  return current;
}

void keep_current(const View& collection, const std::string& run, const CurrentRun& current) {
  const Run kept = load_run(collection, run);
  request_of(collection, run);
  if (!current.keyword_root.empty()) {
    expect_root_of_its_own(collection, run, current.keyword_root);
    for (const Label& label : kept.labels)
      parse_keyword(label.name, fmt::format("label '{}'", label.name));
  }
  collection.attachments().put(kCurrentKind, run, encode_current(current));
}

std::optional<CurrentRun> load_current(const View& collection, const std::string& run) {
  const auto bytes = collection.attachments().get(kCurrentKind, run);
  if (!bytes) return std::nullopt;
  return decode_current(*bytes, fmt::format("what run {} is kept current with", run));
}

NewAnswers new_answers(const View& collection, const std::string& run_name,
                       EncoderSource& encoders) {
  const Run run = load_run(collection, run_name);
  const LabellingRequest request = request_of(collection, run_name);
  check_fingerprint(collection, run.model_fingerprint, fmt::format("run {}", run_name));
  NewAnswers answers{run.labels, unknown_rows(collection, run), {}, {}};
  if (answers.rows.empty()) return answers;
  const Labelling labelling = make_labelling(collection, request, encoders);
  if (!same_names(labelling.labels, run.labels))
    throw Error(ErrorCode::Incompatible, run_name,
                "its classifier has other labels by now than when the run was saved",
                "save it again with classify --save");
  answers.predictions = classify_rows(collection, labelling, answers.rows).predictions;
  answers.none = labelling.none;
  return answers;
}

void keep_answers(const View& collection, const std::string& run_name, const NewAnswers& answers) {
  Run run = load_run(collection, run_name);
  if (!same_names(run.labels, answers.labels)) return;  // it is another run by now
  for (size_t i = 0; i < answers.rows.size(); ++i)
    run.entries.push_back(entry_of(collection.record(answers.rows[i]), answers.predictions[i]));
  sort_entries(run.entries);
  save_run(collection, run_name, run);
}

bool remove_run(const View& collection, const std::string& run) {
  const Attachments attachments = collection.attachments();
  attachments.remove(kCurrentKind, run);
  attachments.remove(kRequestKind, run);
  return attachments.remove(kRunKind, run);
}

}  // namespace zeroshelf
