// JPEG by libjpeg-turbo, with the settings and the CMYK conversion that PIL uses, so that the
// pixels are the ones PIL gives.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// libjpeg leaves by longjmp: only run_guarded() sets the target, and the steps it runs hold no
// object with a destructor.

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>

// These two want the headers above, in this order.
#include <jpeglib.h>

#include <jerror.h>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

// A crafted progressive file can make every scan cost a pass over all blocks; real files have
// about ten.
constexpr int kMaxScans = 200;
// Large pictures may have fewer scans, so that no file costs more than some seconds.
constexpr int kMinScans = 25;
constexpr uint64_t kMaxScannedPixels = 5'000'000'000;
constexpr size_t kMaxExifBytes = 65533;
// A Huffman coded block of 8 x 8 samples takes a bit at least, and a sample stands for 4 x 4 pixels
// at most, so a header that promises more pixels a byte lies.
constexpr uint64_t kMaxPixelsPerByte = 8 * 64 * 16;

struct Reader {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf escape;
  bool ran_out;  // the file has no end mark
  char message[JMSG_LENGTH_MAX];
};

Reader& reader_of(j_common_ptr info) {
  return *static_cast<Reader*>(info->client_data);
}

[[noreturn]] void leave(j_common_ptr info) {
  Reader& reader = reader_of(info);
  info->err->format_message(info, reader.message);
  std::longjmp(reader.escape, 1);
}

// Warnings that say that pixels are wrong or missing; the others (stray bytes between segments, odd
// versions) leave the picture whole.
bool loses_pixels(int warning) {
  switch (warning) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
      return true;
    default:
      return false;
  }
}

void on_message(j_common_ptr info, int level) {
  // By itself this loses nothing: bits that are missing are told by JWRN_HIT_MARKER.
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) reader_of(info).ran_out = true;
  if (level < 0 && loses_pixels(info->err->msg_code)) leave(info);
}

void print_nothing(j_common_ptr) {}

void on_progress(j_common_ptr info) {
  const auto& decompress = *reinterpret_cast<j_decompress_ptr>(info);
  const uint64_t pixels = uint64_t{decompress.image_width} * decompress.image_height;
  const auto allowed = static_cast<int>(std::clamp<uint64_t>(
      kMaxScannedPixels / std::max<uint64_t>(pixels, 1), kMinScans, kMaxScans));
  if (decompress.input_scan_number <= allowed) return;
  Reader& reader = reader_of(info);
  std::snprintf(reader.message, sizeof reader.message, "more than %d scans", allowed);
  std::longjmp(reader.escape, 1);
}

// Runs the step; false when libjpeg gave up, with the reason in reader.message.
template <class Step>
bool run_guarded(Reader& reader, Step step) {
  if (setjmp(reader.escape) != 0) return false;
  step();
  return true;
}

class JpegFile {
 public:
  JpegFile() {
    std::memset(&reader_, 0, sizeof reader_);
    reader_.info.err = jpeg_std_error(&reader_.errors);
    reader_.errors.error_exit = leave;
    reader_.errors.emit_message = on_message;
    reader_.errors.output_message = print_nothing;
    reader_.progress.progress_monitor = on_progress;
    reader_.info.client_data = &reader_;
  }
  ~JpegFile() { jpeg_destroy_decompress(&reader_.info); }
  JpegFile(const JpegFile&) = delete;
  JpegFile& operator=(const JpegFile&) = delete;

  bool open(Bytes file) {
    return run_guarded(reader_, [&] {
      jpeg_create_decompress(&reader_.info);
      reader_.info.progress = &reader_.progress;
      jpeg_mem_src(&reader_.info, as_uint8(file), file.size());
      jpeg_save_markers(&reader_.info, JPEG_APP0 + 1, 0xffff);
      jpeg_read_header(&reader_.info, TRUE);
    });
  }

  // Divides both sides by 1, 2, 4 or 8.
  bool reduce(unsigned divisor) {
    reader_.info.scale_num = 1;
    reader_.info.scale_denom = divisor;
    return run_guarded(reader_, [&] { jpeg_calc_output_dimensions(&reader_.info); });
  }
  uint64_t output_width() const { return reader_.info.output_width; }
  uint64_t output_height() const { return reader_.info.output_height; }

  // Chooses what libjpeg delivers. Gives the samples of a pixel: 1 grey, 3 RGB, 4 CMYK.
  int choose_output() {
    jpeg_decompress_struct& info = reader_.info;
    const J_COLOR_SPACE stored = info.jpeg_color_space;
    info.out_color_space = stored == JCS_GRAYSCALE                    ? JCS_GRAYSCALE
                           : stored == JCS_CMYK || stored == JCS_YCCK ? JCS_CMYK
                                                                      : JCS_RGB;
    info.dct_method = JDCT_ISLOW;
    info.do_fancy_upsampling = TRUE;
    return info.out_color_space == JCS_GRAYSCALE ? 1 : info.out_color_space == JCS_CMYK ? 4 : 3;
  }

