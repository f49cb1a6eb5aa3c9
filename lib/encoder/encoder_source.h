#pragma once

// Where the encoder of a collection comes from, for those that may need one and may not: questions
// whose vectors are kept need no model. A command loads it when it is first asked for; a program
// that runs on keeps one loaded; tests give one of arithmetic.

#include <string>

#include "lib/encoder/encoder.h"

namespace zeroshelf {

enum class EncoderSide { Both, ImageOnly, TextOnly };

// Threads: any number of calls may run together.
class EncoderSource {
 public:
  virtual ~EncoderSource() = default;

  // The encoder that made the collection's vectors, with that side at least; valid as long as the
  // source. Throws NotFound, Corruption, and Incompatible for another model than the collection's.
  virtual Encoder& encoder(EncoderSide side) = 0;

  // "fp32" or "bf16": in what that encoder computes, told without loading it.
  virtual std::string precision() const = 0;

  // The fingerprint of another model that encodes the texts of questions; empty: the collection's
  // own does. Throws what encoder() throws.
  virtual std::string text_fingerprint() { return {}; }

  // Whether somebody named the model for this question. It is then compared with the collection's
  // also where no encoder is needed.
  virtual bool is_named() const = 0;

  // Whether it keeps the vectors of texts itself, so that nobody else need keep or look them up.
  virtual bool keeps_prompts() const { return false; }
};

// An encoder that is there already, of both sides. It must outlive this.
class LoadedEncoder : public EncoderSource {
 public:
  explicit LoadedEncoder(Encoder& encoder) : encoder_(encoder) {}

  Encoder& encoder(EncoderSide) override { return encoder_; }
  std::string precision() const override { return encoder_.info().precision; }
  bool is_named() const override { return false; }

 private:
  Encoder& encoder_;
};

}  // namespace zeroshelf
