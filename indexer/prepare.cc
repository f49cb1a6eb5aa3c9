// Tested by tests/programs/sync_test.cc.

#include "indexer/prepare.h"

#include <span>
#include <utility>

#include "lib/image/preprocess.h"
#include "lib/ocr/mask.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// Blanked in the crop, not in the picture: both crops come from the same resampling then, and the
// cost does not go with the picture's size.
Image with_words_masked(const Image& crop, const std::vector<Word>& words, const Image& whole) {
  std::vector<Box> boxes;
  for (const Word& word : words) {
    boxes.push_back(box_in_crop(word.box, whole.width_px, whole.height_px, crop.width_px));
  }
  return blank_out(crop, boxes);
}

}  // namespace

Prepared prepare(const FoundFile& file, const PrepareOptions& options, TextReader* reader,
                 const std::function<bool(const ContentHash&)>& is_known) {
  const FileStamp stamp{file.path, file.size_bytes, file.mtime_ns};
  auto content = read_found_file(file, options.limits.max_bytes);
  if (Skip* skip = std::get_if<Skip>(&content)) return SkippedFile{stamp, std::move(*skip)};

  const auto bytes = std::as_bytes(std::span(std::get<std::string>(content)));
  const ContentHash hash = content_hash(bytes);
  if (is_known(hash)) return KnownContent{file, hash};

  auto decoded = decode_image(bytes, options.limits);
  if (Skip* skip = std::get_if<Skip>(&decoded)) return SkippedFile{stamp, std::move(*skip)};
  const Image& image = std::get<Image>(decoded);

  PreparedPicture picture;
  picture.record = {
      stamp, hash, static_cast<uint32_t>(image.width_px), static_cast<uint32_t>(image.height_px),
      0,     0};
  picture.crop = resize_and_crop(image, options.crop_size_px);
  if (reader != nullptr) {
    try {
      picture.words = reader->read(image);
    } catch (const Error& error) {
      return SkippedFile{stamp,
                         {SkipReason::TextUnreadable, error.cause() + "; index it with --no-ocr"}};
    }
    picture.record.word_count = static_cast<uint32_t>(picture.words.size());
    picture.record.text_confidence = mean_confidence(picture.words);
    if (options.mask_text && !picture.words.empty())
      picture.masked_crop = with_words_masked(picture.crop, picture.words, image);
  }
  return picture;
}

}  // namespace zeroshelf
