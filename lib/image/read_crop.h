#pragma once

// A picture file as an encoder takes it.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <variant>

#include "lib/image/preprocess.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// Reads, decodes and crops it, or says why it cannot be decoded. Throws NotFound, Io and
// InvalidArgument (too large) for a file that cannot be read.
std::variant<Image, Skip> try_read_crop(const std::filesystem::path& path,
                                        const Preprocessing& preprocessing);

// The same of a picture that must be one: throws InvalidArgument too when it cannot be decoded.
Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing);

// The same of the bytes of a file. subject is for the error.
Image crop_of_bytes(std::span<const std::byte> file, const std::string& subject,
                    const Preprocessing& preprocessing);

}  // namespace zeroshelf
