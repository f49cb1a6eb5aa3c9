// Tested through the programs by tests/programs.

#include "models/flags/model_flags.h"

#include <fmt/format.h>

#include <filesystem>

#include "lib/collection/settings.h"
#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/program/values.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/installed_models.h"
#include "models/flags/named_models.h"
#include "models/flags/trusted_models.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

Precision parse_precision(const std::string& name) {
  if (name == "fp32") return Precision::Fp32;
  if (name == "bf16") return Precision::Bf16;
  return Precision::Auto;  // the flag takes no other name
}

bool is_bundled(const fs::path& path) {
  std::error_code ignored;
  return path.filename() == kBundledModel && fs::equivalent(path, bundled_model(), ignored);
}

// The bundled model is small, and who uses it should know.
void tell_of_bundled_model() {
  note(fmt::format(
      "the bundled model {} knows drawings, not photos; for photos: {} ViT-B-32, then a new "
      "collection with --model ViT-B-32",
      kBundledModel, fetch_command()));
}

}  // namespace

void add_model_flags(CLI::App* command, ModelOptions& options, const std::string& model_help) {
  command->add_option("--model", options.model, model_help)
      ->type_name("NAME|DIR|FILE")
      ->group("Model");
  command
      ->add_flag("--trust-code", options.trusts_code,
                 "Run the named model also when it is a program (TorchScript), which can do whatever "
                 "you can")
      ->group("Model");
  command
      ->add_option("--vocab", options.vocabulary, "The vocabulary, if it is not beside the weights")
      ->type_name("FILE")
      ->group("Model");
  command
      ->add_option("--precision", options.precision,
                   "Number format of the model; auto: bf16 where it is fast")
      ->check(one_of({"fp32", "bf16", "auto"}))
      ->capture_default_str()
      ->group("Model");
  command
      ->add_option("--device", options.device,
                   "Where the model runs; cuda needs a libtorch with CUDA")
      ->check(one_of({"cpu", "cuda"}))
      ->capture_default_str()
      ->group("Model");
  command->add_option("--threads", options.threads, "Threads to use; 0: every core")
      ->check(CLI::Range(0u, 1024u))
      ->capture_default_str()
      ->group("Model");
}

void add_query_model_flags(CLI::App* command, ModelOptions& options) {
  add_model_flags(command, options, "Default: the collection's model");
  command
      ->add_option("--text-model", options.text_model,
                   fmt::format("Another model for what is asked in words, whose texts fit the "
                               "collection's picture vectors: of other languages, say. It is "
                               "remembered; '{}' takes the collection's again",
                               kOwnTextModel))
      ->type_name("NAME|DIR|FILE")
      ->group("Model");
}

void check_model_options(const ModelOptions& options) {
  const bool names_texts = !options.text_model.empty() && options.text_model != kOwnTextModel;
  if (!options.trusts_code || !options.model.empty() || names_texts) return;
  throw Error(ErrorCode::InvalidArgument, "--trust-code",
              "no model is named beside it, and one that only a collection names is never run",
              "name the model that you trust: --model MODEL --trust-code");
}

LoadOptions load_options(const ModelOptions& options, EncoderSide side) {
  check_model_options(options);
  LoadOptions load;
  load.side = side;
  load.precision = parse_precision(options.precision);
  load.vocabulary = options.vocabulary;
  load.threads = options.threads;
  load.device = options.device == "cuda" ? Device::Cuda : Device::Cpu;
  return load;
}

LoadOptions load_options_of_named(const ModelOptions& options, EncoderSide side) {
  LoadOptions load = load_options(options, side);
  load.trusts_code = options.trusts_code;
  return load;
}

std::unique_ptr<Encoder> load_from(const fs::path& path, const LoadOptions& load) {
  if (is_bundled(path)) tell_of_bundled_model();
  return load_encoder(path, load);
}

// A path that the user gave.
std::unique_ptr<Encoder> load_named(const fs::path& path, const LoadOptions& load) {
  auto encoder = load_from(path, load);
  if (!is_installed_model(path)) remember_named_model(path);
  return encoder;
}

bool may_be_taken(const fs::path& path) {
  std::error_code ignored;
  const bool is_plain = path.is_absolute() && path == absolute_path(path);
  return is_plain && (is_installed_model(path) || was_model_named(path)) &&
         fs::exists(path, ignored);
}

std::unique_ptr<Encoder> load_model(const ModelOptions& options, EncoderSide side) {
  if (options.model.empty()) return load_from(bundled_model(), load_options(options, side));
  return load_named(find_model(options.model), load_options_of_named(options, side));
}

namespace {

// Imported vectors say nothing of their model but its dimension.
std::unique_ptr<Encoder> load_unknown_model(const Manifest& manifest, const ModelOptions& options,
                                            EncoderSide side) {
  if (options.model.empty()) {
    throw Error(ErrorCode::InvalidArgument, "--model",
                "the collection was imported without its model",
                "name the model that made its vectors, or import them again with --model");
  }
  auto encoder = load_model(options, side);
  if (encoder->info().dimension != manifest.dimension) {
    throw Error(ErrorCode::Incompatible, encoder->info().path,
                fmt::format("its vectors have {} dimensions, the collection's {}",
                            encoder->info().dimension, manifest.dimension),
                "name the model that made the collection's vectors with --model");
  }
  return encoder;
}

// Where the collection's own model is, as far as the collection may be believed: where it was named
// last, where it was made, or among the installed ones by its name.
fs::path trusted_model_of(const Manifest& manifest, const Settings& settings) {
  for (const fs::path& path :
       {fs::path(settings.model_path().value_or("")), fs::path(manifest.model_path)}) {
    if (may_be_taken(path)) return path;
  }
  if (auto installed = find_installed_model(manifest.model_name)) return *std::move(installed);
  throw Error(ErrorCode::NotFound, manifest.model_path,
              fmt::format("the collection says that this is its model {}, but no such model is "
                          "installed, and nobody named this path here before",
                          manifest.model_name),
              "if you trust that model, name it once with --model, or install it: " +
                  fetch_command() + " --list");
}

void remember_place(const Manifest& manifest, const Settings& settings, const std::string& path) {
  if (settings.model_path().value_or(manifest.model_path) == path) return;
  try {
    settings.remember_model_path(path);
  } catch (const Error&) {
    // The collection may be read-only: then the flag is needed again.
  }
}

}  // namespace

std::unique_ptr<Encoder> load_model_of(const Manifest& manifest,
                                       const std::filesystem::path& collection,
                                       const ModelOptions& options, EncoderSide side) {
  if (!manifest.has_known_model()) return load_unknown_model(manifest, options, side);
  const Settings settings(collection);
  const bool is_named = !options.model.empty();
  const fs::path path = is_named ? find_model(options.model) : trusted_model_of(manifest, settings);
  LoadOptions load =
      is_named ? load_options_of_named(options, side) : load_options(options, side);
  load.check_fingerprint = [&](const std::string& fingerprint) {
    if (fingerprint == manifest.model_fingerprint) return;
    throw Error(
        ErrorCode::Incompatible, absolute_path(path).string(),
        fmt::format("not the model that made the collection (that was {} at {}, fingerprint {})",
                    manifest.model_name, manifest.model_path, manifest.model_fingerprint),
        "name that model with --model, or index into a new collection");
  };
  auto encoder = is_named ? load_named(path, load) : load_from(path, load);
  if (is_named) remember_place(manifest, settings, encoder->info().path);
  return encoder;
}

}  // namespace zeroshelf
