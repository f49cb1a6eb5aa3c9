// Tested by tests/labelling/label_lock_test.cc and tests/programs/lock_test.cc.

#include "lib/labelling/label_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "lib/files/new_file.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/kept_request.h"
#include "lib/util/bytes.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/hex_hash.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"
#include "lib/util/utc.h"

namespace zeroshelf {
namespace {

using nlohmann::ordered_json;

constexpr const char* kType = "zeroshelf-lock";
constexpr uint32_t kFormat = 1;
constexpr uint64_t kMostBytes = uint64_t{64} << 20;
constexpr size_t kMostClassifierBytes = size_t{1} << 20;

// What answers follow from, and nothing of when and from what it was learned. labelling: by it.
std::string essence_of(const Labelling& labelling, const std::string& fingerprint) {
  Classifier bare;
  bare.labels = labelling.labels;
  bare.vectors = labelling.vectors;
  bare.settings = labelling.fusion.settings;
  bare.model_fingerprint = fingerprint;
  return encode_classifier(bare);
}

std::string sha256_of(const std::string& bytes) {
  return to_hex(content_hash(std::as_bytes(std::span(bytes))));
}

std::string checksum_of(const LabelVectors& vectors) {
  Checksum128 checksum;
  for (const Matrix* matrix :
       {&vectors.image, &vectors.text, &vectors.vetoes.image, &vectors.vetoes.text}) {
    for (size_t k = 0; k < matrix->rows(); ++k) checksum.update(std::as_bytes(matrix->row(k)));
  }
  for (const std::vector<float>* biases :
       {&vectors.image_bias, &vectors.text_bias, &vectors.vetoes.image_bias})
    checksum.update(std::as_bytes(std::span(*biases)));
  return checksum.hex();
}

std::optional<float> multi_threshold_of(const LabellingRequest& request) {
  if (!request.several) return std::nullopt;
  return request.threshold.value_or(kMultiThreshold);
}

// --- the table of buckets ------------------------------------------------------------------------

std::string table_bytes(const std::vector<AnswersDigest::Bucket>& buckets) {
  ByteWriter out;
  for (const AnswersDigest::Bucket& bucket : buckets) {
    for (const uint64_t number :
         {bucket.pictures, bucket.contents, bucket.evidence, bucket.answers})
      out.number(number);
  }
  return std::move(out).bytes();
}

[[noreturn]] void refuse(const std::string& subject, const char* member) {
  throw Error(ErrorCode::Corruption, subject, fmt::format("damaged: no usable \"{}\"", member));
}

std::vector<AnswersDigest::Bucket> parse_table(const std::string& text, uint64_t pictures,
                                               const std::string& subject) {
  constexpr size_t kBytes = 4 * sizeof(uint64_t);
  const auto bytes = from_base64(text);
  const size_t count = bytes ? bytes->size() / kBytes : 0;
  if (!bytes || bytes->size() % kBytes != 0 || !std::has_single_bit(count) ||
      count > AnswersDigest::kMostBuckets)
    refuse(subject, "table");
  std::vector<AnswersDigest::Bucket> buckets(count);
  ByteReader in(*bytes, subject);
  uint64_t left = pictures;
  for (AnswersDigest::Bucket& bucket : buckets) {
    bucket.pictures = in.number<uint64_t>();
    bucket.contents = in.number<uint64_t>();
    bucket.evidence = in.number<uint64_t>();
    bucket.answers = in.number<uint64_t>();
    if (bucket.pictures > left) refuse(subject, "table");
    left -= bucket.pictures;
  }
  if (left != 0) refuse(subject, "table");
  return buckets;
}

// --- reading -------------------------------------------------------------------------------------

const nlohmann::json& object_member(const nlohmann::json& object, const char* name,
                                    const std::string& subject) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_object()) refuse(subject, name);
  return *found;
}

std::string sha256_member(const nlohmann::json& object, const char* name,
                          const std::string& subject) {
  std::string hex = json_member<std::string>(object, name, subject);
  if (!hash_from_hex(hex)) refuse(subject, name);
  return hex;
}

