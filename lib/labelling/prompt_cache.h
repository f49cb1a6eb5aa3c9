#pragma once

// The vectors of prompts that were encoded before, kept beside the collection (attachments, kind
// "prompts"), so that asking again does not load the model.
//
// It is a cache: what cannot be read counts as absent, what cannot be written is not kept (a
// collection may be read-only), and of two queries that write at once one wins. The newest 16,384
// prompts are kept, and at most 32 MiB.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

class PromptCache {
 public:
  // Prompts of the model with this fingerprint, computing in this precision; dimension is that of
  // its vectors.
  PromptCache(const std::filesystem::path& collection, std::string_view fingerprint,
              std::string_view precision, size_t dimension);

  // Empty when the prompt is not known. Valid until the next keep().
  std::span<const float> find(const std::string& prompt) const;

  // All of them, the oldest first.
  void for_each(
      const std::function<void(const std::string& prompt, std::span<const float>)>& visit) const;

  // vectors: one a prompt, [prompts, dimension].
  void keep(const std::vector<std::string>& prompts, const Matrix& vectors);

 private:
  void read();
  void write() const;

  Attachments attachments_;
  std::string name_;
  size_t dimension_;
  std::vector<std::string> prompts_;  // oldest first
  std::vector<float> vectors_;        // [prompts, dimension]
  std::unordered_map<std::string, size_t> index_;
};

// The unit vectors of texts, [texts, dimension]: those that are kept with the collection by its
// model's fingerprint and the precision that they were computed with, the others from the encoder,
// and kept then. A model that was named is loaded in any case, so that another one than the
// collection's is refused. From a source that keeps prompts itself nothing is read or written here.
// Throws what EncoderSource::encoder throws.
Matrix prompt_vectors(const View& collection, std::span<const std::string> prompts,
                      EncoderSource& encoders);

}  // namespace zeroshelf
