#pragma once

// A small CLIP checkpoint written by the test, in Hugging Face's layout, and its answer computed by
// plain loops in double precision: the oracle of the network.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lib/image/image.h"

namespace zeroshelf::testing {

struct TinySides {
  int width = 16;
  int layers = 2;
  int heads = 2;
  int mlp_width = 24;
  int image_size = 21;
  int patch = 7;
  int dimension = 12;
  int context = 10;
};

struct TinyModel : TinySides {
  std::string activation = "gelu";

  // Random weights from the seed.
  explicit TinyModel(unsigned seed, const TinySides& sides = {});

  // config.json, model.safetensors, vocab.json and merges.txt. The vocabulary has the 256 bytes,
  // one merge ("a" "t</w>") and the two marks.
  void write(const std::filesystem::path& folder) const;
  std::string safetensors() const;

  // Unit vectors.
  std::vector<double> encode_image(const Image& image) const;
  std::vector<double> encode_tokens(const std::vector<int>& ids) const;

  struct Tensor {
    std::vector<int> shape;
    std::vector<float> values;
  };
  std::map<std::string, Tensor> tensors;

  static constexpr int kVocabulary = 515;

 private:
  using Rows = std::vector<std::vector<double>>;
  std::vector<double> linear(const std::string& name, const std::vector<double>& x) const;
  std::vector<double> layer_norm(const std::string& name, const std::vector<double>& x) const;
  void transform(const std::string& prefix, Rows& rows, bool causal) const;
  std::vector<double> projected(const std::string& name, const std::vector<double>& x) const;
};

}  // namespace zeroshelf::testing
