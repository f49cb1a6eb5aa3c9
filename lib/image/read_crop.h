#pragma once

// A picture file given on the command line.

#include <filesystem>

#include "lib/image/preprocess.h"

namespace zeroshelf {

// Reads, decodes and crops it as the encoder takes it. Throws Error naming the file.
Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing);

}  // namespace zeroshelf
