#include "tests/image/corpus.h"

#include <gif_lib.h>
#include <libheif/heif.h>
#include <png.h>

#include <webp/encode.h>
#include <webp/mux.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

// This one wants the headers above.
#include <jpeglib.h>

#include "tests/support/draw.h"

// The HEVC encoder, which only these tests use, keeps a little memory for ever.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libx265";
}

namespace zeroshelf::testing {
namespace {

using namespace std::string_literals;

std::string little_endian(uint32_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> 8 * i);
  return result;
}

std::string opencv_encoded(const Image& image, const char* extension) {
  cv::Mat rgb(image.height_px, image.width_px, CV_8UC3, const_cast<uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<uint8_t> bytes;
  if (!cv::imencode(extension, bgr, bytes)) throw std::runtime_error("cannot encode");
  return {bytes.begin(), bytes.end()};
}

void append_png(png_structp out, png_bytep data, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(out))->append(reinterpret_cast<const char*>(data), size);
}

int append_gif(GifFileType* out, const GifByteType* data, int size) {
  static_cast<std::string*>(out->UserData)
      ->append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  return size;
}

heif_error append_heif(heif_context*, const void* data, size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
  return {heif_error_Ok, heif_suberror_Unspecified, ""};
}

// A little-endian TIFF of one uncompressed strip: libtiff writes only to seekable files.
std::string plain_tiff(int width_px, int height_px, int depth, const std::string& pixels,
                       int orientation) {
  struct Field {
    uint32_t tag, type, value;
  };
  const uint32_t pixels_at = 8;
  const auto directory_at = static_cast<uint32_t>(pixels_at + pixels.size() + pixels.size() % 2);
  const std::vector<Field> fields = {
      {256, 4, static_cast<uint32_t>(width_px)},
      {257, 4, static_cast<uint32_t>(height_px)},
      {258, 3, static_cast<uint32_t>(depth)},
      {259, 3, 1},
      {262, 3, 2},
      {273, 4, pixels_at},
      {274, 3, static_cast<uint32_t>(orientation)},
      {277, 3, 3},
      {278, 4, static_cast<uint32_t>(height_px)},
      {279, 4, static_cast<uint32_t>(pixels.size())},
  };
  std::string file = "II*\0"s + little_endian(directory_at, 4) + pixels;
  file.resize(directory_at);
  file += little_endian(static_cast<uint32_t>(fields.size()), 2);
  const uint32_t depths_at = directory_at + 2 + 12 * static_cast<uint32_t>(fields.size()) + 4;
  for (const Field& field : fields) {
    const bool depths = field.tag == 258;
    file += little_endian(field.tag, 2) + little_endian(field.type, 2) +
            little_endian(depths ? 3 : 1, 4) + little_endian(depths ? depths_at : field.value, 4);
  }
  file += little_endian(0, 4);
  for (int i = 0; i < 3; ++i) file += little_endian(static_cast<uint32_t>(depth), 2);
  return file;
}

}  // namespace

std::string exif_block(int orientation) {
  return "Exif\0\0II*\0"s + little_endian(8, 4) + little_endian(1, 2) + little_endian(0x112, 2) +
         little_endian(3, 2) + little_endian(1, 4) +
         little_endian(static_cast<uint32_t>(orientation), 4) + little_endian(0, 4);
}

