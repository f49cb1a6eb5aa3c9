#pragma once

// The encoder of a process that runs on: it is loaded once, when it is first needed, and the
// vectors of texts that were asked before stay in memory, those that the collection keeps among
// them. So who types gets answers without the model for what somebody typed before.

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "models/flags/model_source.h"
#include "query/serve/living_view.h"

namespace zeroshelf::serve {

// Threads: any.
class WarmEncoder : public EncoderSource, private Encoder {
 public:
  // The prompts that the collection keeps are read. With a model that was named the encoder is
  // loaded, so that another one than the collection's is refused; throws what that throws. The
  // state stays open: the encoder may be loaded long after newer ones have come.
  WarmEncoder(SnapshotPointer first, const ModelOptions& options);

  // [texts, dimension], unit vectors. Throws what loading the encoder throws, where it is needed.
  Matrix encode_texts(std::span<const std::string> texts, LongText long_text) override;

  // Keeps what was encoded since with the collection, where it can be written.
  void keep_prompts(const View& collection);

  // The encoder, where it was needed so far; else null.
  const Encoder* loaded() const;

  // As an EncoderSource: one that knows the texts of before.
  Encoder& encoder(EncoderSide side) override;
  std::string precision() const override { return source_.precision(); }
  // As it was at the start.
  std::string text_fingerprint() override { return text_fingerprint_; }
  bool is_named() const override { return false; }  // it was compared at the start
  bool keeps_prompts() const override { return true; }

 private:
  struct Known {
    std::vector<float> vector;
    std::list<const std::string*>::iterator used;
  };

  const ModelInfo& info() const override;
  Matrix encode_images(std::span<const Image> images) override;
  std::vector<int32_t> tokenize(const std::string& text) const override;

  // Throws also Incompatible where the collection was told another text model since the start:
  // what is in memory is the earlier one's.
  Encoder& model() const;
  void expect_same_text_model() const;
  void read_prompts();
  void remember(const std::string& text, std::span<const float> vector);

  const SnapshotPointer first_;  // before source_, which reads it
  mutable ModelSource source_;
  std::string text_fingerprint_;  // of another text model than the collection's; else empty
  std::string fingerprint_;       // of the model of all texts; empty: not known
  uint32_t dimension_;
  mutable std::mutex mutex_;
  mutable Encoder* loaded_ = nullptr;
  std::unordered_map<std::string, Known> known_;
  std::list<const std::string*> by_use_;  // the last used first
  std::vector<std::string> to_keep_;      // encoded since keep_prompts()
};

}  // namespace zeroshelf::serve
