// What is kept with a collection (runs, calibrations, classifiers, cached prompts), and the truth
// that people write to evaluate it with.

#include <cmath>
#include <fstream>
#include <memory>

#include "lib/collection/attachments.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/labelling/run.h"
#include "lib/labelling/truth.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "tests/fuzz/file_targets.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDimension = 4;
constexpr const char* kKind = "runs";
constexpr const char* kName = "fuzz";

void put(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// --- seeds --------------------------------------------------------------------------------------

std::string run_seed() {
  Run run{"2026-01-01T00:00:00Z", "mini", "f055", "mix", settings_json({}), {}, {}};
  run.labels = {{"cat", {"cat"}}, {"dog", {"a photo of a dog", "a dog"}}};
  RunEntry answered;
  answered.key[0] = 1;
  answered.label = 1;
  answered.source = Source::Text;
  answered.text_label = 1;
  answered.score = 0.75f;
  answered.margin = 0.5f;
  RunEntry silent;
  silent.key[0] = 2;
  run.entries = {answered, silent};
  return encode_run(run);
}

std::string calibration_seed() {
  return encode_calibration({{}, "f055", "2026-01-01T00:00:00Z", {"cat", "dog"}, 12});
}

std::string classifier_seed() {
  Classifier classifier;
  classifier.labels = {{"cat", {"(learned)"}}, {"dog", {"(learned)"}}};
  classifier.vectors.image = Matrix(2, kDimension);
  classifier.vectors.text = Matrix(2, kDimension);
  classifier.vectors.image_bias = {0.5f, -0.5f};
  classifier.vectors.text_bias = {0, 1};
  classifier.model_fingerprint = "f055";
  classifier.created_utc = "2026-01-01T00:00:00Z";
  classifier.pictures = 12;
  return encode_classifier(classifier);
}

std::string whole_file(const fs::path& path) {
  return read_file(path, 1 << 20);
}

// --- reading ------------------------------------------------------------------------------------

void check_settings(const FusionSettings& settings) {
  const std::string json = settings_json(settings);
  promise(settings_json(parse_settings(json, "again")) == json, "settings are numbers in range");
}

void check_run(std::string_view bytes) {
  const Run run = decode_run(bytes, "run");
  promise(encode_run(run) == bytes, "only what would be written is read");
  for (const RunEntry& entry : run.entries) {
    promise(entry.image_label < run.labels.size(), "a label is one of the run's");
    promise(entry.label.value_or(0) < run.labels.size(), "an answer is one of the run's labels");
    promise(run.find(entry.key) == &entry, "each content is found");
  }
}

void check_calibration(std::string_view bytes) {
  const KeptCalibration kept = decode_calibration(bytes, "calibration");
  check_settings(kept.settings);
  const std::string again = encode_calibration(kept);
  promise(encode_calibration(decode_calibration(again, "again")) == again,
          "a calibration is the same after writing and reading it");
}

void check_classifier(std::string_view bytes) {
  const Classifier classifier = decode_classifier(bytes, "classifier");
  check_settings(classifier.settings);
  const LabelVectors& vectors = classifier.vectors;
  const size_t labels = classifier.labels.size();
  promise(vectors.image.rows() == labels && vectors.text.rows() == labels &&
              vectors.image_bias.size() == labels && vectors.text_bias.size() == labels,
          "a row and a bias each label");
  const std::string again = encode_classifier(classifier);
  promise(encode_classifier(decode_classifier(again, "again")) == again,
          "a classifier is the same after writing and reading it");
}

// A folder as a collection's, for what is read from files.
class KeptFiles {
 public:
  KeptFiles() {
    Attachments(folder_.path()).put(kKind, kName, "content");
    attachment_ = folder_ / "attachments" / kKind / kName;
    PromptCache cache = prompt_cache();
    cache.keep({"a cat", "a dog"}, Matrix(2, kDimension));
    const auto names = Attachments(folder_.path()).names("prompts");
    promise(names.size() == 1, "a cache is one attachment");
    prompts_name_ = names.front();
    prompts_ = folder_ / "attachments" / "prompts" / prompts_name_;
  }

  std::string attachment_seed() const { return whole_file(attachment_); }
  std::string prompts_seed() const {
    return *Attachments(folder_.path()).get("prompts", prompts_name_);
  }

  void read_attachment(std::string_view bytes) const {
    put(attachment_, bytes);
    promise(Attachments(folder_.path()).get(kKind, kName).has_value(), "it is there");
  }

  // As the content of a sealed file, since the seal would refuse nearly every mutation. A cache
  // that cannot be read is empty.
  std::string read_prompts(std::string_view content) const {
    Checksum128 checksum;
    checksum.update("prompts/" + prompts_name_ + "\n");
    checksum.update(std::as_bytes(std::span(content)));
    put(prompts_, "zskept01" + checksum.hex() + std::string(content));
    const PromptCache cache = prompt_cache();
    const std::span<const float> known = cache.find("a cat");
    for (const float value : known) promise(std::isfinite(value), "a vector holds numbers");
    promise(known.empty() || known.size() == kDimension, "a vector is whole");
    return known.empty() ? "unknown" : "known";
  }

 private:
  PromptCache prompt_cache() const { return {folder_.path(), "f055", "fp32", kDimension}; }

  TemporaryDirectory folder_;
  fs::path attachment_;
  std::string prompts_name_;
  fs::path prompts_;
};

// The first byte says which reader gets the rest.
std::string read_kept(const KeptFiles& files, const std::string& input) {
  if (input.empty()) return "empty";
  const std::string_view bytes = std::string_view(input).substr(1);
  if (input[0] == 'p') return files.read_prompts(bytes);
  return input[0] + outcome_of([&] {
           switch (input[0]) {
             case 'r':
               return check_run(bytes);
             case 'c':
               return check_calibration(bytes);
             case 'l':
               return check_classifier(bytes);
             case 'a':
               return files.read_attachment(bytes);
             default:
               return;
           }
         });
}

std::string read_truth_of(const fs::path& path, const std::string& input) {
  put(path, input);
  return outcome_of([&] {
    const Truth truth = read_truth(path);
    for (const auto& [picture, label] : truth) {
      promise(fs::path(picture).is_absolute(), "a path of the truth is absolute");
      promise(picture.find('\0') == std::string::npos, "a path has no NUL");
    }
    promise(labels_of(truth).size() <= truth.size(), "no more labels than pictures");
  });
}

}  // namespace

Target kept_target() {
  const auto files = std::make_shared<KeptFiles>();
  return {"",
          {"r" + run_seed(), "c" + calibration_seed(), "l" + classifier_seed(),
           "a" + files->attachment_seed(), "p" + files->prompts_seed()},
          {"\xff\xff\xff\xff\x0f", "\x80", "\"settings\":", "\"labels\":", "[", "{\"a\":",
           "\"alpha\":1e39", std::string("\0\0\x80\x7f", 4), std::string("\0\0\xc0\x7f", 4)},
          nullptr,
          [files](const std::string& input) { return read_kept(*files, input); }};
}

Target truth_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {"path,label\na.jpg,cat\nb/c.jpg,dog\n",
           "\xef\xbb\xbf\"label\",\"path\",more\r\n\"the \"\"cat\"\"\",\"/a,b\n.jpg\",1\r\n"},
          {",", "\"", "\"\"", "\r\n", "\n", "path", "label", std::string(1, '\0'), "../", "/"},
          nullptr,
          [folder](const std::string& input) { return read_truth_of(*folder / "csv", input); }};
}

}  // namespace zeroshelf::testing
