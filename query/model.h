#pragma once

// The model that a query needs.

#include <memory>

#include "lib/collection/manifest.h"
#include "lib/encoder/encoder.h"
#include "lib/image/image.h"
#include "models/clip/load.h"
#include "query/options.h"

namespace zeroshelf {

Precision parse_precision(const std::string& name);

// The encoder that options.model names. Warns on stderr when the BLAS library is the slow one.
std::unique_ptr<Encoder> load_for(const ModelOptions& options, EncoderSide side);

// The encoder that options name, or without a name the one that made the collection. Throws
// Incompatible when it is another model than the collection's.
std::unique_ptr<Encoder> encoder_for(const Manifest& manifest, const ModelOptions& options,
                                     EncoderSide side);

// Reads and crops one picture file. Throws Error naming the file.
Image read_crop(const std::filesystem::path& path, const Preprocessing& preprocessing);

}  // namespace zeroshelf