void parse_classifier(const nlohmann::json& value, LabelLock& lock, const std::string& subject) {
  const auto found = value.find("classifier");
  if (found == value.end() || found->is_null() != lock.request.classifier.empty())
    refuse(subject, "classifier");
  if (found->is_null()) return;
  lock.classifier_sha256 = sha256_member(*found, "sha256", subject);
  const auto content = found->find("content");
  if (content == found->end()) refuse(subject, "content");
  if (content->is_null()) return;
  const auto bytes = from_base64(json_as<std::string>(*content).value_or("-"));
  if (!bytes || sha256_of(*bytes) != lock.classifier_sha256) refuse(subject, "content");
  lock.classifier_content = *bytes;
  decode_classifier(lock.classifier_content, subject);
}

AnswersDigest parse_digest(const nlohmann::json& value, const std::string& subject) {
  AnswersDigest digest;
  digest.pictures = json_member<uint64_t>(value, "count", subject);
  digest.evidence = sha256_member(value, "evidence", subject);
  digest.answers = sha256_member(value, "answers", subject);
  digest.scores = sha256_member(value, "scores", subject);
  digest.buckets =
      parse_table(json_member<std::string>(value, "table", subject), digest.pictures, subject);
  return digest;
}

// --- comparing -----------------------------------------------------------------------------------

std::string labels_detail(const std::vector<Label>& locked, const std::vector<Label>& here) {
  for (size_t k = 0; k < std::min(locked.size(), here.size()); ++k) {
    if (locked[k].name != here[k].name)
      return fmt::format("label {} is '{}' here, and '{}' in the lock", k + 1,
                         printable(here[k].name), printable(locked[k].name));
    if (locked[k].prompts != here[k].prompts)
      return fmt::format("'{}' has other prompts here", printable(here[k].name));
  }
  return fmt::format("{} labels here, {} in the lock", here.size(), locked.size());
}

std::string threshold_text(std::optional<float> threshold) {
  return threshold ? fmt::format("threshold {:.6g}", *threshold) : "no threshold";
}

// What decides, besides the labels.
std::string levels_text(const LabellingRequest& request) {
  if (request.slash == Slash::Letter) return "names without levels";
  return request.depth ? fmt::format("at most {} levels", *request.depth) : "all levels";
}

std::vector<std::pair<std::string, std::string>> rule_parts(const LabelLock& lock) {
  const LabellingRequest& request = lock.request;
  return {{"the rule", request.classifier.empty() && request.calibration.empty()
                           ? "rule " + request.fusion
                           : way_name(request)},
          {"the threshold", threshold_text(request.threshold)},
          {"'none'", request.last_is_none ? "with 'none'" : "without 'none'"},
          {"the levels", levels_text(request)},
          {"how many labels a picture may have", request.several ? "several labels" : "one label"},
          {"the classifier", "classifier of content " + lock.classifier_sha256.substr(0, 12)},
          {"the settings", "settings " + settings_json(lock.settings)}};
}

std::string rule_detail(const LabelLock& locked, const LabelLock& here) {
  const auto before = rule_parts(locked);
  const auto now = rule_parts(here);
  std::string text;
  for (size_t i = 0; i < now.size(); ++i) {
    if (before[i] == now[i]) continue;
    text += fmt::format("{}{} here, {} in the lock", text.empty() ? "" : "; ",
                        printable(now[i].second), printable(before[i].second));
  }
  return text;
}

void append_count(std::string& text, uint64_t count, const char* what) {
  if (count > 0)
    text += fmt::format("{}at least {} {}", text.empty() ? "" : ", ", with_thousands(count), what);
}

std::string pictures_detail(const AnswerChanges& changes) {
  std::string text;
  append_count(text, changes.added, "added");
  append_count(text, changes.removed, "removed");
  append_count(text, changes.changed, "with other vectors or words");
  return text;
}

LockFinding found(std::string_view what, bool same, std::string detail) {
  return {what, same, same ? "" : std::move(detail)};
}

LockFinding model_finding(const LabelLock& locked, const std::string& name,
                          const std::string& fingerprint, const std::string& text_fingerprint) {
  const bool same_pictures = locked.model_fingerprint == fingerprint;
  const std::string detail =
      same_pictures ? "texts are encoded by another model"
                    : fmt::format("{} ({}) here, {} ({}) in the lock", printable(name),
                                  fingerprint.substr(0, 12), printable(locked.model_name),
                                  printable(locked.model_fingerprint.substr(0, 12)));
  return found("model", same_pictures && locked.text_fingerprint == text_fingerprint, detail);
}

}  // namespace

