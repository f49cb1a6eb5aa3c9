// Tested by tests/baselines.

#include <ATen/Parallel.h>
#include <torch/nn/functional/vision.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>
#include <torch/utils.h>

#include <cassert>
#include <numbers>

#include "lib/util/parallel.h"
#include "models/baselines/baselines.h"

namespace zeroshelf::baselines {
namespace {

using at::Tensor;
namespace functional = torch::nn::functional;

constexpr int64_t kTestBatch = 64;

Tensor tensor_of(std::span<const size_t> classes) {
  std::vector<int64_t> numbers(classes.begin(), classes.end());
  return at::tensor(numbers, at::kLong);
}

// [pictures, 3, side, side] bytes.
Tensor tensor_of(std::span<const Image> images) {
  const int64_t side = images.front().width_px;
  Tensor bytes = at::empty({static_cast<int64_t>(images.size()), side, side, 3}, at::kByte);
  for (size_t i = 0; i < images.size(); ++i) {
    assert(images[i].width_px == side && images[i].height_px == side);
    std::copy(images[i].rgb.begin(), images[i].rgb.end(),
              bytes.data_ptr<uint8_t>() + i * static_cast<size_t>(side * side * 3));
  }
  return bytes.permute({0, 3, 1, 2}).contiguous();
}

Tensor tensor_of(const Matrix& matrix) {
  return at::from_blob(
      const_cast<float*>(matrix.data()),
      {static_cast<int64_t>(matrix.rows()), static_cast<int64_t>(matrix.columns())}, at::kFloat);
}

std::vector<size_t> classes_of(const Tensor& logits) {
  const Tensor best = logits.argmax(1);
  const auto* data = best.data_ptr<int64_t>();
  return {data, data + best.numel()};
}

Tensor scaled(const Tensor& bytes) {
  return bytes.to(at::kFloat) / 127.5 - 1;
}

// Each picture mirrored or not, and turned a little.
Tensor augmented(const Tensor& pictures, double turn_degrees, at::Generator& random) {
  const int64_t count = pictures.size(0);
  const Tensor angle =
      (at::rand({count}, random) * 2 - 1) * (turn_degrees * std::numbers::pi / 180);
  const Tensor mirror = at::rand({count}, random).lt(0.5).to(at::kFloat) * 2 - 1;
  const Tensor zero = at::zeros({count});
  const Tensor first = at::stack({angle.cos() * mirror, -angle.sin(), zero}, 1);
  const Tensor second = at::stack({angle.sin() * mirror, angle.cos(), zero}, 1);
  const Tensor grid =
      functional::affine_grid(at::stack({first, second}, 1), pictures.sizes(), false);
  return functional::grid_sample(pictures, grid,
                                 functional::GridSampleFuncOptions()
                                     .mode(torch::kBilinear)
                                     .padding_mode(torch::kBorder)
                                     .align_corners(false));
}

struct CnnModule : torch::nn::Module {
  CnnModule(int64_t side_px, int64_t classes)
      : first(torch::nn::Conv2dOptions(3, 32, 3).padding(1)),
        second(torch::nn::Conv2dOptions(32, 64, 3).padding(1)),
        third(torch::nn::Conv2dOptions(64, 64, 3).padding(1)),
        dense(64 * (side_px / 8) * (side_px / 8), 64),
        last(64, classes) {
    register_module("first", first);
    register_module("second", second);
    register_module("third", third);
    register_module("dense", dense);
    register_module("last", last);
  }

  Tensor forward(Tensor x) {
    for (torch::nn::Conv2d* layer : {&first, &second, &third}) {
      x = at::max_pool2d(at::relu((*layer)->forward(x)), 2);
    }
    return last->forward(at::relu(dense->forward(x.flatten(1))));
  }

  torch::nn::Conv2d first;
  torch::nn::Conv2d second;
  torch::nn::Conv2d third;
  torch::nn::Linear dense;
  torch::nn::Linear last;
};

// epochs passes over the rows in an order that changes; learn(rows) does one step.
template <class Learn>
void for_epochs(int64_t rows, int64_t epochs, int64_t batch, at::Generator& random,
                const Learn& learn) {
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    const Tensor order = at::randperm(rows, random);
    for (int64_t start = 0; start < rows; start += batch) {
      learn(order.slice(0, start, std::min(start + batch, rows)));
    }
  }
}

}  // namespace

std::vector<size_t> train_cnn(std::span<const Image> training, const Classes& classes,
                              std::span<const Image> test, const CnnOptions& options) {
  at::set_num_threads(static_cast<int>(options.threads == 0 ? available_cores() : options.threads));
  torch::manual_seed(options.seed);
  at::Generator random = at::detail::createCPUGenerator(options.seed);
  const Tensor pictures = tensor_of(training);
  const Tensor wanted = tensor_of(classes.of);
  CnnModule network(pictures.size(2), static_cast<int64_t>(classes.count));
  torch::optim::Adam optimizer(network.parameters(), options.learning_rate);
  for_epochs(pictures.size(0), options.epochs, options.batch, random, [&](const Tensor& rows) {
    const Tensor seen =
        augmented(scaled(pictures.index_select(0, rows)), options.turn_degrees, random);
    optimizer.zero_grad();
    at::cross_entropy_loss(network.forward(seen), wanted.index_select(0, rows)).backward();
    optimizer.step();
  });
  const torch::NoGradGuard guard;
  std::vector<size_t> predicted;
  for (size_t start = 0; start < test.size(); start += kTestBatch) {
    const auto part = test.subspan(start, std::min<size_t>(kTestBatch, test.size() - start));
    const std::vector<size_t> found = classes_of(network.forward(scaled(tensor_of(part))));
    predicted.insert(predicted.end(), found.begin(), found.end());
  }
  return predicted;
}

std::vector<size_t> train_linear(const Matrix& training, const Classes& classes, const Matrix& test,
                                 const LinearOptions& options) {
  torch::manual_seed(options.seed);
  at::Generator random = at::detail::createCPUGenerator(options.seed);
  const Tensor rows = tensor_of(training);
  const Tensor mean = rows.mean(0, /*keepdim=*/true);
  const Tensor deviation = rows.std(0, /*unbiased=*/false, /*keepdim=*/true).clamp_min(1e-6);
  const Tensor features = (rows - mean) / deviation;
  const Tensor wanted = tensor_of(classes.of);
  torch::nn::Linear layer(features.size(1), static_cast<int64_t>(classes.count));
  torch::optim::Adam optimizer(
      layer->parameters(),
      torch::optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  for_epochs(features.size(0), options.epochs, options.batch, random, [&](const Tensor& part) {
    optimizer.zero_grad();
    at::cross_entropy_loss(layer->forward(features.index_select(0, part)),
                           wanted.index_select(0, part))
        .backward();
    optimizer.step();
  });
  const torch::NoGradGuard guard;
  return classes_of(layer->forward((tensor_of(test) - mean) / deviation));
}

}  // namespace zeroshelf::baselines
