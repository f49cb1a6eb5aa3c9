// The network that the programs compute with: against libtorch's operators on the same weights, and
// against itself with other company, other threads and other instruction sets.

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "lib/util/cpu.h"
#include "models/clip/forward.h"
#include "models/clip/network.h"
#include "models/clip/torch_part.h"
#include "models/compute/kernels.h"
#include "models/compute/packed_linear.h"
#include "tests/clip/tiny_model.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using clip_kernels::Store;

// Sides that no vector divides, and more tokens than a tile has rows.
testing::TinyModel odd_model(const std::string& activation) {
  testing::TinyModel model(5);
  model.activation = activation;
  return model;
}

std::vector<Image> random_images(size_t count, int side, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Image> images;
  for (size_t i = 0; i < count; ++i) {
    Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(side) * side * 3)};
    for (uint8_t& sample : image.rgb) sample = static_cast<uint8_t>(random());
    images.push_back(std::move(image));
  }
  return images;
}

std::vector<std::vector<int32_t>> random_texts(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < count; ++i) {
    std::vector<int32_t> ids = {513};
    for (size_t j = 0; j < i * 7 % 9; ++j) ids.push_back(static_cast<int32_t>(random() % 513));
    ids.push_back(514);
    texts.push_back(std::move(ids));
  }
  return texts;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

struct Fixture {
  explicit Fixture(const testing::TinyModel& model) {
    model.write(directory / "model");
    checkpoint = std::make_shared<const Checkpoint>(open_checkpoint(directory / "model"));
  }
  std::unique_ptr<Network> network(Precision precision, unsigned threads) const {
    return make_cpu_network(checkpoint, EncoderSide::Both, precision, threads);
  }
  testing::TemporaryDirectory directory;
  std::shared_ptr<const Checkpoint> checkpoint;
};

BOOST_AUTO_TEST_SUITE(network)

BOOST_AUTO_TEST_CASE(it_answers_as_libtorchs_operators_do) {
  for (const std::string activation : {"gelu", "quick_gelu"}) {
    const Fixture made(odd_model(activation));
    const auto reference =
        torch_part().make_network(made.checkpoint, EncoderSide::Both, Precision::Fp32, Device::Cpu);
    const auto ours = made.network(Precision::Fp32, 2);
    const auto rounded = made.network(Precision::Bf16, 2);
    const auto images = random_images(9, 21, 1);
    const auto texts = random_texts(40, 2);
    const auto compare = [&](const Matrix& expected, const Matrix& got, double least) {
      for (size_t i = 0; i < expected.rows(); ++i) {
        BOOST_TEST_CONTEXT(activation << " " << i)
        BOOST_TEST(cosine(expected.row(i), got.row(i)) > least);
        BOOST_TEST(std::abs(expected.row(i)[0] - got.row(i)[0]) < 100 * (1 - least));
      }
    };
    compare(reference->encode_images(images), ours->encode_images(images), 0.9999999);
    compare(reference->encode_tokens(texts), ours->encode_tokens(texts), 0.9999999);
    compare(reference->encode_images(images), rounded->encode_images(images), 0.999);
    compare(reference->encode_tokens(texts), rounded->encode_tokens(texts), 0.999);
  }
}

BOOST_AUTO_TEST_CASE(a_vector_has_the_same_bits_in_any_company) {
  const Fixture made(odd_model("quick_gelu"));
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    const auto one = made.network(precision, 1);
    const auto three = made.network(precision, 3);
    const auto images = random_images(97, 21, 3);
    const auto texts = random_texts(150, 4);
    const Matrix all_images = three->encode_images(images);
    const Matrix all_texts = three->encode_tokens(texts);
    for (const size_t count : {1u, 2u, 7u, 32u, 97u}) {
      const Matrix some = one->encode_images(std::span(images).first(count));
      const Matrix some_texts = one->encode_tokens(std::span(texts).first(count));
      for (size_t i = 0; i < count; ++i) {
        BOOST_TEST_CONTEXT(count << " " << i) {
          BOOST_TEST(same_bits(some.row(i), all_images.row(i)));
          BOOST_TEST(same_bits(some_texts.row(i), all_texts.row(i)));
        }
      }
    }
  }
}

