// WebP by libwebp: a still picture, or the first frame of an animation, on its canvas,
// that is not blank.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <optional>
#include <utility>

#include "lib/image/blank.h"
#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;
using Animation = std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

int orientation_of(const WebPDemuxer* demuxer) {
  if ((WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & EXIF_FLAG) == 0) return 1;
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) == 0) return 1;
  const int orientation =
      exif_orientation({reinterpret_cast<const std::byte*>(chunk.chunk.bytes), chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

Decoded decode_webp(Bytes file, const DecodeLimits& limits) {
  const WebPData data{as_uint8(file), file.size()};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  const Demuxer demuxer(WebPDemuxPartial(&data, &state), WebPDemuxDelete);
  if (demuxer == nullptr || state == WEBP_DEMUX_PARSE_ERROR) return damaged("not as WebP says");
  if (state != WEBP_DEMUX_DONE) return cut_short();
  const uint64_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const uint64_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  if (auto refused = refusal(width, height, limits)) return *refused;

  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const Animation animation(WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  std::optional<Image> image;
  FrameBudget budget(width * height);
  do {
    uint8_t* rgba = nullptr;  // owned by the decoder
    int timestamp_ms = 0;
    if (animation == nullptr || WebPAnimDecoderGetNext(animation.get(), &rgba, &timestamp_ms) == 0)
      return damaged(image ? "a frame cannot be decoded" : "its first frame cannot be decoded");
    image = Image{static_cast<int>(width), static_cast<int>(height),
                  std::vector<uint8_t>(rgba, rgba + width * height * 4)};
    lay_on_ground(image->rgb);
  } while (is_blank(*image) && WebPAnimDecoderHasMoreFrames(animation.get()) != 0 &&
           budget.allows_one_more());
  return upright(*std::move(image), orientation_of(demuxer.get()));
}

}  // namespace zeroshelf
