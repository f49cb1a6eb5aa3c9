// Tested by tests/image/read_crop_test.cc.

#include "lib/image/read_crop.h"

#include <span>
#include <string>
#include <utility>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/input.h"

namespace zeroshelf {
namespace {

std::variant<Image, Skip> try_crop(std::span<const std::byte> file,
                                   const Preprocessing& preprocessing) {
  const auto decoded = decode_image(file, DecodeLimits());
  if (const Skip* skip = std::get_if<Skip>(&decoded)) return *skip;
  return resize_and_crop(std::get<Image>(decoded), preprocessing);
}

Image expect_crop(std::variant<Image, Skip> crop, const std::string& subject) {
  if (const Skip* skip = std::get_if<Skip>(&crop))
    throw Error(ErrorCode::InvalidArgument, subject, skip->detail);
  return std::get<Image>(std::move(crop));
}

}  // namespace

std::variant<Image, Skip> try_read_crop(const std::filesystem::path& path,
                                        const Preprocessing& preprocessing) {
  const std::string bytes = read_input(path, DecodeLimits().max_bytes);
  return try_crop(std::as_bytes(std::span(bytes)), preprocessing);
}

Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing) {
  return expect_crop(try_read_crop(path, preprocessing), path.string());
}

Image crop_of_bytes(std::span<const std::byte> file, const std::string& subject,
                    const Preprocessing& preprocessing) {
  return expect_crop(try_crop(file, preprocessing), subject);
}

}  // namespace zeroshelf