std::string jpeg(const Image& image, const JpegOptions& options) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(image.width_px);
  info.image_height = static_cast<JDIMENSION>(image.height_px);
  info.input_components = options.colours == JpegColours::Grey  ? 1
                          : options.colours == JpegColours::Rgb ? 3
                                                                : 4;
  info.in_color_space = options.colours == JpegColours::Grey  ? JCS_GRAYSCALE
                        : options.colours == JpegColours::Rgb ? JCS_RGB
                                                              : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (!options.exif.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(options.exif.data()),
                      static_cast<unsigned>(options.exif.size()));
  }
  for (int y = 0; y < image.height_px; ++y) {
    std::vector<uint8_t> line;
    for (int x = 0; x < image.width_px; ++x) {
      const auto rgb = image.row(y).subspan(size_t{3} * x, 3);
      const int used = options.colours == JpegColours::Grey ? 1 : 3;
      line.insert(line.end(), rgb.begin(), rgb.begin() + used);
      if (options.colours == JpegColours::AdobeCmyk) line.push_back(255);
    }
    JSAMPROW rows[] = {line.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const std::string result(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return result;
}

std::string png(int width_px, int height_px, const std::vector<uint8_t>& rows,
                const PngOptions& options) {
  png_structp out = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(out);
  std::string file;
  png_set_write_fn(out, &file, append_png, nullptr);
  png_set_IHDR(out, info, static_cast<png_uint_32>(width_px), static_cast<png_uint_32>(height_px),
               options.depth, options.colour_type,
               options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (size_t i = 0; i + 2 < options.palette.size(); i += 3) {
    palette.push_back({options.palette[i], options.palette[i + 1], options.palette[i + 2]});
  }
  if (!palette.empty()) {
    png_set_PLTE(out, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (!options.palette_alpha.empty()) {
    png_set_tRNS(out, info, options.palette_alpha.data(),
                 static_cast<int>(options.palette_alpha.size()), nullptr);
  }
  std::string exif = options.exif;
  if (!exif.empty()) {
    png_set_eXIf_1(out, info, static_cast<png_uint_32>(exif.size()),
                   reinterpret_cast<png_bytep>(exif.data()));
  }
  std::vector<png_bytep> pointers;
  const size_t stride = rows.size() / height_px;
  for (int y = 0; y < height_px; ++y) {
    pointers.push_back(const_cast<png_bytep>(rows.data() + y * stride));
  }
  png_set_rows(out, info, pointers.data());
  png_write_png(out, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&out, &info);
  return file;
}

std::string gif(int width_px, int height_px, const std::vector<std::vector<uint8_t>>& frames,
                bool interlaced) {
  std::string file;
  int error = 0;
  GifFileType* out = EGifOpen(&file, append_gif, &error);
  EGifSetGifVersion(out, true);
  const GifColorType colours[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {0, 0, 0}};
  ColorMapObject* map = GifMakeMapObject(4, colours);
  EGifPutScreenDesc(out, width_px, height_px, 2, 2, map);
  for (std::vector<uint8_t> frame : frames) {
    const GraphicsControlBlock control{DISPOSAL_UNSPECIFIED, false, 10, 2};
    GifByteType extension[4];
    EGifGCBToExtension(&control, extension);
    EGifPutExtension(out, GRAPHICS_EXT_FUNC_CODE, 4, extension);
    EGifPutImageDesc(out, 0, 0, width_px, height_px, interlaced, nullptr);
    for (size_t at = 0; at < frame.size(); at += width_px) {
      EGifPutLine(out, frame.data() + at, width_px);
    }
  }
  EGifCloseFile(out, &error);
  GifFreeMapObject(map);
  return file;
}

std::string webp(const Image& image) {
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeLosslessRGB(image.rgb.data(), image.width_px, image.height_px,
                                            3 * image.width_px, &bytes);
  const std::string result(reinterpret_cast<const char*>(bytes), size);
  WebPFree(bytes);
  return result;
}

std::string animated_webp(const std::vector<Image>& frames) {
  WebPAnimEncoderOptions options;
  WebPAnimEncoderOptionsInit(&options);
  WebPAnimEncoder* encoder = WebPAnimEncoderNew(frames[0].width_px, frames[0].height_px, &options);
  WebPConfig config;
  WebPConfigInit(&config);
  config.lossless = 1;
  int time_ms = 0;
  for (const Image& frame : frames) {
    WebPPicture picture;
    WebPPictureInit(&picture);
    picture.use_argb = 1;
    picture.width = frame.width_px;
    picture.height = frame.height_px;
    WebPPictureImportRGB(&picture, frame.rgb.data(), 3 * frame.width_px);
    WebPAnimEncoderAdd(encoder, &picture, time_ms, &config);
    WebPPictureFree(&picture);
    time_ms += 100;
  }
  WebPAnimEncoderAdd(encoder, nullptr, time_ms, nullptr);
  WebPData data;
  WebPDataInit(&data);
  WebPAnimEncoderAssemble(encoder, &data);
  WebPAnimEncoderDelete(encoder);
  const std::string result(reinterpret_cast<const char*>(data.bytes), data.size);
  WebPDataClear(&data);
  return result;
}

std::string bmp(const Image& image) {
  return opencv_encoded(image, ".bmp");
}
std::string pnm(const Image& image) {
  return opencv_encoded(image, ".ppm");
}

std::string tiff(const Image& image, int orientation) {
  return plain_tiff(image.width_px, image.height_px, 8, {image.rgb.begin(), image.rgb.end()},
                    orientation);
}

std::string tiff16(const Image& image) {
  std::string pixels;
  for (uint8_t sample : image.rgb) {
    pixels += '\x80';
    pixels += static_cast<char>(sample);
  }
  return plain_tiff(image.width_px, image.height_px, 16, pixels, 1);
}

std::optional<std::string> heif(const Image& image, HeifCodec codec, HeifAlpha alpha) {
  const int channels = alpha == HeifAlpha::None ? 3 : 4;
  const std::unique_ptr<heif_context, decltype(&heif_context_free)> context(heif_context_alloc(),
                                                                            heif_context_free);
  heif_encoder* raw_encoder = nullptr;
  heif_context_get_encoder_for_format(
      context.get(), codec == HeifCodec::Hevc ? heif_compression_HEVC : heif_compression_AV1,
      &raw_encoder);
  if (raw_encoder == nullptr) return std::nullopt;
  const std::unique_ptr<heif_encoder, decltype(&heif_encoder_release)> encoder(
      raw_encoder, heif_encoder_release);
  heif_encoder_set_lossy_quality(encoder.get(), 90);
  heif_encoder_set_logging_level(encoder.get(), 0);
  heif_image* raw_image = nullptr;
  heif_image_create(image.width_px, image.height_px, heif_colorspace_RGB,
                    channels == 3 ? heif_chroma_interleaved_RGB : heif_chroma_interleaved_RGBA,
                    &raw_image);
  const std::unique_ptr<heif_image, decltype(&heif_image_release)> pixels(raw_image,
                                                                          heif_image_release);
  heif_image_add_plane(raw_image, heif_channel_interleaved, image.width_px, image.height_px, 8);
  int stride = 0;
  uint8_t* plane = heif_image_get_plane(raw_image, heif_channel_interleaved, &stride);
  for (int y = 0; y < image.height_px; ++y) {
    for (int x = 0; x < image.width_px; ++x) {
      std::memcpy(plane + y * stride + x * channels, image.row(y).data() + 3 * x, 3);
      if (channels == 4) plane[y * stride + x * channels + 3] = 128;
    }
  }
  heif_image_handle* handle = nullptr;
  const heif_error error =
      heif_context_encode_image(context.get(), raw_image, encoder.get(), nullptr, &handle);
  if (handle != nullptr) heif_image_handle_release(handle);
  if (error.code != heif_error_Ok) return std::nullopt;
  std::string file;
  heif_writer writer{1, append_heif};
  heif_context_write(context.get(), &writer, &file);
  return file;
}

namespace {

// Big-endian numbers and the boxes of ISO/IEC 14496-12 and 23008-12.
std::string big_endian(uint64_t value, int bytes) {
  std::string result;
  for (int i = bytes - 1; i >= 0; --i) result += static_cast<char>(value >> 8 * i);
  return result;
}

std::string box(const std::string& type, const std::string& content) {
  return big_endian(8 + content.size(), 4) + type + content;
}

std::string full_box(const std::string& type, int version, const std::string& content) {
  return box(type, big_endian(static_cast<uint64_t>(version) << 24, 4) + content);
}

// The first box of this type, found by its name alone.
std::string box_in(const std::string& file, const std::string& type) {
  const size_t at = file.find(type) - 4;
  uint32_t size = 0;
  for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>(file[at + i]);
  return file.substr(at, size);
}

}  // namespace

std::string heif_grid(const std::string& tile, HeifCodec codec, int columns, int rows,
                      uint32_t width_px, uint32_t height_px, HeifExtras extras) {
  const bool hevc = codec == HeifCodec::Hevc;
  const auto tiles = static_cast<uint64_t>(columns) * static_cast<uint64_t>(rows);
  const std::string data = box_in(tile, "mdat").substr(8);
  const std::string whole = std::string(2, '\0') + static_cast<char>(rows - 1) +
                            static_cast<char>(columns - 1) + big_endian(width_px, 2) +
                            big_endian(height_px, 2);
  std::string items = full_box("infe", 2, big_endian(1, 2) + big_endian(0, 2) + "grid" + '\0');
  const bool gain_map = extras == HeifExtras::GainMap;
  const uint64_t coded = tiles + (gain_map ? 1 : 0);
  const uint64_t all = 1 + coded + (gain_map ? 1 : 0);
  std::string places = big_endian(0x4400, 2) + big_endian(all, 2) +  // 4-byte offset, length
                       big_endian(1, 2) + big_endian(1, 2) + big_endian(0, 2) + big_endian(1, 2) +
                       big_endian(0, 4) + big_endian(8, 4);
  std::string references = big_endian(1, 2) + big_endian(tiles, 2);
  std::string properties = big_endian(1 + coded, 4) + big_endian(1, 2) + "\1\3";
  std::vector<size_t> offsets;
  for (uint64_t id = 2; id < 2 + coded; ++id) {
    const bool is_tile = id < 2 + tiles;
    items +=
        full_box("infe", 2, big_endian(id, 2) + big_endian(0, 2) + (hevc ? "hvc1" : "av01") + '\0');
    places += big_endian(id, 2) + big_endian(0, 2) + big_endian(0, 2) + big_endian(1, 2);
    offsets.push_back(places.size());
    places += big_endian(0, 4) + big_endian(data.size(), 4);
    if (is_tile) references += big_endian(id, 2);
    properties += big_endian(id, 2) + (is_tile ? "\2\x81\2" : "\3\x81\2\4");
  }
  references = box("dimg", references);
  if (gain_map) {
    const uint64_t gain = 2 + tiles;
    const uint64_t mapped = gain + 1;
    items += full_box("infe", 2, big_endian(mapped, 2) + big_endian(0, 2) + "tmap" + '\0');
    places += big_endian(mapped, 2) + big_endian(1, 2) + big_endian(0, 2) + big_endian(1, 2) +
              big_endian(0, 4) + big_endian(8, 4);
    references += box("dimg", big_endian(mapped, 2) + big_endian(2, 2) + big_endian(1, 2) +
                                  big_endian(gain, 2));
    references += box("auxl", big_endian(gain, 2) + big_endian(2, 2) + big_endian(1, 2) +
                                  big_endian(mapped, 2));
  }
  const std::string ftyp = box("ftyp", std::string(hevc ? "heic" : "avif") + big_endian(0, 4) +
                                           "mif1" + (hevc ? "heic" : "avif"));
  const auto meta = [&](uint64_t data_at) {
    std::string located = places;
    for (const size_t offset : offsets) located.replace(offset, 4, big_endian(data_at, 4));
    return full_box(
        "meta", 0,
        full_box("hdlr", 0, big_endian(0, 4) + "pict" + std::string(13, '\0')) +
            full_box("pitm", 0, big_endian(1, 2)) +
            full_box("iinf", 0, big_endian(all, 2) + items) + full_box("iref", 0, references) +
            box("iprp",
                box("ipco",
                    box_in(tile, hevc ? "hvcC" : "av1C") + box_in(tile, "ispe") +
                        full_box("ispe", 0, big_endian(width_px, 4) + big_endian(height_px, 4)) +
                        (gain_map ? full_box("auxC", 0,
                                             std::string("urn:com:apple:photo:2020:aux:"
                                                         "hdrgainmap") +
                                                 '\0')
                                  : "")) +
                    full_box("ipma", 0, properties)) +
            full_box("iloc", 1, located) + box("idat", whole));
  };
  const uint64_t data_at = ftyp.size() + meta(0).size() + 8;
  return ftyp + meta(data_at) + box("mdat", data);
}

namespace {

std::vector<Sample> make_corpus() {
  const Image image = shapes_image(64, 48, 3);
  const std::vector<uint8_t> rows(image.rgb.begin(), image.rgb.end());
  const std::vector<uint8_t> indices(64 * 48, 1);
  std::vector<Sample> samples = {
      {"jpeg", jpeg(image, {})},
      {"progressive jpeg", jpeg(image, {.progressive = true, .exif = exif_block(6)})},
      {"cmyk jpeg", jpeg(image, {.colours = JpegColours::AdobeCmyk, .exif = {}})},
      {"png", png(64, 48, rows, {})},
      {"interlaced png", png(64, 48, rows, {.interlaced = true})},
      {"palette png", png(64, 48, indices, {.colour_type = 3, .palette = {1, 2, 3, 4, 5, 6}})},
      {"gif", gif(64, 48, {indices, std::vector<uint8_t>(64 * 48, 2)})},
      {"webp", webp(image)},
      {"animated webp", animated_webp({image, shapes_image(64, 48, 4)})},
      {"bmp", bmp(image)},
      {"tiff", tiff(image)},
      {"tiff of 16 bits", tiff16(image)},
      {"lzw tiff", opencv_encoded(image, ".tiff")},
      {"pnm", pnm(image)},
  };
  if (auto heic = heif(image, HeifCodec::Hevc)) samples.push_back({"heic", *heic});
  if (auto avif = heif(image, HeifCodec::Av1)) samples.push_back({"avif", *avif});
  return samples;
}

}  // namespace

const std::vector<Sample>& corpus() {
  static const std::vector<Sample> samples = make_corpus();
  return samples;
}

Image decoded(const std::string& bytes) {
  auto result = decode_image(as_bytes(bytes), {});
  if (auto* skip = std::get_if<Skip>(&result)) throw std::runtime_error(skip->detail);
  return std::get<Image>(std::move(result));
}

std::optional<Skip> skip_of(const std::string& bytes, const DecodeLimits& limits) {
  auto result = decode_image(as_bytes(bytes), limits);
  if (auto* skip = std::get_if<Skip>(&result)) return *skip;
  return std::nullopt;
}

int greatest_difference(const Image& a, const Image& b) {
  if (a.width_px != b.width_px || a.height_px != b.height_px) return 256;
  int greatest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) {
    greatest = std::max(greatest, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  }
  return greatest;
}

}  // namespace zeroshelf::testing
