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
#include "tests/clip/imitated_tiles.h"
#include "tests/clip/tiny_model.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

// Sides that no vector divides.
testing::TinyModel odd_model(const std::string& activation) {
  testing::TinyModel model(5);
  model.activation = activation;
  return model;
}

// Heads that are whole blocks of a tile, more inner numbers than are multiplied in one go, more
// tokens than a tile has rows.
testing::TinyModel wide_model() {
  testing::TinyModel model(6, {.width = 128,
                               .layers = 2,
                               .heads = 2,
                               .mlp_width = 832,
                               .image_size = 42,
                               .patch = 7,
                               .dimension = 40,
                               .context = 10});
  model.activation = "quick_gelu";
  return model;
}

// Heads that begin within a block and are longer than one.
testing::TinyModel uneven_model() {
  return testing::TinyModel(7, {.width = 120,
                                .layers = 2,
                                .heads = 3,
                                .mlp_width = 100,
                                .image_size = 28,
                                .patch = 7,
                                .dimension = 33,
                                .context = 10});
}

// All that this processor can run, and the one for tiles on imitated ones.
std::vector<const Kernels*> kernels_here() {
  using namespace clip_kernels;
  std::vector<const Kernels*> all = {&kPortable, &kPortableRounded, &testing::kImitatedTiles};
#if defined(__x86_64__)
  const InstructionSet set = instruction_set();
  if (set != InstructionSet::Portable) all.insert(all.end(), {&kAvx2, &kAvx2Rounded});
  if (set == InstructionSet::Avx512) all.insert(all.end(), {&kAvx512, &kAvx512Rounded});
  if (multiplies_bf16()) all.push_back(&kAvx512Bf16);
  if (multiplies_bf16() && has_matrix_tiles()) all.push_back(&kAmx);
#endif
  return all;
}

bool is_fp32(const Kernels& kernels) {
  using namespace clip_kernels;
#if defined(__x86_64__)
  if (&kernels == &kAvx2 || &kernels == &kAvx512) return true;
#endif
  return &kernels == &kPortable;
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
  std::unique_ptr<Network> network(const Kernels& kernels, unsigned threads) const {
    return make_cpu_network(checkpoint, EncoderSide::Both, kernels, threads);
  }
  testing::TemporaryDirectory directory;
  std::shared_ptr<const Checkpoint> checkpoint;
};

BOOST_AUTO_TEST_SUITE(network)

