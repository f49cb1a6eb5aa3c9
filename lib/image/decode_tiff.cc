// TIFF by libtiff: OpenCV prints what libtiff finds wrong, and a picture cut short too.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include <tiffio.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr uint16_t kLinearRaw = 34892;  // a photometric interpretation of digital negatives
constexpr tmsize_t kMaxSingleAllocation = tmsize_t{1} << 30;

struct Source {
  Bytes bytes;
  uint64_t position = 0;
  std::string error;  // the first that libtiff reports
};

tmsize_t read_source(thandle_t handle, void* out, tmsize_t size) {
  auto& source = *static_cast<Source*>(handle);
  const uint64_t left =
      source.position < source.bytes.size() ? source.bytes.size() - source.position : 0;
  const uint64_t taken = std::min<uint64_t>(left, std::max<tmsize_t>(size, 0));
  if (taken > 0) std::memcpy(out, source.bytes.data() + source.position, taken);
  source.position += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) {
  return 0;
}

toff_t seek_source(thandle_t handle, toff_t offset, int from) {
  auto& source = *static_cast<Source*>(handle);
  const uint64_t base = from == SEEK_CUR   ? source.position
                        : from == SEEK_END ? source.bytes.size()
                                           : 0;
  source.position = base + offset;
  return source.position;
}

int close_source(thandle_t) {
  return 0;
}
toff_t size_of_source(thandle_t handle) {
  return static_cast<Source*>(handle)->bytes.size();
}

int keep_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  char text[200];
  std::vsnprintf(text, sizeof text, format, arguments);
  if (source.error.empty()) source.error = text;
  return 1;  // handled: the global handler, which prints, is not called
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, Close>;

Tiff open_tiff(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxSingleAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  return Tiff(TIFFClientOpenExt("picture", "rm", &source, read_source, write_nothing, seek_source,
                                close_source, size_of_source, nullptr, nullptr, options.get()));
}

struct Layout {
  uint32_t width = 0;
  uint32_t height = 0;
  uint16_t bits = 1;
  uint16_t samples = 1;
  uint16_t format = SAMPLEFORMAT_UINT;
  uint16_t planes = PLANARCONFIG_CONTIG;
  uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  uint16_t orientation = ORIENTATION_TOPLEFT;
  bool alpha = false;
  bool premultiplied = false;
  bool tiled = false;
};

Layout layout_of(TIFF* tiff) {
  Layout layout;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout.format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout.planes);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &layout.orientation);
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric);
  uint16_t extra = 0;
  uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds) != 0 && extra > 0) {
    layout.premultiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
    layout.alpha = layout.premultiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA;
  }
  layout.tiled = TIFFIsTiled(tiff) != 0;
  return layout;
}

// libtiff's own conversion rounds 16 bits (we keep the high byte, as for PNG) and knows no floats.
bool is_deep(const Layout& layout) {
  const bool grey =
      layout.photometric == PHOTOMETRIC_MINISBLACK || layout.photometric == PHOTOMETRIC_MINISWHITE;
  const uint16_t colours = grey ? 1 : 3;
  const bool integers =
      layout.format == SAMPLEFORMAT_UINT && (layout.bits == 16 || layout.bits == 32);
  const bool floats =
      layout.format == SAMPLEFORMAT_IEEEFP && (layout.bits == 32 || layout.bits == 64);
  return (integers || floats) && (grey || layout.photometric == PHOTOMETRIC_RGB) &&
         layout.planes == PLANARCONFIG_CONTIG && !layout.tiled &&
         layout.samples >= colours + (layout.alpha ? 1 : 0) && layout.samples <= 16;
}

template <class T>
T sample_at(const std::vector<uint8_t>& line, size_t index) {
  T value;
  std::memcpy(&value, line.data() + index * sizeof(T), sizeof(T));
  return value;
}

uint8_t from_unit(double value) {
  return std::isnan(value) ? uint8_t{0}
                           : static_cast<uint8_t>(std::clamp(value, 0.0, 1.0) * 255 + 0.5);
}