  // Calls put(y) after each row was read into line.
  template <class Put>
  bool read_rows(uint8_t* line, Put put) {
    return run_guarded(reader_, [&] {
      jpeg_start_decompress(&reader_.info);
      while (reader_.info.output_scanline < reader_.info.output_height) {
        const JDIMENSION y = reader_.info.output_scanline;
        JSAMPROW rows[] = {line};
        jpeg_read_scanlines(&reader_.info, rows, 1);
        put(y);
      }
      if (reader_.ran_out && !has_every_scan()) {
        std::snprintf(reader_.message, sizeof reader_.message, "the file is cut short");
        std::longjmp(reader_.escape, 1);
      }
      jpeg_finish_decompress(&reader_.info);
    });
  }

  Bytes exif() const {
    for (jpeg_saved_marker_ptr marker = reader_.info.marker_list; marker != nullptr;
         marker = marker->next) {
      if (marker->data_length > 6 && marker->data_length <= kMaxExifBytes &&
          std::memcmp(marker->data, "Exif\0", 5) == 0) {
        return {reinterpret_cast<const std::byte*>(marker->data), marker->data_length};
      }
    }
    return {};
  }

  uint64_t width() const { return reader_.info.image_width; }
  uint64_t height() const { return reader_.info.image_height; }
  bool fits_in(uint64_t bytes) const {
    return reader_.info.arith_code || width() * height() / kMaxPixelsPerByte <= bytes;
  }
  Skip failure() const { return damaged(reader_.message); }

 private:
  // For a file without end mark, whose last scans may be missing as well: whether each component
  // was in a scan, and where scans refine each other, each coefficient to its last bit.
  bool has_every_scan() const {
    const jpeg_decompress_struct& info = reader_.info;
    for (int i = 0; i < info.num_components; ++i) {
      if (info.comp_info[i].quant_table == nullptr) return false;
      if (info.coef_bits == nullptr) continue;
      if (!std::ranges::all_of(info.coef_bits[i], [](int bits) { return bits == 0; })) return false;
    }
    return true;
  }

  Reader reader_;
};

// a * b / 255 of 8-bit values, rounded.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

void put_grey(const uint8_t* line, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x) rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = line[x];
}

// Adobe writes CMYK inverted, and PIL takes every CMYK JPEG as written so.
void put_inverted_cmyk(const uint8_t* line, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    const int light = line[4 * x + 3];
    for (int c = 0; c < 3; ++c) {
      rgb[3 * x + c] = static_cast<uint8_t>(light - scaled(255 - line[4 * x + c], light));
    }
  }
}

// The largest reduction that leaves enough.
unsigned divisor_for(uint64_t width, uint64_t height, const EnoughPixels& enough) {
  for (const unsigned divisor : {8u, 4u, 2u}) {
    const uint64_t w = width / divisor;
    const uint64_t h = height / divisor;
    if (std::min(w, h) >= enough.shorter_side_px && w * h >= enough.pixels && w * h > 0) {
      return divisor;
    }
  }
  return 1;
}

}  // namespace

Decoded decode_jpeg(Bytes file, const DecodeLimits& limits) {
  auto decoded = decode_jpeg_reduced(file, limits, {UINT64_MAX, UINT64_MAX});
  if (Skip* skip = std::get_if<Skip>(&decoded)) return std::move(*skip);
  return std::move(std::get<ReducedImage>(decoded).image);
}

std::variant<ReducedImage, Skip> decode_jpeg_reduced(Bytes file, const DecodeLimits& limits,
                                                     const EnoughPixels& enough) {
  JpegFile jpeg;
  if (!jpeg.open(file)) return jpeg.failure();
  DecodeLimits whole_limits = limits;
  whole_limits.gate = nullptr;
  if (auto refused = refusal(jpeg.width(), jpeg.height(), whole_limits)) return *refused;
  if (!jpeg.fits_in(file.size())) return cut_short();
  const int orientation = exif_orientation(jpeg.exif());
  const int samples = jpeg.choose_output();
  if (!jpeg.reduce(divisor_for(jpeg.width(), jpeg.height(), enough))) return jpeg.failure();
  if (auto refused = refusal(jpeg.output_width(), jpeg.output_height(), limits)) return *refused;
  Image image = blank_image(jpeg.output_width(), jpeg.output_height(), 3);
  std::vector<uint8_t> line(jpeg.output_width() * samples);
  const int width = image.width_px;
  const bool whole = jpeg.read_rows(line.data(), [&](size_t y) {
    uint8_t* rgb = image.rgb.data() + y * width * 3;
    if (samples == 1) {
      put_grey(line.data(), width, rgb);
    } else if (samples == 4) {
      put_inverted_cmyk(line.data(), width, rgb);
    } else {
      std::memcpy(rgb, line.data(), line.size());
    }
  });
  if (!whole) return jpeg.failure();
  constexpr int kFirstTurned = 5;  // EXIF's 5 to 8 swap the sides
  const auto full_width = static_cast<int>(jpeg.width());
  const auto full_height = static_cast<int>(jpeg.height());
  const bool is_turned = orientation >= kFirstTurned && orientation <= 8;
  return ReducedImage{upright(std::move(image), orientation), is_turned ? full_height : full_width,
                      is_turned ? full_width : full_height};
}

}  // namespace zeroshelf
