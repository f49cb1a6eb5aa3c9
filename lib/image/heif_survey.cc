// Tested by tests/image/hostile_test.cc.

#include "lib/image/heif_survey.h"

#include <libheif/heif_plugin.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "lib/image/coded_format.h"

namespace zeroshelf {
namespace {

constexpr const char* kDecoderId = "zeroshelf-survey";
constexpr int kAboveAll = 1'000'000;  // real decoders have about 100
// All streams together: a picture, its transparency, and as much again for the rims of tiles.
constexpr uint64_t kLimitsOfAll = 3;

struct Survey {
  const DecodeLimits& limits;
  uint64_t pixels = 0;  // of all streams so far
  uint64_t streams = 0;
  std::optional<Skip> refused;
};
// libheif gives a plugin no word of who decodes.
thread_local Survey* current_survey = nullptr;

constexpr heif_error kFine{heif_error_Ok, heif_suberror_Unspecified, "ok"};
constexpr heif_error kRefused{heif_error_Decoder_plugin_error, heif_suberror_Unspecified,
                              "refused before decoding"};
constexpr heif_error kNoDecoder{heif_error_Unsupported_feature, heif_suberror_Unsupported_codec,
                                "its kind of compression"};

using ReadStream = std::optional<CodedStream> (*)(Bytes);

// Why a decoder is not to be given this stream.
std::optional<Skip> objection(const std::optional<CodedStream>& stream, Survey& survey) {
  if (!stream || stream->sequences.empty()) return damaged("its coded stream says no size");
  uint64_t pixels = 0;
  for (const CodedFormat& format : stream->sequences) {
    if (auto refused = refusal(format.width_px, format.height_px, survey.limits)) return refused;
    pixels = std::max(pixels, format.width_px * format.height_px);
  }
  // Neither factor can be large: the pixels are within the limit, pictures need bytes.
  survey.pixels += pixels * std::max<uint64_t>(stream->pictures, 1);
  if (survey.pixels > kLimitsOfAll * survey.limits.max_pixels)
    return damaged("its coded parts have far more pixels than the picture");
  return std::nullopt;
}

heif_error blank_picture(const CodedFormat& format, heif_image** out) {
  constexpr std::array kChromas = {heif_chroma_monochrome, heif_chroma_420, heif_chroma_422,
                                   heif_chroma_444};
  const auto width = static_cast<int>(format.shown_width_px);
  const auto height = static_cast<int>(format.shown_height_px);
  const bool grey = format.chroma == Chroma::Grey;
  heif_error error =
      heif_image_create(width, height, grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr,
                        kChromas.at(static_cast<size_t>(format.chroma)), out);
  const auto add = [&](heif_channel channel, int plane_width, int plane_height) {
    if (error.code == heif_error_Ok)
      error = heif_image_add_plane(*out, channel, plane_width, plane_height, format.bits);
  };
  add(heif_channel_Y, width, height);
  if (!grey) {
    const bool half_wide = format.chroma != Chroma::Full;
    const bool half_high = format.chroma == Chroma::Half;
    for (const heif_channel channel : {heif_channel_Cb, heif_channel_Cr})
      add(channel, half_wide ? (width + 1) / 2 : width, half_high ? (height + 1) / 2 : height);
  }
  if (error.code != heif_error_Ok && *out != nullptr) {
    heif_image_release(*out);
    *out = nullptr;
  }
  return error;
}

// --- the decoder that only looks ----------------------------------------------------------------

heif_error begin(void** decoder) {
  *decoder = new std::string;
  return kFine;
}

void end(void* decoder) {
  delete static_cast<std::string*>(decoder);
}

heif_error push(void* decoder, const void* data, size_t size) {
  static_cast<std::string*>(decoder)->append(static_cast<const char*>(data), size);
  return kFine;
}

template <ReadStream read>
heif_error look(void* decoder, heif_image** out) {
  const auto& bytes = *static_cast<const std::string*>(decoder);
  const std::optional<CodedStream> stream = read(std::as_bytes(std::span(bytes)));
  ++current_survey->streams;
  current_survey->refused = objection(stream, *current_survey);
  if (current_survey->refused) return kRefused;
  return blank_picture(stream->sequences.back(), out);
}

template <heif_compression_format format, ReadStream read>
const heif_decoder_plugin* surveyor() {
  // Member by member: newer versions of libheif have more of them, and ask no plugin of version 3
  // for those.
  static const heif_decoder_plugin plugin = [] {
    heif_decoder_plugin made{};
    made.plugin_api_version = 3;
    made.get_plugin_name = [] { return kDecoderId; };
    // Above all others in a survey, out of the question elsewhere. (libheif 1.15 hears the name
    // of a wanted decoder for AV1 and not for HEVC.)
    made.does_support_format = [](heif_compression_format asked) {
      return asked == format && current_survey != nullptr ? kAboveAll : 0;
    };
    made.new_decoder = begin;
    made.free_decoder = end;
    made.push_data = push;
    made.decode_image = look<read>;
    made.set_strict_decoding = [](void*, int) {};
    made.id_name = kDecoderId;
    return made;
  }();
  return &plugin;
}

void register_surveyors() {
  static const bool done = [] {
    heif_init(nullptr);  // for good: libheif forgets plugins when its last context goes
    heif_register_decoder_plugin(surveyor<heif_compression_HEVC, read_hevc_stream>());
    heif_register_decoder_plugin(surveyor<heif_compression_AV1, read_av1_stream>());
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace

std::optional<HeifObjection> survey_heif(const heif_image_handle* handle,
                                         const DecodeLimits& limits) {
  register_surveyors();
  const std::unique_ptr<heif_decoding_options, decltype(&heif_decoding_options_free)> options(
      heif_decoding_options_alloc(), heif_decoding_options_free);
  options->decoder_id = kDecoderId;
  Survey survey{.limits = limits, .refused = std::nullopt};
  current_survey = &survey;
  heif_image* raw = nullptr;
  const heif_error error = heif_decode_image(handle, &raw, heif_colorspace_undefined,
                                             heif_chroma_undefined, options.get());
  current_survey = nullptr;
  const std::unique_ptr<heif_image, decltype(&heif_image_release)> image(raw, heif_image_release);
  if (survey.refused) return HeifObjection{survey.refused, error};
  if (error.code != heif_error_Ok) return HeifObjection{std::nullopt, error};
  // Nothing coded was looked at: libheif took another decoder, or needed none.
  if (survey.streams == 0) return HeifObjection{std::nullopt, kNoDecoder};
  const auto width = static_cast<uint64_t>(std::max(0, heif_image_get_primary_width(image.get())));
  const auto height =
      static_cast<uint64_t>(std::max(0, heif_image_get_primary_height(image.get())));
  if (auto refused = refusal(width, height, limits)) return HeifObjection{refused, error};
  return std::nullopt;
}

}  // namespace zeroshelf
