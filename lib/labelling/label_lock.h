#pragma once

// A lock file: what was asked of a collection, with what, and a digest of what came out, so that
// somebody can say later, or elsewhere, whether the same answers come out. One JSON object:
//
//   {"type": "zeroshelf-lock", "format": 1, "zeroshelf": "0.2.0", "created": "2026-...Z",
//    "model": {"name", "fingerprint", "text_fingerprint"},
//    "request": what kept_request.h writes,
//    "label_vectors_from_file": false,
//    "settings": {...},                        the rule's, and so a calibration's content
//    "classifier": {"sha256", "content"},      null without; content in base64, null when large
//    "label_vectors": "...",                   a checksum of what the labels were compared by
//    "pictures": {"count", "evidence", "answers", "scores", "table"}}
//
// It holds its prompts, a calibration's settings and a classifier of up to 1 MiB itself, and no
// picture, path or text that was read. Its size goes with the labels and ends at 64 MiB.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/encoder/encoder_source.h"
#include "lib/labelling/answers_digest.h"
#include "lib/labelling/labelling.h"

namespace zeroshelf {

struct LabelLock {
  std::string zeroshelf;  // the version that wrote it
  std::string created_utc;
  std::string model_name;
  std::string model_fingerprint;
  std::string text_fingerprint;  // of another model of texts; empty: the same
  LabellingRequest request;      // without vectors; with a classifier its labels' names
  bool by_label_vectors = false;
  FusionSettings settings;
  std::string classifier_sha256;    // empty: no classifier
  std::string classifier_content;   // encode_classifier() of what answers follow from; may be empty
  std::string label_vectors;
  AnswersDigest digest;
};

// What the request gives here. labelling: what make_labelling() makes of it. buckets: 0 for as many
// as the collection asks for.
LabelLock make_lock(const View& collection, const LabellingRequest& request,
                    const Labelling& labelling, EncoderSource& encoders, std::string_view version,
                    size_t buckets = 0, unsigned threads = 0);

std::string encode_lock(const LabelLock& lock);
// json may be hostile: throws Corruption, and Incompatible for another format.
LabelLock decode_lock(std::string_view json, const std::string& subject);

// Appears complete or not at all. Throws InvalidArgument where something has that name.
void write_lock(const std::filesystem::path& path, const LabelLock& lock);
// Throws NotFound, Io, InvalidArgument for a larger file than a lock is, and what decode_lock does.
LabelLock read_lock(const std::filesystem::path& path);

// What the lock's request makes here: with the collection's own calibration or classifier where it
// keeps one of that name, else with what the lock holds. Throws what make_labelling() throws, and
// InvalidArgument or NotFound where the lock does not hold enough: label vectors from a file, a
// large classifier that is not here.
Labelling make_locked_labelling(const View& collection, const LabelLock& lock,
                                EncoderSource& encoders, const std::string& subject);

// One line of what was compared.
struct LockFinding {
  std::string_view what;  // "model", "labels", "rule", "label vectors", "pictures", "answers",
                          // "scores", "version"
  bool same = true;
  std::string detail;  // how it differs, for people; empty where it does not
};

struct LockVerdict {
  std::vector<LockFinding> findings;
  AnswerChanges changes;
  bool same_answers = false;  // every picture, and the same label for each
};

LockVerdict compare_locks(const LabelLock& locked, const LabelLock& here);
// The same where the models differ, and nothing can be asked therefore.
LockVerdict other_model(const LabelLock& locked, const View& collection);

}  // namespace zeroshelf
