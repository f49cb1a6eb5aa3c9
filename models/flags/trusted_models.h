#pragma once

// Inside models/flags: how the flags load, and which paths may be taken from a collection.

#include <filesystem>
#include <memory>

#include "lib/encoder/encoder.h"
#include "models/clip/load.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

// For a model that a collection, a setting or nobody names: no program is run.
LoadOptions load_options(const ModelOptions& options, EncoderSide side);

// For one that the user named on this command line: a program is run with --trust-code.
LoadOptions load_options_of_named(const ModelOptions& options, EncoderSide side);

// Says so on stderr when it is the bundled model. Throws what load_encoder throws.
std::unique_ptr<Encoder> load_from(const std::filesystem::path& path, const LoadOptions& load);

// A path that the user gave: it may be taken from a collection from now on.
std::unique_ptr<Encoder> load_named(const std::filesystem::path& path, const LoadOptions& load);

// Whether a path that a collection names is an installed model, or was named on this machine, and is
// there.
bool may_be_taken(const std::filesystem::path& path);

}  // namespace zeroshelf