LabelLock make_lock(const View& collection, const LabellingRequest& request,
                    const Labelling& labelling, EncoderSource& encoders, std::string_view version,
                    size_t buckets, unsigned threads) {
  if (has_examples(request.labels))
    throw Error(ErrorCode::InvalidArgument, "--lock",
                "a lock file holds texts, and these labels have pictures (@)",
                "leave the pictures out of the labels");
  LabelLock lock;
  lock.zeroshelf = version;
  lock.created_utc = now_utc();
  lock.model_name = collection.manifest().model_name;
  lock.model_fingerprint = collection.manifest().model_fingerprint;
  lock.text_fingerprint = encoders.text_fingerprint();
  lock.request = request;
  if (!request.classifier.empty()) lock.request.labels = labelling.labels;
  lock.request.vectors.clear();
  lock.by_label_vectors = !request.vectors.empty();
  lock.settings = labelling.fusion.settings;
  if (!request.classifier.empty()) {
    const std::string content = essence_of(labelling, lock.model_fingerprint);
    lock.classifier_sha256 = sha256_of(content);
    if (content.size() <= kMostClassifierBytes) lock.classifier_content = content;
  }
  lock.label_vectors = checksum_of(labelling.vectors);
  lock.digest =
      digest_answers(collection, labelling, multi_threshold_of(request),
                     buckets == 0 ? buckets_for(collection.pictures()) : buckets, threads);
  return lock;
}

std::string encode_lock(const LabelLock& lock) {
  ordered_json value;
  value["type"] = kType;
  value["format"] = kFormat;
  value["zeroshelf"] = lock.zeroshelf;
  value["created"] = lock.created_utc;
  value["model"] = {{"name", to_utf8(lock.model_name)},
                    {"fingerprint", lock.model_fingerprint},
                    {"text_fingerprint", lock.text_fingerprint}};
  value["request"] = ordered_json::parse(request_json(lock.request));
  value["label_vectors_from_file"] = lock.by_label_vectors;
  value["settings"] = ordered_json::parse(settings_json(lock.settings));
  value["classifier"] = nullptr;
  if (!lock.classifier_sha256.empty()) {
    value["classifier"] = {{"sha256", lock.classifier_sha256}, {"content", nullptr}};
    if (!lock.classifier_content.empty())
      value["classifier"]["content"] = base64(lock.classifier_content);
  }
  value["label_vectors"] = lock.label_vectors;
  value["pictures"] = {{"count", lock.digest.pictures},
                       {"evidence", lock.digest.evidence},
                       {"answers", lock.digest.answers},
                       {"scores", lock.digest.scores},
                       {"table", base64(table_bytes(lock.digest.buckets))}};
  return value.dump(1) + "\n";
}

LabelLock decode_lock(std::string_view text, const std::string& subject) {
  const auto value = parse_bounded_json(text);
  if (!value || !value->is_object() || !value->contains("type"))
    throw Error(ErrorCode::Corruption, subject, "not a lock file", "make one with classify --lock");
  if (json_member<std::string>(*value, "type", subject) != kType)
    throw Error(ErrorCode::Corruption, subject, "not a lock file", "make one with classify --lock");
  if (json_member<uint32_t>(*value, "format", subject) != kFormat)
    throw Error(ErrorCode::Incompatible, subject, "a lock file of another version of zeroshelf",
                "verify it with that version, or make it again");
  LabelLock lock;
  lock.zeroshelf = json_member<std::string>(*value, "zeroshelf", subject);
  lock.created_utc = json_member<std::string>(*value, "created", subject);
  const nlohmann::json& model = object_member(*value, "model", subject);
  lock.model_name = json_member<std::string>(model, "name", subject);
  lock.model_fingerprint = json_member<std::string>(model, "fingerprint", subject);
  lock.text_fingerprint = json_member<std::string>(model, "text_fingerprint", subject);
  lock.request = parse_request(object_member(*value, "request", subject).dump(), subject);
  if (has_examples(lock.request.labels))
    throw Error(ErrorCode::Corruption, subject,
                "damaged: its labels name pictures, which no lock file does");
  lock.by_label_vectors = json_member<bool>(*value, "label_vectors_from_file", subject);
  lock.settings = parse_settings(object_member(*value, "settings", subject).dump(), subject);
  parse_classifier(*value, lock, subject);
  lock.label_vectors = json_member<std::string>(*value, "label_vectors", subject);
  lock.digest = parse_digest(object_member(*value, "pictures", subject), subject);
  return lock;
}

