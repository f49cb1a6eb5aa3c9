// HEIC and AVIF by libheif, which applies the rotation and mirroring that these formats store.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// What the coded streams say of their size is checked before they are decoded: heif_survey.h.
//
// libde265, which decodes HEVC for libheif, and dav1d, which libheif may take for AV1 where it does
// not hear the wish for aom, write a line to stderr about some damaged headers; they have no switch
// against that here, and redirecting stderr would take it from other threads.

#include <libheif/heif.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/image/decoders.h"
#include "lib/image/heif_items.h"
#include "lib/image/heif_survey.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

using Context = std::unique_ptr<heif_context, decltype(&heif_context_free)>;
using Handle = std::unique_ptr<heif_image_handle, decltype(&heif_image_handle_release)>;
using Options = std::unique_ptr<heif_decoding_options, decltype(&heif_decoding_options_free)>;
using Pixels = std::unique_ptr<heif_image, decltype(&heif_image_release)>;

Skip failure(const heif_error& error) {
  if (error.code == heif_error_Unsupported_filetype ||
      error.code == heif_error_Unsupported_feature ||
      error.code == heif_error_Plugin_loading_error) {
    return unsupported(error.message, "convert it to JPEG");
  }
  if (error.subcode == heif_suberror_End_of_data) return cut_short();
  return damaged(error.message);
}

// The AV1 decoder that prints nothing about damaged data (dav1d does).
constexpr const char* kQuietAv1Decoder = "aom";

bool has_quiet_av1_decoder() {
  const heif_decoder_descriptor* decoders[8];
  const int count = heif_get_decoder_descriptors(heif_compression_AV1, decoders, 8);
  return std::any_of(decoders, decoders + count, [](const heif_decoder_descriptor* decoder) {
    const char* id = heif_decoder_descriptor_get_id_name(decoder);
    return id != nullptr && std::strcmp(id, kQuietAv1Decoder) == 0;
  });
}

// libheif takes another decoder where the named one does not know the codec.
Options decoding_options() {
  Options options(heif_decoding_options_alloc(), heif_decoding_options_free);
  static const bool quiet = has_quiet_av1_decoder();
  if (quiet) options->decoder_id = kQuietAv1Decoder;
  return options;
}

// The coded picture may be of another size than the container says, so it is checked again.
Decoded image_from(const heif_image* pixels, int channels, const DecodeLimits& limits) {
  const int width = heif_image_get_width(pixels, heif_channel_interleaved);
  const int height = heif_image_get_height(pixels, heif_channel_interleaved);
  int stride = 0;
  const uint8_t* plane = heif_image_get_plane_readonly(pixels, heif_channel_interleaved, &stride);
  if (plane == nullptr || width <= 0 || height <= 0 || stride < width * channels) {
    return damaged("no pixels in it");
  }
  if (auto refused = refusal(width, height, limits)) return *refused;
  Image image = blank_image(width, height, channels);
  const size_t row_bytes = static_cast<size_t>(width) * channels;
  for (int y = 0; y < height; ++y) {
    std::memcpy(image.rgb.data() + y * row_bytes, plane + static_cast<size_t>(y) * stride,
                row_bytes);
  }
  if (channels == 4) lay_on_ground(image.rgb);
  return image;
}

uint64_t big_endian(Bytes bytes) {
  uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | static_cast<uint64_t>(byte);
  return value;
}

