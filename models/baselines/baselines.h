#pragma once

// The classifiers that zero-shot labelling is compared with: they are trained on pictures whose
// class is known. Includes no libtorch header.
//
// Classes are numbers from 0 to class_count - 1. The same seed gives the same predictions on the
// same machine. Threads: one call at a time.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "lib/image/image.h"
#include "lib/image/preprocess.h"
#include "lib/util/matrix.h"

namespace zeroshelf::baselines {

struct Classes {
  std::vector<size_t> of;  // each picture's
  size_t count = 0;
};

struct CnnOptions {
  int64_t epochs = 6;
  int64_t batch = 32;
  double learning_rate = 1e-3;
  double turn_degrees = 12;  // pictures are turned by up to this, and mirrored half of the time
  uint64_t seed = 1;
  unsigned threads = 0;  // 0: every core
};

// A small convolutional network from nothing: three times convolution, ReLU and pooling, then two
// dense layers. All pictures are square and of one size, at least 16 pixels. Returns the predicted
// class of each test picture. Memory: about 30 KB a training picture of 96 x 96.
std::vector<size_t> train_cnn(std::span<const Image> training, const Classes& classes,
                              std::span<const Image> test, const CnnOptions& options);

struct LinearOptions {
  int64_t epochs = 20;
  int64_t batch = 32;
  double learning_rate = 1e-2;
  double weight_decay = 1e-4;
  uint64_t seed = 1;
};

// Multinomial logistic regression on features that stay as they are; each feature is centred and
// scaled by what the training rows show. Returns the predicted class of each test row.
std::vector<size_t> train_linear(const Matrix& training, const Classes& classes, const Matrix& test,
                                 const LinearOptions& options);

// A TorchScript module that turns [pictures, 3, size, size] into [pictures, anything], such as a
// ResNet-50 without its last layer. What it gives is flattened to one row a picture.
class FeatureExtractor {
 public:
  // Throws NotFound, Corruption (not TorchScript) or Incompatible.
  FeatureExtractor(const std::filesystem::path& file, const Preprocessing& preprocessing);
  ~FeatureExtractor();

  const Preprocessing& preprocessing() const { return preprocessing_; }
  // Pictures as resize_and_crop gives them. Throws Incompatible when the module refuses them.
  Matrix features(std::span<const Image> images) const;

 private:
  struct Module;
  std::filesystem::path file_;
  Preprocessing preprocessing_;
  std::unique_ptr<Module> module_;
};

}  // namespace zeroshelf::baselines
