// PNG by libpng: OpenCV lets libpng print its errors, and gives no EXIF.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// libpng leaves by longjmp: only run_guarded() sets the target, and the steps it runs hold no
// object with a destructor.

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

// Deflate cannot shrink by more than this, so a header that promises more lies.
constexpr uint64_t kMaxDeflateRatio = 1032;
constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;
// What libpng would unpack and keep although no pixel depends on it: a small file can hold a
// thousand of them, each of many megabytes. Names of four letters and a zero.
constexpr png_byte kUnneeded[] = "zTXt\0iTXt\0tEXt\0iCCP\0sPLT\0hIST\0pCAL\0sCAL";
constexpr int kUnneededChunks = sizeof kUnneeded / 5;

struct Reader {
  png_structp png;
  png_infop info;
  const uint8_t* data;
  size_t left;
  std::jmp_buf escape;
  char message[160];
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<Reader*>(png_get_error_ptr(png));
  std::snprintf(reader.message, sizeof reader.message, "%s", message);
  std::longjmp(reader.escape, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, size_t size) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (size > reader.left) png_error(png, "the file is cut short");
  std::memcpy(out, reader.data, size);
  reader.data += size;
  reader.left -= size;
}

// Runs the step; false when libpng gave up, with the reason in reader.message.
template <class Step>
bool run_guarded(Reader& reader, Step step) {
  if (setjmp(reader.escape) != 0) return false;
  step();
  return true;
}

class PngFile {
 public:
  explicit PngFile(Bytes file) : reader_{nullptr, nullptr, as_uint8(file), file.size(), {}, {}} {}
  ~PngFile() { png_destroy_read_struct(&reader_.png, &reader_.info, nullptr); }
  PngFile(const PngFile&) = delete;
  PngFile& operator=(const PngFile&) = delete;

  bool open() {
    reader_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader_, on_error, on_warning);
    if (reader_.png == nullptr) throw std::bad_alloc();
    return run_guarded(reader_, [&] {
      reader_.info = png_create_info_struct(reader_.png);
      png_set_read_fn(reader_.png, &reader_, on_read);
      png_set_user_limits(reader_.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_chunk_malloc_max(reader_.png, kMaxChunkBytes);
      png_set_keep_unknown_chunks(reader_.png, PNG_HANDLE_CHUNK_NEVER, kUnneeded, kUnneededChunks);
      png_read_info(reader_.png, reader_.info);
    });
  }

  uint64_t width() const { return png_get_image_width(reader_.png, reader_.info); }
  uint64_t height() const { return png_get_image_height(reader_.png, reader_.info); }
  uint64_t stored_bytes() const { return height() * png_get_rowbytes(reader_.png, reader_.info); }

  // Asks for 8-bit RGB or RGBA, whatever is stored. False when libpng gave up.
  bool choose_output() {
    return run_guarded(reader_, [&] {
      png_set_expand(reader_.png);
      png_set_strip_16(reader_.png);
      png_set_gray_to_rgb(reader_.png);
      passes_ = png_set_interlace_handling(reader_.png);
      png_read_update_info(reader_.png, reader_.info);
    });
  }
  int channels() const { return png_get_channels(reader_.png, reader_.info); }

  bool read_pixels(uint8_t* pixels) {
    return run_guarded(reader_, [&] {
      const size_t stride = png_get_rowbytes(reader_.png, reader_.info);
      for (int pass = 0; pass < passes_; ++pass) {
        for (size_t y = 0; y < height(); ++y) {
          png_read_row(reader_.png, pixels + y * stride, nullptr);
        }
      }
      png_read_end(reader_.png, reader_.info);
    });
  }

  // Known once the pixels were read: the chunk may follow them.
  int orientation() {
    png_bytep exif = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(reader_.png, reader_.info, &size, &exif) == 0) return 1;
    return exif_orientation({reinterpret_cast<const std::byte*>(exif), size});
  }

  Skip failure() const { return damaged(reader_.message); }

 private:
  Reader reader_;
  int passes_ = 1;
};

}  // namespace

Decoded decode_png(Bytes file, const DecodeLimits& limits) {
  PngFile png(file);
  if (!png.open()) return png.failure();
  if (auto refused = refusal(png.width(), png.height(), limits)) return *refused;
  if (png.stored_bytes() / kMaxDeflateRatio > file.size()) return cut_short();
  if (!png.choose_output()) return png.failure();
  Image image = blank_image(png.width(), png.height(), png.channels());
  if (!png.read_pixels(image.rgb.data())) return png.failure();
  if (png.channels() == 4) lay_on_ground(image.rgb);
  return upright(std::move(image), png.orientation());
}

}  // namespace zeroshelf
