// Tested through the program by tests/programs.

#include "lib/image/read_crop.h"

#include <span>
#include <string>
#include <variant>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {

Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing) {
  const DecodeLimits limits;
  const std::string bytes = read_file(path, limits.max_bytes);
  const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
  if (const Skip* skip = std::get_if<Skip>(&decoded)) {
    throw Error(ErrorCode::InvalidArgument, path.string(), skip->detail);
  }
  return resize_and_crop(std::get<Image>(decoded), preprocessing.size_px);
}

}  // namespace zeroshelf
