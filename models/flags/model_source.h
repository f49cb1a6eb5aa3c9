#pragma once

// The encoder of a collection by the model flags: loaded when it is first asked for.

#include <memory>
#include <mutex>
#include <string>

#include "lib/collection/manifest.h"
#include "lib/encoder/encoder_source.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

class ModelSource : public EncoderSource {
 public:
  ModelSource(Manifest manifest, ModelOptions options);

  Encoder& encoder(EncoderSide side) override;  // throws what load_model_of throws
  std::string precision() const override;
  bool is_named() const override { return !options_.model.empty(); }

 private:
  Manifest manifest_;
  ModelOptions options_;
  std::mutex mutex_;
  // One of both sides, or of one; what was given out stays.
  std::unique_ptr<Encoder> both_;
  std::unique_ptr<Encoder> image_;
  std::unique_ptr<Encoder> text_;
};

}  // namespace zeroshelf
