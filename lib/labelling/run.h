#pragma once

// A kept classification: what was asked, and what each picture got. It stays true while the
// collection goes on: its answers belong to picture contents, not to rows or paths.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// The first 16 bytes of a picture's SHA-256.
using ContentKey = std::array<uint8_t, 16>;
ContentKey content_key(const ContentHash& hash);

// What one picture got. Labels are places among the run's labels.
struct RunEntry {
  ContentKey key{};
  std::optional<uint32_t> label;  // absent: no answer
  std::optional<Source> source;   // which side won; absent without an answer
  uint32_t image_label = 0;
  std::optional<uint32_t> text_label;  // absent for a picture without text
  float score = 0;                     // of the answer, finite; 0 without one
  float margin = 0;                    // to the next label, in the same unit
};

struct Run {
  std::string created_utc;  // ISO 8601
  std::string model_name;
  std::string model_fingerprint;
  std::string fusion;    // the rule's name
  std::string settings;  // JSON, see settings_json()
  std::vector<Label> labels;
  std::vector<RunEntry> entries;  // one a content, ascending by key

  const RunEntry* find(const ContentKey& key) const;  // null: not in the run
};

// predictions: one a row, as classify() gives them. Copies of a picture share one entry.
Run make_run(const View& collection, const Labelling& labelling,
             const std::vector<Prediction>& predictions);
// The same of what classify() gives.
Run make_run(const View& collection, const Labelling& labelling, unsigned threads = 0);

// One run of those that make_run() gave for parts, in the order of the parts; at least one.
Run joined_runs(std::vector<Run> of_parts);

// One a row: whether the run gave its picture one of the labels of these names. Pictures that came
// after the run are none. Reads all records. Throws InvalidArgument as find_labels() does.
std::vector<bool> rows_with_label(const View& collection, const Run& run,
                                  const std::vector<std::string>& names);

// What stands in the file: see docs/collection-format.md. About 28 bytes a picture with up to 254
// labels.
std::string encode_run(const Run& run);
// bytes may be hostile: throws Corruption with that subject unless they are exactly what
// encode_run() gives for some run.
Run decode_run(std::string_view bytes, const std::string& subject);

// --- kept with a collection ---------------------------------------------------------------------

inline constexpr std::string_view kRunKind = "runs";

void save_run(const View& collection, const std::string& name, const Run& run);
// Throws NotFound, naming those that there are; Corruption.
Run load_run(const View& collection, const std::string& name);

}  // namespace zeroshelf
