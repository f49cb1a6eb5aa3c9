// Tested through the program by tests/programs.

#include "query/model.h"

#include <fmt/format.h>

#include <cstdio>
#include <span>
#include <variant>

#include "lib/image/decode.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/blas_check.h"

namespace zeroshelf {

Precision parse_precision(const std::string& name) {
  if (name == "fp32") return Precision::Fp32;
  if (name == "bf16") return Precision::Bf16;
  if (name == "auto") return Precision::Auto;
  throw Error(ErrorCode::InvalidArgument, "--precision", "no precision is called '" + name + "'",
              "use fp32, bf16 or auto");
}

std::unique_ptr<Encoder> load_for(const ModelOptions& options, EncoderSide side) {
  LoadOptions load;
  load.side = side;
  load.precision = parse_precision(options.precision);
  load.vocabulary = options.vocabulary;
  load.threads = options.threads;
  auto encoder = load_encoder(find_model(options.model), load);
  if (const auto warning = slow_blas_warning()) warn("zeroshelf-query", *warning);
  return encoder;
}

std::unique_ptr<Encoder> encoder_for(const Manifest& manifest, const ModelOptions& options,
                                     EncoderSide side) {
  ModelOptions named = options;
  if (named.model.empty()) named.model = manifest.model_path;
  auto encoder = load_for(named, side);
  if (encoder->info().fingerprint != manifest.model_fingerprint) {
    throw Error(
        ErrorCode::Incompatible, encoder->info().path,
        fmt::format("not the model that made the collection (that was {} at {}, fingerprint {})",
                    manifest.model_name, manifest.model_path, manifest.model_fingerprint),
        "name that model with --model, or index into a new collection");
  }
  return encoder;
}

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
