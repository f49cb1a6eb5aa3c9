#pragma once

// The flags by which both programs take a model, and the loading that follows from them.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/collection/manifest.h"
#include "lib/collection/view.h"
#include "lib/encoder/encoder.h"
#include "models/clip/load.h"

namespace zeroshelf {

struct ModelOptions {
  std::string model;  // NAME, DIR or FILE; empty: the collection's own, else the bundled one
  std::filesystem::path vocabulary;  // empty: beside the weights
  std::string precision = "auto";
  std::string device = "cpu";
  unsigned threads = 0;
  // Whether the models that are named here may be programs, which can do what the user can.
  bool trusts_code = false;
  std::string text_model;  // that encodes questions' texts; empty: the one remembered, else `model`
};

// In place of a --text-model: the collection's own model again.
inline constexpr const char* kOwnTextModel = "own";

// --model, --trust-code, --vocab, --precision, --device, --threads.
void add_model_flags(CLI::App* command, ModelOptions& options, const std::string& model_help);

// The same of a program that asks a collection, and --text-model.
void add_query_model_flags(CLI::App* command, ModelOptions& options);

// Throws InvalidArgument when --trust-code is given and names no model. Every function below does.
void check_model_options(const ModelOptions& options);

// The encoder that options.model names, or the bundled one, saying so on stderr. Throws what
// find_model and load_encoder throw. Only a model that options name is run as a program.
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

// The encoder of texts in place of the collection's own that options name, or that was named last
// and can be trusted as load_model_of trusts; null: its own. A named one is compared with the
// collection: Incompatible when its vectors have another dimension, when it has another scale of
// logits or another scoring, or when it has a picture tower too and that one gives other vectors of
// the collection's pictures; then it is remembered, where the collection can be written.
// A remembered one that is no longer what it was is Incompatible too.
std::unique_ptr<Encoder> load_text_model_of(const View& collection, const ModelOptions& options);

}  // namespace zeroshelf
