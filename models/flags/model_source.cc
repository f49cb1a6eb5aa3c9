// Tested through the programs by tests/programs.

#include "models/flags/model_source.h"

#include <utility>

namespace zeroshelf {

ModelSource::ModelSource(const View& collection, ModelOptions options)
    : manifest_(collection.manifest()),
      collection_(collection.directory()),
      options_(std::move(options)) {}

Encoder& ModelSource::encoder(EncoderSide side) {
  const std::lock_guard lock(mutex_);
  if (both_) return *both_;
  std::unique_ptr<Encoder>& place = side == EncoderSide::Both        ? both_
                                    : side == EncoderSide::ImageOnly ? image_
                                                                     : text_;
  if (!place) place = load_model_of(manifest_, collection_, options_, side);
  return *place;
}

std::string ModelSource::precision() const {
  if (options_.precision != "auto") return options_.precision;
  return options_.device == "cuda" || has_fast_bf16() ? "bf16" : "fp32";
}

}  // namespace zeroshelf
