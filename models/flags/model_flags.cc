// Tested through the programs by tests/programs.

#include "models/flags/model_flags.h"

#include <fmt/format.h>

#include <filesystem>

#include "lib/collection/settings.h"
#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/program/values.h"
#include "lib/util/error.h"

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
      "using the bundled model {} (for drawings; --model takes a better one, see models/fetch.sh)",
      kBundledModel));
}

}  // namespace

void add_model_flags(CLI::App* command, ModelOptions& options, const std::string& model_help) {
  command->add_option("--model", options.model, model_help)
      ->type_name("NAME|DIR|FILE")
      ->group("Model");
  command
      ->add_option("--vocab", options.vocabulary,
                   "The vocabulary, when it is not beside the weights")
      ->type_name("FILE")
      ->group("Model");
  command
      ->add_option("--precision", options.precision,
                   "Of the arithmetic; auto: bf16 where it is fast")
      ->check(one_of({"fp32", "bf16", "auto"}))
      ->capture_default_str()
      ->group("Model");
  command
      ->add_option("--device", options.device,
                   "Where the model computes; cuda needs a libtorch with CUDA")
      ->check(one_of({"cpu", "cuda"}))
      ->capture_default_str()
      ->group("Model");
  command->add_option("--threads", options.threads, "Threads to use; 0: every core")
      ->check(CLI::Range(0u, 1024u))
      ->capture_default_str()
      ->group("Model");
}

std::unique_ptr<Encoder> load_model(const ModelOptions& options, EncoderSide side) {
  LoadOptions load;
  load.side = side;
  load.precision = parse_precision(options.precision);
  load.vocabulary = options.vocabulary;
  load.threads = options.threads;
  load.device = options.device == "cuda" ? Device::Cuda : Device::Cpu;
  const fs::path path = options.model.empty() ? bundled_model() : find_model(options.model);
  if (is_bundled(path)) tell_of_bundled_model();
  return load_encoder(path, load);
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

// Where the model is, as far as the collection knows; its name where it is there no more.
std::string place_of_model(const Manifest& manifest, const Settings& settings) {
  std::error_code ignored;
  const std::string path = settings.model_path().value_or(manifest.model_path);
  if (fs::exists(path, ignored)) return path;
  return fs::exists(manifest.model_path, ignored) ? manifest.model_path : manifest.model_name;
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
  ModelOptions named = options;
  if (named.model.empty()) named.model = place_of_model(manifest, settings);
  auto encoder = load_model(named, side);
  if (encoder->info().fingerprint != manifest.model_fingerprint) {
    throw Error(
        ErrorCode::Incompatible, encoder->info().path,
        fmt::format("not the model that made the collection (that was {} at {}, fingerprint {})",
                    manifest.model_name, manifest.model_path, manifest.model_fingerprint),
        "name that model with --model, or index into a new collection");
  }
  if (!options.model.empty()) remember_place(manifest, settings, encoder->info().path);
  return encoder;
}

}  // namespace zeroshelf
