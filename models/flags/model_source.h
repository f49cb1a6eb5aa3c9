#pragma once

// The encoder of a collection by the model flags: loaded when it is first asked for.

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

class ModelSource : public EncoderSource {
 public:
  // The models of a collection; where they are named last is remembered, see load_model_of and
  // load_text_model_of. The collection outlives this. Throws what check_model_options throws.
  ModelSource(const View& collection, ModelOptions options);

  Encoder& encoder(EncoderSide side) override;  // throws what load_model_of throws
  std::string precision() const override;
  std::string text_fingerprint() override;
  bool is_named() const override;

  // An encoder of texts that was asked for before; null where none was needed.
  const Encoder* loaded_for_texts() const { return both_ ? both_.get() : text_.get(); }

 private:
  // Whether texts are another model's.
  bool has_text_model() const;
  std::unique_ptr<Encoder> load(EncoderSide side) const;

  const View& collection_;
  ModelOptions options_;
  std::mutex mutex_;
  // One of both sides, or of one; what was given out stays.
  std::unique_ptr<Encoder> both_;
  std::unique_ptr<Encoder> image_;
  std::unique_ptr<Encoder> text_;
};

}  // namespace zeroshelf
