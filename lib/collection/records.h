#pragma once

// What a collection knows of a picture besides its vectors.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/util/file_identity.h"
#include "lib/util/hash.h"
#include "lib/util/skip.h"
#include "lib/util/words.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// A file as it was when it was read.
struct FileStamp {
  std::string path;  // absolute; bytes as the system gives them, not always UTF-8
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  // Kept beside the record: for_each_identity gives it, a record that is read has none.
  FileIdentity identity{};

  bool operator==(const FileStamp&) const = default;
};

struct PictureRecord {
  FileStamp file;
  ContentHash content_hash{};
  uint32_t width_px = 0;
  uint32_t height_px = 0;
  // Evidence in the text, for weighing it: 0 words mean that the picture has no text vector.
  uint32_t word_count = 0;
  float text_confidence = 0;  // 0 to 1
  // By how much the picture must be turned clockwise so that its text stands upright: 0, 90, 180 or
  // 270. Boxes of words are those of the picture as it lies.
  int turned_degrees = 0;
  // The script of text that was left out because none of the collection's languages has it, as
  // PictureText has it; empty: there is none.
  std::string unread_script;
};

// A picture that is ready to be committed. Vectors have unit length and the collection's dimension;
// text_vector is empty for a picture without text, masked_vector (of the picture with its text
// blanked out) is there for a picture with text in a collection that masks text.
struct NewPicture {
  PictureRecord record;
  std::vector<Word> words;
  std::vector<float> image_vector;
  std::vector<float> text_vector;
  std::vector<float> masked_vector;
  // The languages its text was read in, empty: it was not read. Absent: what the manifest says.
  std::optional<std::string> read_in{};
  bool is_blank = false;  // there is nothing to see in it
};

struct SkippedFile {
  FileStamp file;
  Skip skip;
};

}  // namespace zeroshelf
