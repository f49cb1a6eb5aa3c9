#pragma once

// One file -> everything the encoder and the collection need of it.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/collection/records.h"
#include "lib/image/decode.h"
#include "lib/image/find_files.h"
#include "lib/image/image.h"
#include "lib/ocr/text_reader.h"

namespace zeroshelf {

// Read, decoded and, with OCR, its words read; ready to be encoded.
struct PreparedPicture {
  PictureRecord record;
  std::vector<Word> words;
  Image crop;
  std::optional<Image> masked_crop;  // the crop with its words blanked out, where asked for
};

// Its content is already in the collection or on its way there.
struct KnownContent {
  FoundFile file;
  ContentHash hash{};
};

using Prepared = std::variant<PreparedPicture, KnownContent, SkippedFile>;

struct PrepareOptions {
  DecodeLimits limits;
  int crop_size_px = 224;
  bool mask_text = false;
};

// reader: null without OCR. is_known is asked for the content's hash before the costly work.
// Threads: one call a reader at a time.
Prepared prepare(const FoundFile& file, const PrepareOptions& options, TextReader* reader,
                 const std::function<bool(const ContentHash&)>& is_known);

}  // namespace zeroshelf