// A kernel against libtorch in double precision.
void check_kernels(const clip_kernels::Kernels& kernels) {
  const c10::InferenceMode inference;
  at::manual_seed(6);
  for (const auto& [length, heads, head_width, is_causal] :
       {std::tuple<int64_t, int64_t, int64_t, bool>{50, 3, 64, false},
        {77, 2, 64, true},
        {1, 1, 8, true},
        {7, 2, 5, true},
        {197, 1, 80, false}}) {
    const int64_t width = heads * head_width;
    const at::Tensor qkv = at::randn({length, 3 * width}) * 3;
    const at::Tensor parts =
        qkv.to(at::kDouble).view({length, 3, heads, head_width}).permute({1, 2, 0, 3});
    at::Tensor scores = parts[0].matmul(parts[1].transpose(-2, -1)) / std::sqrt(double(head_width));
    if (is_causal) scores = scores + at::full({length, length}, -INFINITY).triu(1);
    const at::Tensor expected =
        scores.softmax(-1).matmul(parts[2]).permute({1, 0, 2}).reshape({length, width});

    const size_t scratch_size = clip_kernels::attention_scratch(length, head_width);
    std::vector<float> scratch(scratch_size + 16, NAN);
    at::Tensor got = at::full({length, width}, NAN);
    const auto size = [](int64_t value) { return static_cast<size_t>(value); };
    clip_kernels::AttentionShape shape{size(length), size(heads), size(head_width), 0,
                                       size(length), is_causal};
    kernels.attention(qkv.data_ptr<float>(), shape, scratch.data(), Store::Float,
                      got.data_ptr<float>());
    BOOST_TEST_CONTEXT(kernels.name << " " << length << " x " << head_width) {
      BOOST_TEST((got.to(at::kDouble) - expected).abs().max().item<double>() < 1e-4);
      for (size_t i = scratch_size; i < scratch.size(); ++i) BOOST_TEST(std::isnan(scratch[i]));
    }
    // The same row alone.
    at::Tensor last = at::empty({width});
    shape.first_query = shape.length - 1;
    kernels.attention(qkv.data_ptr<float>(), shape, scratch.data(), Store::Float,
                      last.data_ptr<float>());
    BOOST_TEST(at::equal(last, got[length - 1]));

    at::Tensor half = at::empty({length, width}, at::kBFloat16);
    kernels.layer_norm(got.data_ptr<float>(), size(length), size(width), qkv.data_ptr<float>(),
                       qkv.data_ptr<float>() + width, 1e-5f, Store::Bf16, half.data_ptr());
    const at::Tensor normal = at::layer_norm(got, {width}, qkv.flatten().slice(0, 0, width),
                                             qkv.flatten().slice(0, width, 2 * width), 1e-5);
    const at::Tensor difference = (half.to(at::kFloat) - normal).abs() - normal.abs() / 128;
    BOOST_TEST(difference.max().item<double>() < 1e-3);
    std::vector<float> packed(kernels.packed_size(size(width), size(3 * width)));
    const at::Tensor weights = at::randn({width, 3 * width}) / 8;
    kernels.pack(weights.data_ptr<float>(), size(width), size(3 * width), packed.data());
    at::Tensor product = at::empty({length, width});
    kernels.multiply(qkv.data_ptr<float>(), size(length), size(3 * width), packed.data(), nullptr,
                     size(width), After::Gelu, Store::Float, product.data_ptr<float>());
    const at::Tensor wanted = at::gelu(at::linear(qkv.to(at::kDouble), weights.to(at::kDouble)));
    BOOST_TEST((product.to(at::kDouble) - wanted).abs().max().item<double>() < 1e-4);

    kernels.round_to_bf16(got.data_ptr<float>(), size(length * width));
    BOOST_TEST(at::equal(got, got.to(at::kBFloat16).to(at::kFloat)));
  }
}

// Ours against libtorch in double precision, and oneDNN's code, which bfloat16 takes, against ours.
BOOST_AUTO_TEST_CASE(both_multipliers_are_right_for_any_shape) {
  const c10::InferenceMode inference;
  at::manual_seed(7);
  AlignedBuffer scratch;
  const OneThread one;
  for (const auto& [in, out] : {std::pair<int64_t, int64_t>{16, 5}, {300, 70}, {768, 96}, {1, 1}}) {
    for (const After after : {After::Nothing, After::QuickGelu, After::Gelu, After::AddToResult}) {
      const int64_t rows = 416;
      const at::Tensor weights = at::randn({out, in}) / 4;
      const at::Tensor bias = at::randn({out});
      const at::Tensor x = at::randn({rows, in});
      const at::Tensor before = at::randn({rows, out});
      at::Tensor expected =
          at::linear(x.to(at::kDouble), weights.to(at::kDouble), bias.to(at::kDouble));
      if (after == After::QuickGelu) expected = expected * at::sigmoid(expected * 1.702);
      if (after == After::Gelu) expected = at::gelu(expected);
      if (after == After::AddToResult) expected = expected + before;
      const auto floats = [](const at::Tensor& tensor) {
        return std::span<const float>(tensor.data_ptr<float>(),
                                      static_cast<size_t>(tensor.numel()));
      };
      const auto run = [&](Multiplier multiplier, int64_t count) {
        PackedLinear::Options options;
        options.in = in;
        options.out = out;
        options.after = after;
        options.multiplier = multiplier;
        at::Tensor y = before.clone();
        PackedLinear(options, floats(weights), floats(bias))
            .run(x.data_ptr<float>(), count, y.data_ptr<float>(), scratch);
        return y;
      };
      BOOST_TEST_CONTEXT(in << " -> " << out << ", " << static_cast<int>(after)) {
        const at::Tensor ours = run(Multiplier::Best, rows);
        BOOST_TEST((ours.to(at::kDouble) - expected).abs().max().item<double>() < 5e-5);
        BOOST_TEST((run(Multiplier::OneDnn, rows) - ours).abs().max().item<double>() < 5e-5);
        BOOST_TEST(at::equal(run(Multiplier::Best, 16).slice(0, 0, 16), ours.slice(0, 0, 16)));
        BOOST_TEST(at::equal(run(Multiplier::Best, 16).slice(0, 16), before.slice(0, 16)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_kernel_that_runs_here_is_right) {
  check_kernels(clip_kernels::kPortable);
  if (instruction_set() != InstructionSet::Portable) check_kernels(clip_kernels::kAvx2);
  if (instruction_set() == InstructionSet::Avx512) check_kernels(clip_kernels::kAvx512);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