BOOST_AUTO_TEST_CASE(it_answers_as_libtorchs_operators_do) {
  for (const testing::TinyModel& model :
       {odd_model("gelu"), odd_model("quick_gelu"), wide_model(), uneven_model()}) {
    const Fixture made(model);
    const auto reference =
        torch_part().make_network(made.checkpoint, EncoderSide::Both, Precision::Fp32, Device::Cpu);
    const auto images = random_images(9, model.image_size, 1);
    const auto texts = random_texts(40, 2);
    const Matrix of_images = reference->encode_images(images);
    const Matrix of_texts = reference->encode_tokens(texts);
    for (const Kernels* kernels : kernels_here()) {
      const auto ours = made.network(*kernels, 2);
      const double least = is_fp32(*kernels) ? 0.9999999 : 0.999;
      const auto compare = [&](const Matrix& expected, const Matrix& got) {
        for (size_t i = 0; i < expected.rows(); ++i) {
          BOOST_TEST_CONTEXT(kernels->name << ", width " << model.width << ", " << i) {
            BOOST_TEST(cosine(expected.row(i), got.row(i)) > least);
            BOOST_TEST(std::abs(expected.row(i)[0] - got.row(i)[0]) < 100 * (1 - least));
          }
        }
      };
      compare(of_images, ours->encode_images(images));
      compare(of_texts, ours->encode_tokens(texts));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_vector_has_the_same_bits_in_any_company) {
  constexpr size_t kMost = 64;
  for (const testing::TinyModel& model : {odd_model("quick_gelu"), wide_model(), uneven_model()}) {
    const Fixture made(model);
    const auto images = random_images(kMost, model.image_size, 3);
    const auto texts = random_texts(kMost, 4);
    for (const Kernels* kernels : kernels_here()) {
      std::vector<std::unique_ptr<Network>> networks;  // of 1 to 4 threads
      for (unsigned threads = 1; threads <= 4; ++threads) {
        networks.push_back(made.network(*kernels, threads));
      }
      const Matrix all_images = networks[2]->encode_images(images);
      const Matrix all_texts = networks[2]->encode_tokens(texts);
      // Every number of pictures with the small model; with others what is likely to matter.
      const size_t step = model.width < 32 ? 1 : 9;
      for (size_t count = 1; count <= kMost; count += step) {
        // A part that begins somewhere, so that a row has another place, too.
        const size_t first = count * 5 % (kMost - count + 1);
        Network& network = *networks[count % networks.size()];
        const Matrix some = network.encode_images(std::span(images).subspan(first, count));
        const Matrix some_texts = network.encode_tokens(std::span(texts).subspan(first, count));
        for (size_t i = 0; i < count; ++i) {
          BOOST_TEST_CONTEXT(kernels->name << ", " << count << " from " << first << ", " << i) {
            BOOST_TEST(same_bits(some.row(i), all_images.row(first + i)));
            BOOST_TEST(same_bits(some_texts.row(i), all_texts.row(first + i)));
          }
        }
      }
    }
  }
}

// A network has no more to do with what stands beside a picture than with its bits: not even what
// is no number spreads.
BOOST_AUTO_TEST_CASE(what_is_no_number_stays_in_its_row) {
  for (const Kernels* kernels : kernels_here()) {
    const size_t rows = 40, in = 70, out = 50, bad = 17;
    std::mt19937 random(8);
    std::normal_distribution<float> normal;
    std::vector<float> weights(in * out), x(rows * in), y(rows * out), clean(rows * out);
    for (float& value : weights) value = normal(random);
    for (float& value : x) value = normal(random);
    const std::span<const float> whole(weights);
    const PackedLinear linear(*kernels, {.in = in, .out = out}, {&whole, 1}, {});
    OperandBuffer buffer;
    const auto run = [&](std::vector<float>& to) {
      const Operand operand = buffer.make(*kernels, rows, in);
      kernels->put(x.data(), rows, in, operand, 0);
      linear.run(operand, rows, to.data());
    };
    run(clean);
    x[bad * in + 3] = NAN;
    x[bad * in + in - 1] = INFINITY;
    run(y);
    for (size_t i = 0; i < rows; ++i) {
      BOOST_TEST_CONTEXT(kernels->name << " " << i) {
        if (i == bad) {
          BOOST_TEST(std::isnan(y[i * out]));
        } else {
          BOOST_TEST(same_bits({y.data() + i * out, out}, {clean.data() + i * out, out}));
        }
      }
    }
  }
}

at::Tensor floats_of_operand(const Kernels& kernels, const Operand& operand, int64_t rows,
                             int64_t width) {
  // Multiplied by 1.
  const at::Tensor one = at::eye(width);
  const std::span<const float> whole(one.data_ptr<float>(), static_cast<size_t>(width * width));
  const auto side = static_cast<size_t>(width);
  at::Tensor floats = at::full({rows, width}, NAN);
  PackedLinear(kernels, {.in = side, .out = side}, {&whole, 1}, {})
      .run(operand, static_cast<size_t>(rows), floats.data_ptr<float>());
  return floats;
}

// The largest difference beyond rounding to bfloat16, where the kernels do.
double beyond_rounding(const Kernels& kernels, const at::Tensor& got, const at::Tensor& expected) {
  const at::Tensor wanted = expected.to(at::kDouble);
  const at::Tensor allowed = is_fp32(kernels) ? at::zeros_like(wanted) : wanted.abs() / 128;
  return ((got.to(at::kDouble) - wanted).abs() - allowed).max().item<double>();
}

at::Tensor as_multiplied(const Kernels& kernels, const at::Tensor& x) {
  return is_fp32(kernels) ? x.to(at::kDouble) : x.to(at::kBFloat16).to(at::kDouble);
}

// Attention and layer norm against libtorch in double precision.
BOOST_AUTO_TEST_CASE(every_kernel_that_runs_here_is_right) {
  const c10::InferenceMode inference;
  for (const Kernels* kernels : kernels_here()) {
    at::manual_seed(6);
    for (const auto& [length, heads, head_width, is_causal] :
         {std::tuple<int64_t, int64_t, int64_t, bool>{50, 3, 64, false},
          {77, 2, 64, true},
          {1, 1, 8, true},
          {7, 2, 5, true},
          {33, 2, 96, true},
          {197, 1, 80, false},
          {40, 3, 72, false}}) {
      const int64_t width = heads * head_width;
      const auto size = [](int64_t value) { return static_cast<size_t>(value); };
      // Behind and before other sequences.
      constexpr int64_t kBefore = 3, kBehind = 2;
      const int64_t rows = kBefore + length + kBehind;
      const at::Tensor qkv = at::randn({rows, 3 * width}) * 2;
      OperandBuffer parts_memory, mixed_memory;
      const Operand parts = parts_memory.make(*kernels, size(rows), size(3 * width));
      kernels->put(qkv.data_ptr<float>(), size(rows), size(3 * width), parts, 0);
      const at::Tensor seen = as_multiplied(*kernels, qkv.slice(0, kBefore, kBefore + length))
                                  .view({length, 3, heads, head_width})
                                  .permute({1, 2, 0, 3});
      at::Tensor scores = seen[0].matmul(seen[1].transpose(-2, -1)) / std::sqrt(double(head_width));
      if (is_causal) scores = scores + at::full({length, length}, -INFINITY).triu(1);
      const at::Tensor expected =
          scores.softmax(-1).matmul(seen[2]).permute({1, 0, 2}).reshape({length, width});

      const size_t scratch_size = kernels->attention_scratch(size(length), size(head_width));
      AlignedBuffer scratch;
      std::memset(scratch.bytes(scratch_size + 64), 0xff, scratch_size + 64);
      Operand mixed = mixed_memory.make(*kernels, size(length) + 1, size(width));
      clip_kernels::AttentionShape shape{size(length),     size(heads), size(head_width), 0,
                                         size(length), is_causal};
      kernels->attention(parts, kBefore, shape, scratch.bytes(0), mixed, 1);
      const at::Tensor got =
          floats_of_operand(*kernels, mixed, length + 1, width).slice(0, 1).clone();
      BOOST_TEST_CONTEXT(kernels->name << " " << length << " x " << head_width) {
        BOOST_TEST(beyond_rounding(*kernels, got, expected) < (is_fp32(*kernels) ? 1e-4 : 0.02));
        const auto* end = static_cast<const uint8_t*>(scratch.data()) + scratch_size;
        BOOST_TEST(std::all_of(end, end + 64, [](uint8_t byte) { return byte == 0xff; }));
      }
      // The same row alone.
      shape.first_query = shape.length - 1;
      kernels->attention(parts, kBefore, shape, scratch.bytes(0), mixed, 0);
      BOOST_TEST(at::equal(floats_of_operand(*kernels, mixed, 1, width)[0], got[length - 1]));

      const at::Tensor x = at::randn({length, width}) * 3 + 1;
      const clip_kernels::Norm norm{qkv.data_ptr<float>(), qkv.data_ptr<float>() + width, 1e-5f};
      const at::Tensor normal =
          at::layer_norm(x.to(at::kDouble), {width}, qkv.flatten().slice(0, 0, width).to(at::kDouble),
                         qkv.flatten().slice(0, width, 2 * width).to(at::kDouble), 1e-5);
      mixed = mixed_memory.make(*kernels, size(length), size(width));
      kernels->layer_norm(x.data_ptr<float>(), size(length), size(width), norm, mixed);
      BOOST_TEST(beyond_rounding(*kernels, floats_of_operand(*kernels, mixed, length, width),
                                 normal) < 1e-3);
      at::Tensor plain = x.clone();
      kernels->layer_norm_floats(plain.data_ptr<float>(), size(length), size(width), norm,
                                 plain.data_ptr<float>());
      BOOST_TEST((plain - normal).abs().max().item<double>() < 1e-3);

      const int64_t stride = (length + 31) / 32 * 32;
      at::Tensor soft = at::randn({4, stride}) * 5;
      const at::Tensor shares =
          (soft.slice(1, 0, length).to(at::kDouble) * 0.5).softmax(-1);
      float sums[4];
      const Operand weights = mixed_memory.make(*kernels, 4, size(stride));
      kernels->soften(soft.data_ptr<float>(), 4, size(length), size(stride), 0.5f, weights, sums);
      const at::Tensor divided =
          floats_of_operand(*kernels, weights, 4, stride).to(at::kDouble) / at::tensor(at::ArrayRef<float>(sums, 4)).view({4, 1});
      BOOST_TEST(beyond_rounding(*kernels, divided.slice(1, 0, length), shares) < 1e-5);
      BOOST_TEST(divided.slice(1, length).abs().sum().item<double>() == 0);
    }
  }
}

// Against libtorch in double precision, and with other numbers of rows.
BOOST_AUTO_TEST_CASE(every_multiplication_is_right_for_any_shape) {
  const c10::InferenceMode inference;
  at::manual_seed(7);
  const auto floats = [](const at::Tensor& tensor) {
    return std::span<const float>(tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel()));
  };
  for (const Kernels* kernels : kernels_here()) {
    for (const std::pair<int64_t, int64_t>& shape :
         {std::pair<int64_t, int64_t>{16, 5}, {300, 70}, {800, 96}, {1, 1}, {48, 33}}) {
      const int64_t in = shape.first;
      const int64_t out = shape.second;
      constexpr int64_t kRows = 421;
      const at::Tensor weights = at::randn({out, in}) / 4;
      const at::Tensor bias = at::randn({out});
      const at::Tensor x = at::randn({kRows, in});
      const at::Tensor before = at::randn({kRows, out});
      const at::Tensor product = at::linear(as_multiplied(*kernels, x),
                                            as_multiplied(*kernels, weights), bias.to(at::kDouble));
      OperandBuffer memory, result_memory;
      for (const After after : {After::Nothing, After::QuickGelu, After::Gelu, After::GeluTanh,
                                After::Relu, After::AddToResult}) {
        at::Tensor expected = product;
        if (after == After::QuickGelu) expected = product * at::sigmoid(product * 1.702);
        if (after == After::Gelu) expected = at::gelu(product);
        if (after == After::GeluTanh) {
          expected = product / 2 *
                     (1 + at::tanh(std::sqrt(2 / M_PI) * (product + 0.044715 * product.pow(3))));
        }
        if (after == After::Relu) expected = at::relu(product);
        if (after == After::AddToResult) expected = product + before;
        const auto whole = floats(weights);
        const PackedLinear linear(
            *kernels,
            {.in = static_cast<size_t>(in), .out = static_cast<size_t>(out), .after = after},
            {&whole, 1}, floats(bias));
        const auto run = [&](int64_t first, int64_t count) {
          const auto rows = static_cast<size_t>(count);
          const Operand operand = memory.make(*kernels, rows, static_cast<size_t>(in));
          kernels->put(x.data_ptr<float>() + first * in, rows, static_cast<size_t>(in), operand, 0);
          at::Tensor y = before.slice(0, first).clone();
          linear.run(operand, rows, y.data_ptr<float>());
          if (after != After::AddToResult) {
            const Operand again = result_memory.make(*kernels, rows, static_cast<size_t>(out));
            linear.run(operand, rows, again);
            BOOST_TEST(beyond_rounding(*kernels, floats_of_operand(*kernels, again, count, out),
                                       y.slice(0, 0, count)) < 1e-30);
          }
          return y;
        };
        BOOST_TEST_CONTEXT(kernels->name << ", " << in << " -> " << out << ", "
                                         << static_cast<int>(after)) {
          const at::Tensor all = run(0, kRows);
          BOOST_TEST((all.to(at::kDouble) - expected).abs().max().item<double>() < 1e-4);
          for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 1},
                                             {5, 16},
                                             {100, 33},
                                             {3, 14},
                                             {400, 21}}) {
            const at::Tensor some = run(first, count);
            BOOST_TEST(at::equal(some.slice(0, 0, count), all.slice(0, first, first + count)));
            BOOST_TEST(at::equal(some.slice(0, count), before.slice(0, first + count)));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
