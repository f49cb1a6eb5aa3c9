// Tested by tests/ingest/prepare_test.cc and sync_test.cc.

#include "lib/ingest/prepare.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "lib/image/blank.h"
#include "lib/image/preprocess.h"
#include "lib/ocr/mask.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kOcrPixels = 12'000'000;  // a TextReader scales down what has more

// Blanked in the crop, not in the picture: both crops come from the same resampling then, and the
// cost does not go with the picture's size.
// Words are in pixels of a picture of width_px x height_px.
Image with_words_masked(const Image& crop, const std::vector<Word>& words, int width_px,
                        int height_px, const Preprocessing& preprocessing) {
  std::vector<Box> boxes;
  for (const Word& word : words)
    boxes.push_back(box_in_crop(word.box, width_px, height_px, preprocessing));
  return blank_out(crop, boxes);
}

// From the pixels that were decoded to those of the whole picture.
void scale_boxes(std::vector<Word>& words, const ReducedImage& decoded) {
  const Image& image = decoded.image;
  if (image.width_px == decoded.width_px && image.height_px == decoded.height_px) return;
  const auto scaled = [](int value, int whole, int part) {
    return static_cast<int>((int64_t{value} * whole + part / 2) / part);
  };
  for (Word& word : words) {
    const Box& box = word.box;
    const int x = scaled(box.x, decoded.width_px, image.width_px);
    const int y = scaled(box.y, decoded.height_px, image.height_px);
    word.box = {x, y, scaled(box.x + box.width, decoded.width_px, image.width_px) - x,
                scaled(box.y + box.height, decoded.height_px, image.height_px) - y};
  }
}

// Waits until there is memory for the pixels, their turned copy, and what OCR makes of them.
class MemoryGate : public PixelGate {
 public:
  MemoryGate(MemoryBudget::Lease& lease, uint64_t file_bytes, bool has_ocr)
      : lease_(lease), file_bytes_(file_bytes), has_ocr_(has_ocr) {}
  void before_pixels(uint64_t pixels) override {
    constexpr uint64_t kPictureBytes = 6;  // a pixel
    constexpr uint64_t kOcrBytes = 14;
    const uint64_t ocr = has_ocr_ ? kOcrBytes * std::min(pixels, kOcrPixels) : 0;
    lease_.raise(file_bytes_ + kPictureBytes * pixels + ocr);
  }

 private:
  MemoryBudget::Lease& lease_;
  uint64_t file_bytes_;
  bool has_ocr_;
};

std::variant<ReducedImage, Skip> decode(std::span<const std::byte> bytes,
                                        const PrepareOptions& options, bool is_read, bool has_ocr,
                                        const PrepareContext& context) {
  // libjpeg's reduction is a box filter; twice the crop's size leaves the model's filter its say.
  constexpr uint64_t kSpare = 2;
  const EnoughPixels enough{kSpare * static_cast<uint64_t>(options.preprocessing.size_px),
                            is_read ? kOcrPixels : 0};
  MemoryGate gate(context.memory, bytes.size(), has_ocr);
  DecodeLimits limits = options.limits;
  limits.gate = &gate;
  const StageTimer timer(context.times, Stage::Decode);
  return decode_reduced(bytes, limits, enough);
}

}  // namespace

Prepared prepare(const FoundFile& file, const PrepareOptions& options, TextReader* reader,
                 const std::function<bool(const ContentHash&)>& is_known,
                 const PrepareContext& context) {
  const FileStamp stamp{file.path, file.size_bytes, file.mtime_ns, file.identity};
  if (file.size_bytes <= options.limits.max_bytes) context.memory.raise(file.size_bytes);
  std::optional<StageTimer> reading(std::in_place, context.times, Stage::Read);
  auto content = read_found_file(file, options.limits.max_bytes);
  if (Skip* skip = std::get_if<Skip>(&content)) return SkippedFile{stamp, std::move(*skip)};

  const auto bytes = std::as_bytes(std::span(std::get<std::string>(content)));
  const ContentHash hash = content_hash(bytes);
  reading.reset();
  if (is_known(hash)) return KnownContent{file, hash};

  std::optional<PictureText> known;
  if (reader != nullptr && options.known_texts) known = options.known_texts(hash);
  const bool has_ocr = reader != nullptr && !known;
  auto decoded = decode(bytes, options, has_ocr || options.keeps_text, has_ocr, context);
  if (Skip* skip = std::get_if<Skip>(&decoded)) return SkippedFile{stamp, std::move(*skip)};
  const ReducedImage& reduced = std::get<ReducedImage>(decoded);
  const Image& image = reduced.image;

  PreparedPicture picture;
  picture.record = {stamp,
                    hash,
                    static_cast<uint32_t>(reduced.width_px),
                    static_cast<uint32_t>(reduced.height_px),
                    0,
                    0,
                    0,
                    {}};
  picture.is_blank = is_blank(image);
  // The crop of pictures that are not read as a rule, when this run reads them.
  std::variant<ReducedImage, Skip> smaller = Skip{};
  if (has_ocr && !options.keeps_text) smaller = decode(bytes, options, false, false, context);
  const ReducedImage* const other = std::get_if<ReducedImage>(&smaller);
  {
    const StageTimer timer(context.times, Stage::Resize);
    picture.crop = resize_and_crop(other ? other->image : image, options.preprocessing);
  }
  if (reader == nullptr) return picture;
  int width_px = reduced.width_px;
  int height_px = reduced.height_px;
  if (!known) {
    const StageTimer timer(context.times, Stage::Ocr);
    try {
      known = reader->read_picture(image);
    } catch (const Error& error) {
      return SkippedFile{stamp, {SkipReason::TextUnreadable, error.cause() + "; " + error.cure()}};
    }
    width_px = image.width_px;
    height_px = image.height_px;
  }
  picture.words = std::move(known->words);
  picture.record.turned_degrees = known->turned_degrees;
  picture.record.unread_script = std::move(known->unread_script);
  picture.record.word_count = static_cast<uint32_t>(picture.words.size());
  picture.record.text_confidence = mean_confidence(picture.words);
  if (options.mask_text && !picture.words.empty()) {
    picture.masked_crop =
        with_words_masked(picture.crop, picture.words, width_px, height_px, options.preprocessing);
  }
  if (width_px == image.width_px && height_px == image.height_px)
    scale_boxes(picture.words, reduced);
  return picture;
}

}  // namespace zeroshelf
