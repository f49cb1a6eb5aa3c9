#pragma once

// The flags by which both programs take a model, and the loading that follows from them.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/collection/manifest.h"
#include "lib/encoder/encoder.h"
#include "models/clip/load.h"

namespace zeroshelf {

struct ModelOptions {
  std::string model;  // NAME, DIR or FILE; empty: the collection's own, else the bundled one
  std::filesystem::path vocabulary;  // empty: beside the weights
  std::string precision = "auto";
  std::string device = "cpu";
  unsigned threads = 0;
};

// --model, --vocab, --precision, --device, --threads.
void add_model_flags(CLI::App* command, ModelOptions& options, const std::string& model_help);

// The encoder that options.model names, or the bundled one, saying so on stderr. Throws what
// find_model and load_encoder throw.
std::unique_ptr<Encoder> load_model(const ModelOptions& options, EncoderSide side);

// The encoder that options name, or without a name the one that made the collection: at the place
// where it was named last, or at its path, when that is an installed model or one that was named on
// this machine before, else by its name among the installed ones; NotFound otherwise. A path that
// only a collection names is never opened. A place that options name is remembered with the
// collection, where that can be written. Throws Incompatible when it is another model than the
// collection's, before its weights are used. Of a collection that was imported without its model
// only the dimension can be compared; options must name a model then, or InvalidArgument is thrown.
std::unique_ptr<Encoder> load_model_of(const Manifest& manifest,
                                       const std::filesystem::path& collection,
                                       const ModelOptions& options, EncoderSide side);

}  // namespace zeroshelf
