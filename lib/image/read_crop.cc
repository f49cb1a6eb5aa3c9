// Tested by tests/image/read_crop_test.cc.

#include "lib/image/read_crop.h"

#include <span>
#include <string>
#include <utility>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/input.h"

namespace zeroshelf {

std::variant<Image, Skip> try_read_crop(const std::filesystem::path& path,
                                        const Preprocessing& preprocessing) {
  const DecodeLimits limits;
  const std::string bytes = read_input(path, limits.max_bytes);
  const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
  if (const Skip* skip = std::get_if<Skip>(&decoded)) return *skip;
  return resize_and_crop(std::get<Image>(decoded), preprocessing);
}

Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing) {
  auto crop = try_read_crop(path, preprocessing);
  if (const Skip* skip = std::get_if<Skip>(&crop))
    throw Error(ErrorCode::InvalidArgument, path.string(), skip->detail);
  return std::get<Image>(std::move(crop));
}

}  // namespace zeroshelf
