// JPEG by libjpeg-turbo and PNG by libpng. Tested by tests/image/thumbnail_test.cc.
//
// libjpeg leaves by longjmp: between its target and the steps that may leave there is no object
// with a destructor.

#include "lib/image/encode_jpeg.h"

#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

// Wants the headers above.
#include <jpeglib.h>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

struct JpegWriter {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors = {};
  std::jmp_buf escape = {};
  char message[JMSG_LENGTH_MAX] = {};
  unsigned char* bytes = nullptr;  // by malloc, also when it did not get far
  unsigned long size = 0;

  ~JpegWriter() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
};

[[noreturn]] void leave(j_common_ptr info) {
  auto& writer = *static_cast<JpegWriter*>(info->client_data);
  info->err->format_message(info, writer.message);
  std::longjmp(writer.escape, 1);
}

void print_nothing(j_common_ptr) {}

// False when libjpeg gave up, with the reason in writer.message.
bool write(const Image& image, int quality, JpegWriter& writer) {
  jpeg_compress_struct& info = writer.info;
  if (setjmp(writer.escape) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &writer.bytes, &writer.size);
  info.image_width = static_cast<JDIMENSION>(image.width_px);
  info.image_height = static_cast<JDIMENSION>(image.height_px);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.optimize_coding = TRUE;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row =
        const_cast<JSAMPROW>(image.rgb.data() + size_t{3} * info.image_width * info.next_scanline);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

std::string encode_jpeg(const Image& image, int quality) {
  JpegWriter writer;
  writer.info.err = jpeg_std_error(&writer.errors);
  writer.errors.error_exit = leave;
  writer.errors.output_message = print_nothing;
  writer.info.client_data = &writer;
  if (!write(image, quality, writer))
    throw Error(ErrorCode::InvalidArgument, "JPEG", writer.message, "write a PNG");
  return {reinterpret_cast<const char*>(writer.bytes), writer.size};
}

std::string encode_png(const Image& image) {
  png_image picture = {};
  picture.version = PNG_IMAGE_VERSION;
  picture.width = static_cast<png_uint_32>(image.width_px);
  picture.height = static_cast<png_uint_32>(image.height_px);
  picture.format = PNG_FORMAT_RGB;
  picture.flags = PNG_IMAGE_FLAG_FAST;
  const std::unique_ptr<png_image, decltype(&png_image_free)> freed(&picture, png_image_free);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(picture);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&picture, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) ==
      0)
    throw Error(ErrorCode::InvalidArgument, "PNG", picture.message, "write a smaller picture");
  bytes.resize(size);
  return bytes;
}

}  // namespace zeroshelf