// The box at the beginning of the bytes, cut to what is there; empty where there is none.
Bytes first_box(Bytes bytes) {
  if (bytes.size() < 8) return {};
  uint64_t size = big_endian(bytes.first(4));
  if (size == 1 && bytes.size() >= 16) size = big_endian(bytes.subspan(8, 8));
  if (size == 0 || size > bytes.size()) size = bytes.size();
  return size < 8 ? Bytes() : bytes.first(size);
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view type_of(Bytes box) {
  return text_of(box.subspan(4, 4));
}

Bytes content_of(Bytes box) {
  if (box.empty()) return {};
  return box.subspan(std::min<size_t>(box.size(), big_endian(box.first(4)) == 1 ? 16 : 8));
}

// The bytes of the boxes that hold the list of items.
std::vector<Bytes> meta_boxes(Bytes file) {
  std::vector<Bytes> found;
  for (Bytes box = first_box(file); !box.empty(); box = first_box(file)) {
    if (type_of(box) == "meta") found.push_back(box);
    file = file.subspan(box.size());
  }
  return found;
}

// These two look at every list of items, where heif_items.h cannot read the only one.
//
// Whether there is an overlay. libheif fills an overlay's canvas, of up to 32,768
// pixels a side, whatever size the container says; nobody makes them, so they are not read.
bool has_overlay(Bytes file) {
  return std::ranges::any_of(meta_boxes(file), [](Bytes meta) {
    return text_of(meta).find("iovl") != std::string_view::npos;
  });
}

// Whether a picture is made of others that are made of others in their turn. libheif follows them
// without end when one of them is made of itself; nobody makes them deeper than one level.
bool has_nested_pictures_in(Bytes meta) {
  std::set<uint64_t> made;
  std::set<uint64_t> parts;
  for (size_t at = 4; (at = text_of(meta).find("iref", at)) != std::string_view::npos; at += 4) {
    Bytes references = content_of(first_box(meta.subspan(at - 4)));
    if (references.size() < 4) continue;
    const size_t width = references[0] == std::byte{0} ? 2 : 4;  // of an item's number
    references = references.subspan(4);
    for (Bytes box = first_box(references); !box.empty(); box = first_box(references)) {
      references = references.subspan(box.size());
      Bytes numbers = content_of(box);
      if (type_of(box) != "dimg" || numbers.size() < width + 2) continue;
      made.insert(big_endian(numbers.first(width)));
      for (numbers = numbers.subspan(width + 2); numbers.size() >= width;
           numbers = numbers.subspan(width)) {
        parts.insert(big_endian(numbers.first(width)));
      }
    }
  }
  return std::ranges::any_of(parts, [&](uint64_t part) { return made.contains(part); });
}

bool has_nested_pictures(Bytes file) {
  return std::ranges::any_of(meta_boxes(file), has_nested_pictures_in);
}

}  // namespace

namespace {

// libde265 waits without end for a thread of its own that the system did not let start.
bool can_start_a_thread() {
  const std::vector<std::function<void()>> bodies = {[] {}};
  std::vector<std::thread> started = start_threads(bodies);
  for (std::thread& thread : started) thread.join();
  return !started.empty();
}

}  // namespace

Decoded decode_heif(Bytes file, const DecodeLimits& limits) {
  if (!can_start_a_thread()) {
    return Skip{SkipReason::Unreadable,
                "its decoder needs a thread, and none can start; raise the limit of processes "
                "(ulimit -u)"};
  }
  const std::optional<HeifItems> items = read_heif_items(file);
  const bool pruned = items && items->pruned;
  const Bytes needed = pruned ? std::as_bytes(std::span(*items->pruned)) : file;
  const Context context(heif_context_alloc(), heif_context_free);
  heif_error error = heif_context_read_from_memory_without_copy(context.get(), needed.data(),
                                                                needed.size(), nullptr);
  if (error.code != heif_error_Ok) return failure(error);

  heif_image_handle* raw_handle = nullptr;
  error = heif_context_get_primary_image_handle(context.get(), &raw_handle);
  const Handle handle(raw_handle, heif_image_handle_release);
  if (error.code != heif_error_Ok) return failure(error);
  const int width = heif_image_handle_get_width(handle.get());
  const int height = heif_image_handle_get_height(handle.get());
  if (width <= 0 || height <= 0) return damaged("no size in it");
  if (auto refused = refusal(width, height, limits)) return *refused;
  const bool overlay = items ? items->has_overlay : has_overlay(file);
  if (overlay || (items ? items->is_nested : has_nested_pictures(file))) {
    return unsupported(
        overlay ? "an overlay of several pictures" : "made of pictures that are made of others",
        "convert it to JPEG");
  }
  // Pictures are decoded side by side anyway, and the survey is of one thread.
  heif_context_set_max_decoding_threads(context.get(), 0);
  if (const auto objection = survey_heif(handle.get(), limits))
    return objection->skip ? *objection->skip : failure(objection->error);

  const bool has_alpha = heif_image_handle_has_alpha_channel(handle.get()) != 0;
  heif_image* raw_pixels = nullptr;
  error = heif_decode_image(handle.get(), &raw_pixels, heif_colorspace_RGB,
                            has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB,
                            decoding_options().get());
  const Pixels pixels(raw_pixels, heif_image_release);
  if (error.code != heif_error_Ok) return failure(error);
  return image_from(pixels.get(), has_alpha ? 4 : 3, limits);
}

}  // namespace zeroshelf