// Integers keep their high byte; floats run from 0 to 1.
uint8_t eight_bits(const std::vector<uint8_t>& line, size_t index, const Layout& layout) {
  if (layout.bits == 16) return static_cast<uint8_t>(sample_at<uint16_t>(line, index) >> 8);
  if (layout.bits == 64) return from_unit(sample_at<double>(line, index));
  if (layout.format == SAMPLEFORMAT_IEEEFP) return from_unit(sample_at<float>(line, index));
  return static_cast<uint8_t>(sample_at<uint32_t>(line, index) >> 24);
}

void put_deep_row(const std::vector<uint8_t>& line, const Layout& layout, uint8_t* rgba) {
  const bool rgb = layout.photometric == PHOTOMETRIC_RGB;
  const uint8_t flip = layout.photometric == PHOTOMETRIC_MINISWHITE ? 255 : 0;
  for (size_t x = 0; x < layout.width; ++x, rgba += 4) {
    const size_t first = x * layout.samples;
    for (size_t c = 0; c < 3; ++c) rgba[c] = eight_bits(line, first + (rgb ? c : 0), layout) ^ flip;
    rgba[3] = layout.alpha ? eight_bits(line, first + (rgb ? 3 : 1), layout) : 255;
  }
}

bool read_deep(TIFF* tiff, const Layout& layout, std::vector<uint8_t>& rgba) {
  const size_t needed = size_t{layout.width} * layout.samples * (layout.bits / 8);
  std::vector<uint8_t> line(std::max<size_t>(needed, TIFFScanlineSize64(tiff)));
  for (uint32_t y = 0; y < layout.height; ++y) {
    if (TIFFReadScanline(tiff, line.data(), y) < 0) return false;
    put_deep_row(line, layout, rgba.data() + size_t{y} * layout.width * 4);
  }
  return true;
}

// Everything else, as libtiff converts it: 8 bits, colours multiplied by alpha. The orientation
// asked for is the stored one, so nothing is turned yet.
bool read_plain(TIFF* tiff, const Layout& layout, std::vector<uint8_t>& rgba) {
  static_assert(std::endian::native == std::endian::little, "libtiff packs R into the low byte");
  return TIFFReadRGBAImageOriented(tiff, layout.width, layout.height,
                                   reinterpret_cast<uint32_t*>(rgba.data()), layout.orientation,
                                   1) != 0;
}

// Where a picture of the file is described.
struct Page {
  uint64_t offset = 0;
  uint64_t pixels = 0;
};

bool is_mask(TIFF* tiff) {
  uint32_t kind = 0;
  return TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) != 0 && (kind & FILETYPE_MASK) != 0;
}

// Such a file begins like a TIFF whose first picture is a small one.
bool is_canon_raw(Bytes file) {
  constexpr size_t kMarkAt = 8;
  return file.size() > kMarkAt + 1 && file[kMarkAt] == std::byte{'C'} &&
         file[kMarkAt + 1] == std::byte{'R'};
}

// The page of the directory that is being read.
Page page_of(TIFF* tiff) {
  uint32_t width = 0;
  uint32_t height = 0;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  return {TIFFCurrentDirOffset(tiff), is_mask(tiff) ? 0 : uint64_t{width} * height};
}

// Sensors give one colour a pixel; a file of theirs says so, or has the version of a digital
// negative.
bool is_camera_raw(TIFF* tiff) {
  uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
  const uint8_t* version = nullptr;
  return photometric == PHOTOMETRIC_CFA || photometric == kLinearRaw ||
         TIFFGetField(tiff, TIFFTAG_DNGVERSION, &version) != 0;
}

struct Pages {
  Page largest;  // the first of equally large ones
  bool camera_raw = false;
};

// Looks at the directories in their order, and those below each of them, of which cameras and
// scanners write a few.
Pages pages_of(TIFF* tiff) {
  constexpr size_t kMostPages = 64;
  Pages pages;
  std::vector<uint64_t> below;
  const auto look = [&] {
    const Page page = page_of(tiff);
    if (pages.largest.offset == 0 || page.pixels > pages.largest.pixels) pages.largest = page;
    pages.camera_raw = pages.camera_raw || is_camera_raw(tiff);
  };
  size_t seen = 0;
  do {
    look();
    uint16_t count = 0;
    const uint64_t* offsets = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_SUBIFD, &count, &offsets) != 0 && offsets != nullptr)
      below.insert(below.end(), offsets, offsets + count);
  } while (++seen < kMostPages && TIFFReadDirectory(tiff) != 0);
  for (size_t i = 0; i < below.size() && seen < kMostPages; ++i, ++seen) {
    if (TIFFSetSubDirectory(tiff, below[i]) != 0) look();
  }
  return pages;
}

