// The networks on our kernels. Tested by tests/clip.

#include <optional>
#include <utility>

#include "lib/util/parallel.h"
#include "models/clip/image_tower.h"
#include "models/clip/network.h"
#include "models/clip/text_tower.h"

namespace zeroshelf {
namespace {

class CpuNetwork : public Network {
 public:
  CpuNetwork(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side, const Kernels& kernels,
             unsigned threads)
      : checkpoint_(std::move(checkpoint)), kernels_(kernels), threads_(threads) {
    if (side != EncoderSide::TextOnly) images_ = make_image_tower(*checkpoint_, kernels, threads_);
    if (side != EncoderSide::ImageOnly) texts_.emplace(*checkpoint_, kernels, threads_);
  }

  Matrix encode_images(std::span<const Image> images) override {
    Matrix result(images.size(), static_cast<size_t>(checkpoint_->config.dimension));
    parallel_chunks(images.size(), images_->batch(), threads_, [&](size_t begin, size_t end) {
      Workspaces::Lease space(workspaces_);
      images_->encode(images.subspan(begin, end - begin), *space, result.row(begin).data());
    });
    return result;
  }

  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) override {
    Matrix result(sequences.size(), static_cast<size_t>(checkpoint_->config.dimension));
    const std::vector<size_t> ends = batches(sequences);
    parallel_chunks(ends.size(), 1, threads_, [&](size_t chunk, size_t) {
      Workspaces::Lease space(workspaces_);
      const size_t begin = chunk == 0 ? 0 : ends[chunk - 1];
      texts_->encode(sequences.subspan(begin, ends[chunk] - begin), *space,
                     result.row(begin).data());
    });
    return result;
  }

  std::string kernel() const override { return kernels_.name; }
  size_t batch_images() const override { return images_ ? images_->batch() : 1; }

 private:
  // Where batches of about kBatchTokens end.
  static std::vector<size_t> batches(std::span<const std::vector<int32_t>> sequences) {
    std::vector<size_t> ends;
    size_t tokens = 0;
    for (size_t i = 0; i < sequences.size(); ++i) {
      if (tokens > 0 && tokens + sequences[i].size() > kBatchTokens) {
        ends.push_back(i);
        tokens = 0;
      }
      tokens += sequences[i].size();
    }
    if (!sequences.empty()) ends.push_back(sequences.size());
    return ends;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  const Kernels& kernels_;
  unsigned threads_;
  std::unique_ptr<ImageTower> images_;
  std::optional<TextTower> texts_;
  Workspaces workspaces_;
};

}  // namespace

std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, Precision precision, unsigned threads) {
  return make_cpu_network(std::move(checkpoint), side,
                          precision == Precision::Fp32 ? clip_kernels::fp32_kernels()
                                                       : clip_kernels::bf16_kernels(),
                          threads);
}

std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, const Kernels& kernels,
                                          unsigned threads) {
  return std::make_unique<CpuNetwork>(std::move(checkpoint), side, kernels, threads);
}

}  // namespace zeroshelf