void write_lock(const std::filesystem::path& path, const LabelLock& lock) {
  const std::string content = encode_lock(lock);
  if (content.size() > kMostBytes)
    throw Error(ErrorCode::InvalidArgument, path.string(), "more labels than a lock file holds",
                "lock fewer labels");
  NewFile file(path);
  file.write(content);
  file.publish();
}

LabelLock read_lock(const std::filesystem::path& path) {
  return decode_lock(read_file(path, kMostBytes), path.string());
}

namespace {

Labelling by_held_classifier(const LabelLock& lock, const std::string& subject) {
  if (lock.classifier_content.empty())
    throw Error(ErrorCode::NotFound, lock.request.classifier,
                "the lock file names this classifier, which is too large to be in it, and the "
                "collection keeps none of that name",
                "make it with train --save");
  Classifier classifier = decode_classifier(lock.classifier_content, subject);
  Labelling labelling;
  labelling.labels = std::move(classifier.labels);
  labelling.vectors = std::move(classifier.vectors);
  labelling.threshold = lock.request.threshold;
  labelling.fusion = {&fusion_rule("mix"), classifier.settings};
  return labelling;
}

}  // namespace

Labelling make_locked_labelling(const View& collection, const LabelLock& lock,
                                EncoderSource& encoders, const std::string& subject) {
  const LabellingRequest& request = lock.request;
  const Attachments attachments = collection.attachments();
  if (lock.by_label_vectors)
    throw Error(ErrorCode::InvalidArgument, subject, "its labels had vectors from a file",
                "name the labels and --label-vectors again");
  if (!request.classifier.empty() && !attachments.get(kClassifierKind, request.classifier))
    return by_held_classifier(lock, subject);
  if (!request.calibration.empty() && !attachments.get(kCalibrationKind, request.calibration))
    return make_labelling(collection, request, encoders, lock.settings);
  return make_labelling(collection, request, encoders);
}

LockVerdict compare_locks(const LabelLock& locked, const LabelLock& here) {
  LockVerdict verdict;
  verdict.changes = compare_digests(locked.digest, here.digest);
  verdict.same_answers = locked.digest.answers == here.digest.answers;
  verdict.findings.push_back(
      model_finding(locked, here.model_name, here.model_fingerprint, here.text_fingerprint));
  verdict.findings.push_back(found("labels", locked.request.labels == here.request.labels,
                                   labels_detail(locked.request.labels, here.request.labels)));
  const std::string rule = rule_detail(locked, here);
  verdict.findings.push_back(found("rule", rule.empty(), rule));
  verdict.findings.push_back(
      found("label vectors", locked.label_vectors == here.label_vectors,
            "labels are compared by other vectors: other prompts or pictures, another processor or "
            "precision"));
  const bool same_pictures = locked.digest.evidence == here.digest.evidence;
  verdict.findings.push_back(found("pictures", same_pictures, pictures_detail(verdict.changes)));
  std::string answers;
  append_count(answers, verdict.changes.answered, "pictures with another label");
  verdict.findings.push_back(found("answers", verdict.same_answers,
                                   answers.empty() ? "they are of other pictures" : answers));
  verdict.findings.push_back(found("scores", locked.digest.scores == here.digest.scores,
                                   verdict.same_answers ? "not the same to the last bit" : ""));
  verdict.findings.push_back(
      found("version", locked.zeroshelf == here.zeroshelf,
            fmt::format("{} here, {} in the lock", here.zeroshelf, printable(locked.zeroshelf))));
  return verdict;
}

LockVerdict other_model(const LabelLock& locked, const View& collection) {
  LockVerdict verdict;
  verdict.findings.push_back(model_finding(locked, collection.manifest().model_name,
                                           collection.manifest().model_fingerprint,
                                           locked.text_fingerprint));
  return verdict;
}

}  // namespace zeroshelf