Skip failure(const Source& source) {
  return damaged(source.error.empty() ? "not as TIFF says" : source.error);
}

// The data of the picture lies inside the file. libtiff pads what lies outside with zeros in
// some codecs.
bool is_whole(TIFF* tiff, uint64_t file_size) {
  const uint32_t pieces =
      TIFFIsTiled(tiff) != 0 ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  for (uint32_t i = 0; i < pieces; ++i) {
    int error = 0;
    const uint64_t offset = TIFFGetStrileOffsetWithErr(tiff, i, &error);
    if (error != 0) return false;
    const uint64_t size = TIFFGetStrileByteCountWithErr(tiff, i, &error);
    if (error != 0 || offset > file_size || size > file_size - offset) return false;
  }
  return true;
}

// Bytes that a strip or tile has when it is unpacked.
uint64_t piece_bytes(TIFF* tiff) {
  return TIFFIsTiled(tiff) != 0 ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
}

// Whether the buffers that libtiff and read_deep allocate stay in proportion to the picture, and,
// where nothing is packed, to the file: a strip of many rows or a tile may claim any size.
bool is_proportionate(TIFF* tiff, const Layout& layout, uint64_t file_size) {
  constexpr uint64_t kSmall = uint64_t{16} << 20;
  constexpr uint64_t kMaxBytesPerPixel = 32;  // four samples of 64 bits
  const uint64_t pixels = uint64_t{layout.width} * layout.height;
  const uint64_t piece = std::max<uint64_t>(piece_bytes(tiff), TIFFScanlineSize64(tiff));
  if (piece > std::max(kSmall, kMaxBytesPerPixel * pixels)) return false;
  uint16_t compression = COMPRESSION_NONE;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  const bool packed = compression != COMPRESSION_NONE;
  return packed || layout.tiled || pixels / 8 * layout.bits * layout.samples <= file_size ||
         layout.photometric == PHOTOMETRIC_YCBCR;
}

}  // namespace

Decoded decode_tiff(Bytes file, const DecodeLimits& limits) {
  const auto camera_raw = [] {
    return unsupported("camera RAW", "develop it to JPEG or TIFF, or index the camera's JPEG");
  };
  if (is_canon_raw(file)) return camera_raw();
  Source source{file, 0, {}};
  const Tiff tiff = open_tiff(source);
  if (tiff == nullptr) return failure(source);
  const Pages pages = pages_of(tiff.get());
  if (pages.camera_raw) return camera_raw();
  source.error.clear();  // of pages that are not taken
  if (TIFFSetSubDirectory(tiff.get(), pages.largest.offset) == 0) return failure(source);
  const Layout layout = layout_of(tiff.get());
  if (auto refused = refusal(layout.width, layout.height, limits)) return *refused;
  const bool deep = is_deep(layout);
  char cause[1024] = "";
  if (!deep && TIFFRGBAImageOK(tiff.get(), cause) == 0) {
    return Skip{SkipReason::NotAPicture,
                std::string("not a picture that can be read: ") + cause + "; convert it to PNG"};
  }
  if (!is_whole(tiff.get(), file.size())) return cut_short();
  if (!is_proportionate(tiff.get(), layout, file.size())) {
    return damaged("a strip or tile larger than the picture or the file");
  }
  Image image = blank_image(layout.width, layout.height, 4);
  const bool read =
      deep ? read_deep(tiff.get(), layout, image.rgb) : read_plain(tiff.get(), layout, image.rgb);
  if (!read) return failure(source);
  lay_on_ground(image.rgb, deep && !layout.premultiplied ? Alpha::Straight : Alpha::Multiplied);
  return upright(std::move(image), layout.orientation);
}

}  // namespace zeroshelf
