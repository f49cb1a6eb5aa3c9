#pragma once

// What the programs say to other programs: a struct for each kind of line, with the members of its
// JSON in their order (see json.h). Names of members are part of the interface: scripts read them.
// A member is null, never absent, where there is nothing to say, unless its comment says otherwise.
//
// Texts, spans and pointers are views: what they point to must outlive the message.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/report/json.h"
#include "lib/util/words.h"

namespace zeroshelf::message {

// --- parts --------------------------------------------------------------------------------------

// A path alone: path, and path_base64 where the path is not UTF-8.
struct Path {
  std::string_view path;
};
void write_members(JsonWriter& json, const Path& path);

// A word that was read and where: box is [x, y, width, height] in pixels.
struct ReadWord {
  const Word& word;
};
void write_members(JsonWriter& json, const ReadWord& word);
std::vector<ReadWord> read_words(std::span<const Word> words);

// A figure and its 95 % interval.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};
void write_members(JsonWriter& json, const Interval& figure);

// --- labels -------------------------------------------------------------------------------------

struct ScoredLabel {
  std::string_view label;
  float score = 0;
};
void write_members(JsonWriter& json, const ScoredLabel& scored);

// What one side, picture or text, says.
struct SideAnswer {
  std::string_view label;
  float score = 0;
  float margin = 0;
};
void write_members(JsonWriter& json, const SideAnswer& side);

// A veto against a label: how much nearer the picture is to it than to the label's prompts, and
// whether it took the label from the picture.
struct Veto {
  std::string_view label;
  std::string_view prompt;  // without its sign
  float score = 0;
  bool taken = false;
};
void write_members(JsonWriter& json, const Veto& veto);

// The answer and why: its members stand in a line of their own or in a prediction's.
struct Evidence {
  struct Answer {
    std::string_view label;
    float score = 0;
    std::string_view source;
    float margin = 0;
  };
  std::optional<Answer> answer;
  std::optional<ScoredLabel> runner_up;
  SideAnswer image;
  std::optional<SideAnswer> text;
  std::optional<Veto> veto;  // absent where the label that comes first has none
};
void write_members(JsonWriter& json, const Evidence& evidence);

// A picture's label, by classify and export.
struct Prediction {
  static constexpr std::string_view kType = "prediction";
  struct Ocr {
    std::string text;
    uint64_t words = 0;
    float confidence = 0;
  };
  // Only in an exported line.
  struct File {
    uint32_t width = 0;
    uint32_t height = 0;
    std::string sha256;
  };
  std::string_view path;
  Evidence evidence;
  std::optional<Ocr> ocr;                          // nothing was read: null
  std::optional<std::vector<ScoredLabel>> labels;  // of several labels; else absent
  std::optional<File> file;                        // absent: so are its members and ocr_text
};
void write_members(JsonWriter& json, const Prediction::Ocr& ocr);
void write_members(JsonWriter& json, const Prediction& prediction);

// How many pictures have a label; null: no answer.
struct Count {
  static constexpr std::string_view kType = "count";
  std::optional<std::string_view> label;
  uint64_t pictures = 0;
  double share = 0;
};
void write_members(JsonWriter& json, const Count& count);

// --- search -------------------------------------------------------------------------------------

struct Hit {
  static constexpr std::string_view kType = "hit";
  struct MatchedWord {
    std::string_view text;
    std::string_view query;
    int edits = 0;
    Box box;
  };
  uint64_t rank = 0;
  std::string_view path;
  bool is_gone = false;
  std::optional<bool> fits;  // null: not asked
  float score = 0;
  std::string_view found_by;
  float image_score = 0;
  std::optional<float> text_score;
  float image_nats = 0;
  float text_nats = 0;
  float lexical_nats = 0;
  std::vector<MatchedWord> words;
  std::vector<std::string> similar;  // paths
  std::string ocr_text;
};
void write_members(JsonWriter& json, const Hit::MatchedWord& word);
void write_members(JsonWriter& json, const Hit& hit);

// Pictures that say the same twice.
struct DuplicateGroup {
  static constexpr std::string_view kType = "group";
  struct Picture {
    std::string path;
    std::string ocr_text;
  };
  std::string_view kind;
  std::vector<Picture> pictures;
};
void write_members(JsonWriter& json, const DuplicateGroup::Picture& picture);
void write_members(JsonWriter& json, const DuplicateGroup& group);

// --- evaluation ---------------------------------------------------------------------------------

// How often one way of answering is right, about all labels (null) or one; low and high are
// Wilson's. fusion is the name of the way, once more, as evaluate has called it from the beginning.
struct Accuracy {
  static constexpr std::string_view kType = "accuracy";
  std::string_view name;
  std::optional<std::string_view> label;
  double accuracy = 0;
  double low = 0;
  double high = 0;
  uint64_t right = 0;
  uint64_t pictures = 0;
  std::optional<double> macro_f1;  // of all labels
};
void write_members(JsonWriter& json, const Accuracy& accuracy);

// Bootstrap interval.
struct Metric {
  static constexpr std::string_view kType = "metric";
  std::string_view fusion;
  std::string_view metric;
  Interval figure;
};
void write_members(JsonWriter& json, const Metric& metric);

struct LabelFigures {
  static constexpr std::string_view kType = "label";
  std::string_view fusion;
  std::string_view label;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  uint64_t truths = 0;
  uint64_t answers = 0;
  uint64_t right = 0;
};
void write_members(JsonWriter& json, const LabelFigures& figures);

struct Confusion {
  static constexpr std::string_view kType = "confusion";
  std::string_view fusion;
  std::string_view truth;
  std::optional<std::string_view> answer;
  uint64_t pictures = 0;
};
void write_members(JsonWriter& json, const Confusion& confusion);

struct Reliability {
  static constexpr std::string_view kType = "reliability";
  std::string_view fusion;
  double from = 0;
  double to = 0;
  double confidence = 0;
  double accuracy = 0;
  uint64_t pictures = 0;
};
void write_members(JsonWriter& json, const Reliability& reliability);

struct Coverage {
  static constexpr std::string_view kType = "coverage";
  std::string_view fusion;
  double coverage = 0;
  double accuracy = 0;
  float confidence = 0;
  uint64_t answered = 0;
};
void write_members(JsonWriter& json, const Coverage& coverage);

// Two ways of answering: what the second has more.
struct Comparison {
  static constexpr std::string_view kType = "comparison";
  std::string_view first;
  std::string_view second;
  Interval difference;
  uint64_t only_first_right = 0;
  uint64_t only_second_right = 0;
  double p_value = 1;
};
void write_members(JsonWriter& json, const Comparison& comparison);

// For labels that have levels: how often a way is right to a level.
struct Level {
  static constexpr std::string_view kType = "level";
  std::string_view fusion;
  uint64_t level = 1;
  uint64_t pictures = 0;
  uint64_t right = 0;
  uint64_t stopped = 0;
};
void write_members(JsonWriter& json, const Level& level);

struct Calibration {
  static constexpr std::string_view kType = "calibration";
  std::string_view settings_json;
  uint64_t pictures = 0;
  uint64_t with_text = 0;
  uint64_t folds = 0;
  Interval log_loss_gain;
  Interval accuracy_gain;
  double accuracy = 0;
  double default_accuracy = 0;
  double calibration_error = 0;
  double default_calibration_error = 0;
  bool beyond_noise = false;
};
void write_members(JsonWriter& json, const Calibration& calibration);

struct Training {
  static constexpr std::string_view kType = "training";
  uint64_t pictures = 0;
  uint64_t labels = 0;
  double penalty = 0;
  uint64_t folds = 0;
  double held_out_log_loss = 0;
};
void write_members(JsonWriter& json, const Training& training);

// --- what is kept -------------------------------------------------------------------------------

// A run, a calibration or a classifier, which is its type.
struct KeptThing {
  std::string_view type;
  std::string_view name;
  std::string_view created;
  uint64_t pictures = 0;
  uint64_t labels = 0;
  std::string_view about;
};
void write_members(JsonWriter& json, const KeptThing& kept);

struct Transition {
  static constexpr std::string_view kType = "transition";
  std::optional<std::string> from;
  std::optional<std::string> to;
  uint64_t pictures = 0;
};
void write_members(JsonWriter& json, const Transition& transition);

struct Moved {
  static constexpr std::string_view kType = "moved";
  std::string_view path;
  std::optional<std::string> from;
  std::optional<std::string> to;
  float from_score = 0;
  float to_score = 0;
};
void write_members(JsonWriter& json, const Moved& moved);

struct Review {
  static constexpr std::string_view kType = "review";
  std::string_view path;
  std::optional<std::string> label;
  float score = 0;
  float margin = 0;
  std::string_view source;
  std::optional<std::string> image_label;
  std::optional<std::string> text_label;
};
void write_members(JsonWriter& json, const Review& review);

// --- vectors ------------------------------------------------------------------------------------

// All that is known of a picture, for importing it elsewhere.
struct Metadata {
  std::string_view path;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  std::string sha256;
  uint32_t width = 0;
  uint32_t height = 0;
  std::span<const Word> words;
};
void write_members(JsonWriter& json, const Metadata& metadata);

// The vector of a text or, with `path`, of a picture; type is "text" or "image".
struct Embedding {
  std::optional<std::string_view> path;
  std::string_view text;                            // absent with path
  std::optional<std::vector<int>> ids;              // absent unless asked for
  std::optional<std::span<const float>> embedding;  // absent when it goes elsewhere
};
void write_members(JsonWriter& json, const Embedding& embedding);

// --- indexing -----------------------------------------------------------------------------------

struct Plan {
  static constexpr std::string_view kType = "plan";
  uint64_t files = 0;
};
void write_members(JsonWriter& json, const Plan& plan);

struct Progress {
  static constexpr std::string_view kType = "progress";
  uint64_t files_read = 0;
  uint64_t files = 0;
  double per_second = 0;
  std::optional<double> seconds_left;
  uint64_t skipped = 0;
  std::string_view bottleneck;
};
void write_members(JsonWriter& json, const Progress& progress);

struct Commit {
  static constexpr std::string_view kType = "commit";
  uint64_t pictures = 0;
  uint64_t files_read = 0;
  uint64_t files = 0;
};
void write_members(JsonWriter& json, const Commit& commit);

// A file that could not be indexed.
struct SkippedFile {
  static constexpr std::string_view kType = "skip";
  std::string_view path;
  std::string_view reason;
  std::string_view detail;
};
void write_members(JsonWriter& json, const SkippedFile& skip);

// Names and numbers of an object.
template <class Number>
struct Numbers {
  std::span<const std::pair<std::string_view, Number>> numbers;
};
template <class Number>
void write_members(JsonWriter& json, const Numbers<Number>& numbers) {
  for (const auto& [name, number] : numbers.numbers) json.foreign_member(name, number);
}

// What an add did.
struct SyncSummary {
  static constexpr std::string_view kType = "summary";
  uint64_t added = 0;
  uint64_t copied = 0;
  uint64_t restored = 0;
  uint64_t moved = 0;
  uint64_t removed = 0;
  uint64_t unchanged = 0;
  uint64_t skipped = 0;
  uint64_t with_text = 0;
  bool interrupted = false;
  uint64_t sidecars = 0;
  uint64_t recordings = 0;
  uint64_t collections = 0;
  uint64_t exports = 0;
  // A folder whose pictures are gone and stay all the same.
  struct NotRemoved {
    std::string_view path;
    std::string_view state;
    uint64_t pictures = 0;
    uint64_t gone = 0;
  };
  std::vector<NotRemoved> not_removed;
  uint64_t pictures = 0;
  double seconds = 0;
  std::string_view precision;
  std::string_view kernel;
  double reading_share = 0;  // of the threads' time
  std::vector<std::pair<std::string_view, Decimal>> stage_seconds;
};
void write_members(JsonWriter& json, const SyncSummary::NotRemoved& place);
void write_members(JsonWriter& json, const SyncSummary& summary);

struct Stats {
  static constexpr std::string_view kType = "stats";
  uint64_t pictures = 0;
  uint64_t with_text = 0;
  uint64_t tombstones = 0;
  uint64_t skipped = 0;
  uint64_t commits = 0;
  uint64_t disk_bytes = 0;
  uint64_t dimension = 0;
  float logit_scale = 0;
  std::optional<float> logit_bias;  // of a model that judges by a sigmoid; absent: by a softmax
  uint64_t format_version = 0;
  std::string_view model_name;
  std::string_view model_path;
  std::string_view model_fingerprint;
  std::string_view ocr_languages;
  bool mask_text = false;
  std::string_view created;
  uint64_t parts = 1;       // collections that are counted together
  std::string_view shard;   // that it takes, of a single one; empty: it takes every picture
  uint64_t unfinished = 0;  // collections of which an `add` has not come to its end
  std::vector<std::pair<std::string_view, uint64_t>> skip_reasons;
  uint64_t turned = 0;  // pictures whose text lies on its side or its head
  // Pictures with text in a script of none of the languages, by script.
  std::vector<std::pair<std::string_view, uint64_t>> unread_scripts;
};
void write_members(JsonWriter& json, const Stats& stats);

// What verify found ("fault") or repair could not save ("lost").
struct Fault {
  std::string_view type;
  std::string_view subject;
  std::string_view cause;
};
void write_members(JsonWriter& json, const Fault& fault);

struct Mended {
  static constexpr std::string_view kType = "mended";
  std::string_view what;
};
void write_members(JsonWriter& json, const Mended& mended);

// The last line of a command that counts: names and numbers.
struct Summary {
  static constexpr std::string_view kType = "summary";
  std::vector<std::pair<std::string_view, uint64_t>> numbers;
};
void write_members(JsonWriter& json, const Summary& summary);

// The words in a picture.
struct Ocr {
  static constexpr std::string_view kType = "ocr";
  std::string_view path;
  const std::vector<Word>& words;
  int turned_degrees = 0;               // absent where it is 0
  std::string_view unread_script = {};  // absent where it is empty
};
void write_members(JsonWriter& json, const Ocr& ocr);

}  // namespace zeroshelf::message
