#include "models/train/muon.h"

#include <ATen/CPUGeneratorImpl.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace zeroshelf::train {
namespace {

BOOST_AUTO_TEST_SUITE(muon)

BOOST_AUTO_TEST_CASE(rows_become_about_orthonormal_and_keep_their_directions) {
  at::Tensor matrices = at::zeros({2, 3, 5});
  // One matrix with singular values 9, 3 and 0.5 on the axes, and a random one.
  matrices[0][0][0] = 9;
  matrices[0][1][2] = -3;
  matrices[0][2][4] = 0.5;
  matrices[1] = at::randn({3, 5}, at::detail::createCPUGenerator(1));
  const at::Tensor result = orthogonalised(matrices);
  BOOST_TEST(result[0][0][0].item<float>() > 0.6f);
  BOOST_TEST(result[0][1][2].item<float>() < -0.6f);
  BOOST_TEST(result[0][2][4].item<float>() > 0.3f);
  const at::Tensor gram = at::bmm(result, result.transpose(1, 2));
  for (int64_t m = 0; m < 2; ++m) {
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t j = 0; j < 3; ++j) {
        const float value = gram[m][i][j].item<float>();
        if (i == j) {
          BOOST_TEST((value > 0.1f && value < 1.6f));
        } else {
          BOOST_TEST(std::abs(value) < 0.35f);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_step_goes_down_by_the_learning_rate_whatever_the_gradients_size) {
  for (const double size : {1e-4, 1e4}) {
    at::Tensor matrix = at::zeros({16, 64}).set_requires_grad(true);
    Muon muon({{"w", matrix}}, 0);
    matrix.mutable_grad() = at::randn({16, 64}, at::detail::createCPUGenerator(2)) * size;
    muon.step(0.01);
    // As AdamW's: 0.2 of the rate in the root mean square; here 16 of 64 singular values are 1.
    const double rms = matrix.detach().square().mean().sqrt().item<double>();
    BOOST_TEST(rms > 0.3 * 0.2 * 0.01);
    BOOST_TEST(rms < 1.5 * 0.2 * 0.01);
    BOOST_TEST((matrix.detach() * matrix.grad()).sum().item<double>() < 0);
  }
}

BOOST_AUTO_TEST_CASE(tall_matrices_move_as_wide_ones_do) {
  const at::Tensor gradient = at::randn({8, 24}, at::detail::createCPUGenerator(3));
  at::Tensor wide = at::zeros({8, 24}).set_requires_grad(true);
  at::Tensor tall = at::zeros({24, 8}).set_requires_grad(true);
  Muon muon({{"tall", tall}, {"wide", wide}}, 0);
  wide.mutable_grad() = gradient;
  tall.mutable_grad() = gradient.t().contiguous();
  muon.step(0.01);
  // The multiplications are in bfloat16, and their order differs with the layout and the processor.
  const at::Tensor difference = wide.detach() - tall.detach().t();
  BOOST_TEST((difference.norm() / wide.detach().norm()).item<double>() < 0.1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::train
