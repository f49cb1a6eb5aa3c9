// The kernels of models/compute alone, on one thread: multiplications of the shapes of CLIP's
// models beside what the processor multiplies in its registers, and what lies between them.
//
//   ./dev bench multiply [REPEATS]     default 9 turns
//
// Times are of the processor, not of the wall, so that other work beside it counts for little; the
// ratios are medians of turns.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "benchmarks/measure.h"
#include "benchmarks/peak.h"
#include "models/compute/packed_linear.h"

namespace zeroshelf {
namespace {

struct Shape {
  const char* what;
  size_t in;
  size_t out;
  size_t rows;
  After after;
};

constexpr Shape kShapes[] = {
    {"B/32: queries, keys, values", 768, 2304, 400, After::Nothing},
    {"B/32: attention out", 768, 768, 400, After::AddToResult},
    {"B/32: MLP in", 768, 3072, 400, After::QuickGelu},
    {"B/32: MLP in, without QuickGELU", 768, 3072, 400, After::Nothing},
    {"B/32: MLP out", 3072, 768, 400, After::AddToResult},
    {"L/14: MLP in", 1024, 4096, 514, After::QuickGelu},
    {"L/14: MLP out", 4096, 1024, 514, After::AddToResult},
    {"B/32's texts: MLP in", 512, 2048, 400, After::QuickGelu},
    {"one text of 8 tokens: MLP in", 512, 2048, 8, After::QuickGelu},
};

std::vector<float> random_numbers(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(random) * 0.03f;
  return numbers;
}

class Multiplication {
 public:
  Multiplication(const Kernels& kernels, const Shape& shape, std::span<const float> numbers)
      : shape_(shape),
        linear_(make(kernels, shape, numbers)),
        x_(x_memory_.make(kernels, shape.rows, shape.in)),
        y_(y_memory_.make(kernels, shape.rows, shape.out)) {
    for (size_t row = 0; row < shape.rows; ++row) {
      kernels.put(numbers.data() + 13 * row, 1, shape.in, x_, row);
    }
    floats_.resize(shape.rows * shape.out);
  }

  void run() {
    if (shape_.after == After::AddToResult) return linear_.run(x_, shape_.rows, floats_.data());
    linear_.run(x_, shape_.rows, y_);
  }

  double multiply_adds() const {
    return static_cast<double>(shape_.in) * static_cast<double>(shape_.out * shape_.rows);
  }

 private:
  static PackedLinear make(const Kernels& kernels, const Shape& shape,
                           std::span<const float> numbers) {
    const std::span<const float> weights = numbers.first(shape.in * shape.out);
    return {kernels,
            {.in = shape.in, .out = shape.out, .after = shape.after},
            {&weights, 1},
            numbers.first(shape.out)};
  }

  Shape shape_;
  PackedLinear linear_;
  OperandBuffer x_memory_, y_memory_;
  Operand x_, y_;
  std::vector<float> floats_;
};

void multiplications(const Kernels& kernels, bool in_bf16, int repeats,
                     std::span<const float> numbers) {
  fmt::print("{:<34} {:>22}  of the registers' speed\n", kernels.name, "multiply-adds/s (1e9)");
  for (const Shape& shape : kShapes) {
    Multiplication multiplication(kernels, shape, numbers);
    multiplication.run();
    const int calls = std::clamp(static_cast<int>(2e9 / multiplication.multiply_adds()), 2, 100);
    std::vector<double> speeds, shares;
    for (int i = 0; i < repeats; ++i) {
      const auto peak = peak_multiply_adds_of_one_thread(in_bf16);
      const double seconds = processor_seconds_of([&] {
        for (int call = 0; call < calls; ++call) multiplication.run();
      });
      speeds.push_back(multiplication.multiply_adds() * calls / seconds);
      if (peak) shares.push_back(speeds.back() / *peak);
    }
    fmt::print("  {:<32} {:>22.1f}  {}\n", shape.what, median(speeds) / 1e9,
               shares.empty() ? "unknown" : fmt::format("{:.2f}", median(shares)));
  }
}

// Microseconds a call.
double microseconds(int repeats, const std::function<void()>& run) {
  run();
  std::vector<double> seconds;
  for (int i = 0; i < 4 * repeats; ++i) seconds.push_back(processor_seconds_of(run));
  return 1e6 * median(std::move(seconds));
}

void between(const Kernels& kernels, int repeats, std::span<const float> numbers) {
  constexpr size_t kRows = 400, kWidth = 768, kHeads = 12;
  OperandBuffer normalised_memory;
  const Operand normalised = normalised_memory.make(kernels, kRows, kWidth);
  const clip_kernels::Norm norm{numbers.data(), numbers.data(), 1e-5f};
  fmt::print("between them, microseconds\n  layer norm, 400 rows of 768: {:.1f}\n",
             microseconds(repeats, [&] {
               kernels.layer_norm(numbers.data(), kRows, kWidth, norm, normalised);
             }));
  for (const size_t length : {50, 197}) {
    OperandBuffer parts_memory, mixed_memory, soft_memory;
    AlignedBuffer scratch;
    const Operand parts = parts_memory.make(kernels, length, 3 * kWidth);
    const Operand mixed = mixed_memory.make(kernels, length, kWidth);
    kernels.put(numbers.data(), length, 3 * kWidth, parts, 0);
    clip_kernels::AttentionShape shape;
    shape.length = shape.end_query = length;
    shape.heads = kHeads;
    shape.head_width = kWidth / kHeads;
    void* memory = scratch.bytes(kernels.attention_scratch(length, shape.head_width));
    const double all =
        microseconds(repeats, [&] { kernels.attention(parts, 0, shape, memory, mixed, 0); });
    const double arranging = microseconds(repeats, [&] {
      for (size_t head = 0; head < kHeads; ++head) kernels.arrange(parts, 0, shape, head, memory);
    });
    const size_t stride = (length + 31) / 32 * 32;
    std::vector<float> scores(numbers.begin(), numbers.begin() + static_cast<ptrdiff_t>(stride));
    const Operand soft = soft_memory.make(kernels, 1, stride);
    float sum = 0;
    const double softmax = microseconds(repeats, [&] {
      for (size_t row = 0; row < kHeads * length; ++row) {
        kernels.soften(scores.data(), 1, length, stride, 0.125f, soft, &sum);
      }
    });
    fmt::print(
        "  attention, 12 heads of 64, {} tokens: {:.1f}, of which softmax {:.1f}, packing {:.1f}\n",
        length, all, softmax, arranging);
  }
}

void report(int repeats) {
  fmt::print("{}; one thread, medians of {} turns\n", processor_name(), repeats);
  const std::vector<float> numbers = random_numbers(size_t{4} << 20 | 1 << 17);
  const bool has_bf16 = clip_kernels::multiplies_bf16();
  for (const bool in_bf16 : {true, false}) {
    if (in_bf16 && !has_bf16) continue;
    const Kernels& kernels = in_bf16 ? clip_kernels::bf16_kernels() : clip_kernels::fp32_kernels();
    multiplications(kernels, in_bf16, repeats, numbers);
    between(kernels, repeats, numbers);
  }
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 9;
  if (repeats < 1 || argc > 2) {
    fmt::print(stderr, "usage: bench_multiply [REPEATS]\n");
    return 2;
  }
  zeroshelf::report(repeats);
}
