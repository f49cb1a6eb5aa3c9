#pragma once

// One file -> everything the encoder and the collection need of it.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/collection/records.h"
#include "lib/files/find_files.h"
#include "lib/image/decode.h"
#include "lib/image/image.h"
#include "lib/image/preprocess.h"
#include "lib/ingest/memory_budget.h"
#include "lib/ingest/stage_times.h"
#include "lib/ocr/text_reader.h"

namespace zeroshelf {

// Read, decoded and, with OCR, its words read; ready to be encoded.
struct PreparedPicture {
  PictureRecord record;
  std::vector<Word> words;
  Image crop;
  std::optional<Image> masked_crop{};  // the crop with its words blanked out, where asked for
  bool is_blank = false;
};

// Its content is already in the collection or on its way there.
struct KnownContent {
  FoundFile file;
  ContentHash hash{};
};

using Prepared = std::variant<PreparedPicture, KnownContent, SkippedFile>;

// What was read in that content before, boxes in pixels of the whole picture; nothing where it was
// not. Called from all threads.
using KnownTexts = std::function<std::optional<PictureText>(const ContentHash&)>;

struct PrepareOptions {
  DecodeLimits limits;
  Preprocessing preprocessing;
  bool mask_text = false;
  KnownTexts known_texts = {};  // taken in place of reading; empty: everything is read
  bool keeps_text = true;       // pictures of this collection are read as a rule
};

// What a call reports to and asks from.
struct PrepareContext {
  StageTimes& times;
  MemoryBudget::Lease& memory;
};

// reader: null without OCR, and then known_texts is not asked. is_known is asked for the content's
// hash before the costly work. A large JPEG is decoded at a reduced scale that leaves twice the
// crop's size, where the collection keeps text as many pixels as OCR looks at: the crop is the same
// whether this run reads or not. Threads: one call a reader at a time.
Prepared prepare(const FoundFile& file, const PrepareOptions& options, TextReader* reader,
                 const std::function<bool(const ContentHash&)>& is_known,
                 const PrepareContext& context);

}  // namespace zeroshelf
