// The encoders' speed beside plain libtorch modules at their best batch, beside their
// multiplications alone and beside what the processor multiplies in its registers; the share of
// each stage; the start of zeroshelf-query until a text is answered; and the speed of a whole `add`
// beside the slower of its two parts. Random weights, so it runs anywhere.
//
//   ./dev bench encode [--models B32,B16,L14,SigLIP-B16] [--repeats 5] [--seconds 4] [--prompts
//   1000]
//                      [--small 2000] [--large 200] [--ocr 0] [--skip images,texts,loading,add]
//
// Variants are measured in turns, one after the other in each round, and the ratios are of the
// rounds' medians.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "benchmarks/measure.h"
#include "benchmarks/ocr_set.h"
#include "benchmarks/peak.h"
#include "lib/files/find_files.h"
#include "lib/image/encode_jpeg.h"
#include "lib/image/preprocess.h"
#include "lib/ingest/prepare.h"
#include "lib/util/openblas.h"
#include "lib/util/parallel.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/tensor_names.h"
#include "models/clip/forward.h"
#include "models/clip/network.h"
#include "models/compute/kernels.h"
#include "models/compute/packed_linear.h"
#include "tests/support/run_program.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models = {"B32", "B16", "L14", "SigLIP-B16"};
  std::vector<std::string> skip;
  int repeats = 5;
  double seconds = 4;
  int prompts = 1000;
  int small = 2000;
  int large = 200;
  int ocr = 0;
};

ClipConfig geometry(const std::string& name) {
  ClipConfig config;
  const bool is_large = name == "L14";
  config.image = is_large ? TransformerConfig{1024, 24, 16, 4096, Activation::QuickGelu}
                          : TransformerConfig{768, 12, 12, 3072, Activation::QuickGelu};
  config.text = is_large ? TransformerConfig{768, 12, 12, 3072, Activation::QuickGelu}
                         : TransformerConfig{512, 12, 8, 2048, Activation::QuickGelu};
  config.image_size_px = 224;
  config.patch_size_px = name == "B32" ? 32 : is_large ? 14 : 16;
  config.context_length = 77;
  config.vocabulary_size = 49408;
  config.dimension = is_large ? 768 : 512;
  if (name != "SigLIP-B16") return config;
  config.image.activation = config.text.activation = Activation::GeluTanh;
  config.image.epsilon = config.text.epsilon = 1e-6;
  config.has_class_token = config.has_norm_before = false;
  config.has_patch_bias = true;
  config.image_pool = ImagePool::Attention;
  config.image_projection = Projection::None;
  config.dimension = config.image.width;
  return config;
}

int64_t tokens_of(const ClipConfig& config) {
  return config.grid() * config.grid() + (config.has_class_token ? 1 : 0);
}

// Weights of the geometry in Hugging Face's layout: every tensor is a piece of one pool of random
// numbers, of the size that trained weights have.
std::shared_ptr<Checkpoint> random_checkpoint(const ClipConfig& config) {
  constexpr size_t kPool = 40'000'000;
  struct Pool {
    std::vector<float> weights = std::vector<float>(kPool);
    std::vector<float> norms = std::vector<float>(8192);
  };
  const auto pool = std::make_shared<Pool>();
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(1 << 20);
  for (float& number : numbers) number = normal(random) * 0.03f;
  for (size_t i = 0; i < kPool; ++i) {
    pool->weights[i] = numbers[(i * 7919 + i / numbers.size()) % numbers.size()];
  }
  for (float& number : pool->norms) number = 1 + normal(random) * 0.1f;

  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->name = "random";
  checkpoint->weights = "random";
  checkpoint->config = config;
  checkpoint->names = TensorNames::HuggingFace;
  checkpoint->owners.push_back(pool);
  size_t at = 0;
  const auto put = [&](const std::string& name, std::vector<int64_t> shape, bool is_norm = false) {
    size_t size = 1;
    for (const int64_t side : shape) size *= static_cast<size_t>(side);
    at = (at + 104'729) % (kPool - size);
    const float* values = is_norm ? pool->norms.data() : pool->weights.data() + at;
    checkpoint->tensors[name] = {
        TensorType::F32,
        std::move(shape),
        {reinterpret_cast<const std::byte*>(values), size * sizeof(float)}};
  };
  const auto put_linear = [&](const LinearNames& names) {
    for (const std::string& name : names.weights) put(name, names.shape);
    for (const std::string& name : names.biases) put(name, {names.out});
  };
  const auto put_norm = [&](const NormNames& names, int64_t width) {
    put(names.weight, {width}, true);
    put(names.bias, {width});
  };
  const auto put_blocks = [&](const std::vector<BlockNames>& blocks, int64_t width) {
    for (const BlockNames& block : blocks) {
      put_norm(block.before_attention, width);
      put_linear(block.queries_keys_values);
      put_linear(block.attention_out);
      put_norm(block.before_mlp, width);
      put_linear(block.mlp_in);
      put_linear(block.mlp_out);
    }
  };
  const ImageNames image = image_names(config, checkpoint->names);
  put_linear(image.patches);
  if (config.has_class_token) put(image.class_token, {config.image.width});
  put(image.positions, {tokens_of(config), config.image.width});
  if (config.has_norm_before) put_norm(image.before, config.image.width);
  put_blocks(image.blocks, config.image.width);
  put_norm(image.after, config.image.width);
  put_linear(image.projection);
  if (const PoolNames& attention = image.pool; !attention.query.empty()) {
    put(attention.query, {1, 1, config.image.width});
    for (size_t i = 0; i < attention.weights.size(); ++i) {
      put(attention.weights[i], {attention.rows[i], config.image.width});
      put(attention.biases[i], {attention.rows[i]});
    }
    put_linear(attention.attention_out);
    put_norm(attention.before_mlp, config.image.width);
    put_linear(attention.mlp_in);
    put_linear(attention.mlp_out);
  }
  const TextNames text = text_names(config, checkpoint->names);
  put(text.tokens, {config.vocabulary_size, config.text.width});
  put(text.positions, {config.context_length, config.text.width});
  put_blocks(text.blocks, config.text.width);
  put_norm(text.after, config.text.width);
  put_linear(text.projection);
  put("logit_scale", {});
  return checkpoint;
}

std::vector<Image> random_images(size_t count, int side) {
  std::mt19937 random(2);
  std::vector<Image> images;
  for (size_t i = 0; i < count; ++i) {
    Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(side) * side * 3)};
    // Smooth in places and rough in others, as pictures are.
    for (size_t j = 0; j < image.rgb.size(); ++j) {
      image.rgb[j] =
          static_cast<uint8_t>(128 + 100 * std::sin(0.001 * static_cast<double>(j * (i + 1))) +
                               static_cast<double>(random() % 27));
    }
    images.push_back(std::move(image));
  }
  return images;
}

struct Variant {
  std::string name;
  std::function<double(double seconds)> speed;  // measured for about so long
  std::vector<double> per_second = {};
};

// run encodes `count` inputs; at least once.
Variant variant(std::string name, size_t count, std::function<void()> run) {
  return {std::move(name), [count, run = std::move(run)](double seconds) {
            double spent = 0;
            size_t done = 0;
            do {
              spent += seconds_of(run);
              done += count;
            } while (spent < seconds);
            return static_cast<double>(done) / spent;
          }};
}

// Rounds of all variants in turn; each runs for a share of the time.
void measure(std::vector<Variant>& variants, const Options& options) {
  const double seconds = options.seconds / static_cast<double>(variants.size());
  for (Variant& variant : variants) variant.speed(0);  // packed and paged in
  for (int round = 0; round < options.repeats; ++round) {
    for (Variant& variant : variants) variant.per_second.push_back(variant.speed(seconds));
  }
}

// Ours is the last.
void print(const std::vector<Variant>& variants, const char* unit) {
  const double ours = median(variants.back().per_second);
  for (const Variant& variant : variants) {
    const double speed = median(variant.per_second);
    fmt::print("  {:<52} {:>8.1f} {}  ours is {:.2f} times that\n", variant.name, speed, unit,
               ours / speed);
  }
}

// The batch with which encode(batch) is fastest a picture, and its variant.
Variant at_best_batch(const std::string& name, std::initializer_list<size_t> batches,
                      const std::function<void(size_t batch)>& encode) {
  size_t best = 0;
  double most = 0;
  for (const size_t batch : batches) {
    Variant trial = variant(name, batch, [&] { encode(batch); });
    trial.speed(0);
    std::vector<double> speeds;
    for (int i = 0; i < 3; ++i) speeds.push_back(trial.speed(0.2));
    const double speed = median(std::move(speeds));
    if (speed > most) {
      most = speed;
      best = batch;
    }
  }
  return variant(fmt::format("{}, {} a batch", name, best), best, [encode, best] { encode(best); });
}

// The multiplications of the image encoder and nothing else, each thread on batches of its own.
class Multiplications {
 public:
  Multiplications(const ClipConfig& config, const Kernels& kernels, size_t batch)
      : kernels_(kernels), tokens_(static_cast<size_t>(tokens_of(config))), batch_(batch) {
    const auto width = static_cast<size_t>(config.image.width);
    const auto mlp = static_cast<size_t>(config.image.mlp_width);
    const auto patch = static_cast<size_t>(3 * config.patch_size_px * config.patch_size_px);
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    numbers_.resize(std::max({3 * width * width, mlp * width, patch * width}));
    for (float& number : numbers_) number = normal(random) * 0.03f;
    add(patch, width, false);
    for (int64_t layer = 0; layer < config.image.layers; ++layer) {
      add(width, 3 * width, true);
      add(width, width, false);
      add(width, mlp, true);
      add(mlp, width, false);
    }
    if (config.image_pool == ImagePool::Attention) add(width, 2 * width, true);
  }

  void run(size_t images) const {
    parallel_chunks(images, batch_, 0, [&](size_t begin, size_t end) {
      std::unique_ptr<Space> space = take();
      const size_t rows = (end - begin) * tokens_;
      for (const Step& step : steps_) {
        const bool is_new = !space->inputs.contains(step.in);
        const Operand x = space->inputs[step.in].make(kernels_, rows, step.in);
        for (size_t row = 0; is_new && row < rows; ++row) {
          kernels_.put(numbers_.data() + row * 97, 1, step.in, x, row);
        }
        if (step.is_multiplied) {
          step.linear.run(x, rows, space->result.make(kernels_, rows, step.out));
        } else {
          step.linear.run(x, rows, space->floats.floats(rows * step.out));
        }
      }
      const std::lock_guard lock(mutex_);
      free_.push_back(std::move(space));
    });
  }

  // For one picture.
  double multiply_adds() const { return static_cast<double>(tokens_ * weights_); }

 private:
  struct Step {
    size_t in;
    size_t out;
    bool is_multiplied;  // whether its result is
    PackedLinear linear;
  };

  struct Space {
    std::map<size_t, OperandBuffer> inputs;  // by their width, filled once
    OperandBuffer result;
    AlignedBuffer floats;
  };

  std::unique_ptr<Space> take() const {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Space>();
    auto space = std::move(free_.back());
    free_.pop_back();
    return space;
  }

  void add(size_t in, size_t out, bool is_multiplied) {
    const std::span<const float> whole = std::span(numbers_).first(in * out);
    steps_.push_back(
        {in, out, is_multiplied, PackedLinear(kernels_, {.in = in, .out = out}, {&whole, 1}, {})});
    weights_ += in * out;
  }

  const Kernels& kernels_;
  size_t tokens_;
  size_t weights_ = 0;  // of all layers
  size_t batch_;
  std::vector<float> numbers_;
  std::vector<Step> steps_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Space>> free_;  // as many as there were threads at a time
};

// --- the share of each stage --------------------------------------------------------------------

enum Stage { kMultiplying, kAttending, kNormalising, kPutting, kStages };

// Kernels that take the time of others; one set at a time.
class StageClock {
 public:
  explicit StageClock(const Kernels& kernels) : timed_(kernels) {
    inner_ = &kernels;
    timed_.multiply = timed<kMultiplying, &Kernels::multiply>(kernels.multiply);
    timed_.attention = timed<kAttending, &Kernels::attention>(kernels.attention);
    timed_.layer_norm = timed<kNormalising, &Kernels::layer_norm>(kernels.layer_norm);
    timed_.layer_norm_floats =
        timed<kNormalising, &Kernels::layer_norm_floats>(kernels.layer_norm_floats);
    timed_.put = timed<kPutting, &Kernels::put>(kernels.put);
  }

  const Kernels& kernels() const { return timed_; }
  void reset() {
    for (auto& each : nanoseconds_) each = 0;
  }
  // The time of all threads together.
  double seconds(Stage stage) const { return 1e-9 * static_cast<double>(nanoseconds_[stage]); }

 private:
  template <Stage kStage, auto kMember, class... Arguments>
  static auto timed(void (*)(Arguments...)) -> void (*)(Arguments...) {
    return [](Arguments... arguments) {
      const auto start = std::chrono::steady_clock::now();
      (inner_->*kMember)(arguments...);
      nanoseconds_[kStage] += std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::steady_clock::now() - start)
                                  .count();
    };
  }

  static inline const Kernels* inner_ = nullptr;
  static inline std::atomic<int64_t> nanoseconds_[kStages];
  Kernels timed_;
};

// Seconds of one thread for a batch of sequences of a transformer's block.
struct StepTimes {
  double activation = 0;
  double softmax = 0;
  double arranging = 0;  // keys and values, before attention multiplies them
};

double median_difference(int repeats, const std::function<void()>& with,
                         const std::function<void()>& without) {
  with();
  without();
  std::vector<double> differences;
  for (int i = 0; i < repeats; ++i) differences.push_back(seconds_of(with) - seconds_of(without));
  return median(std::move(differences));
}

StepTimes measure_steps(const Kernels& kernels, const TransformerConfig& config, size_t tokens,
                        size_t sequences) {
  constexpr int kRepeats = 15;
  const auto width = static_cast<size_t>(config.width);
  const auto mlp = static_cast<size_t>(config.mlp_width);
  const auto heads = static_cast<size_t>(config.heads);
  const size_t rows = tokens * sequences;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(std::max(width * mlp, rows * 3 * width));
  for (float& number : numbers) number = normal(random) * 0.03f;
  const std::span<const float> weights = std::span(numbers).first(width * mlp);
  const After activation = config.activation == Activation::Gelu       ? After::Gelu
                           : config.activation == Activation::GeluTanh ? After::GeluTanh
                                                                       : After::QuickGelu;
  const PackedLinear with(kernels, {.in = width, .out = mlp, .after = activation}, {&weights, 1},
                          {});
  const PackedLinear without(kernels, {.in = width, .out = mlp}, {&weights, 1}, {});
  OperandBuffer x_memory, y_memory, parts_memory;
  const Operand x = x_memory.make(kernels, rows, width);
  kernels.put(numbers.data(), rows, width, x, 0);
  const Operand y = y_memory.make(kernels, rows, mlp);
  StepTimes times;
  times.activation = median_difference(
      kRepeats, [&] { with.run(x, rows, y); }, [&] { without.run(x, rows, y); });

  const Operand parts = parts_memory.make(kernels, rows, 3 * width);
  kernels.put(numbers.data(), rows, 3 * width, parts, 0);
  clip_kernels::AttentionShape shape;
  shape.length = shape.end_query = tokens;
  shape.heads = heads;
  shape.head_width = width / heads;
  AlignedBuffer scratch;
  void* memory = scratch.bytes(kernels.attention_scratch(tokens, shape.head_width));
  times.arranging = median_seconds(kRepeats, [&] {
    for (size_t i = 0; i < sequences; ++i) {
      for (size_t head = 0; head < heads; ++head) {
        kernels.arrange(parts, i * tokens, shape, head, memory);
      }
    }
  });
  const size_t stride = (tokens + 31) / 32 * 32;
  std::vector<float> scores(numbers.begin(), numbers.begin() + static_cast<ptrdiff_t>(12 * stride));
  std::vector<float> sums(12);
  OperandBuffer soft_memory;
  const Operand soft = soft_memory.make(kernels, 12, stride);
  times.softmax = median_seconds(kRepeats, [&] {
    for (size_t done = 0; done < sequences * heads * tokens; done += 12) {
      kernels.soften(scores.data(), 12, tokens, stride, 0.125f, soft, sums.data());
    }
  });
  return times;
}

void print_stages(const std::shared_ptr<const Checkpoint>& checkpoint, const Kernels& kernels,
                  std::span<const Image> images) {
  StageClock clock(kernels);
  const ClipConfig& config = checkpoint->config;
  const auto network = make_cpu_network(checkpoint, EncoderSide::ImageOnly, clock.kernels(), 0);
  network->encode_images(images);
  clock.reset();
  constexpr int kRepeats = 5;
  const double wall = seconds_of([&] {
    for (int i = 0; i < kRepeats; ++i) network->encode_images(images);
  });
  // What one picture takes of one core.
  const double pictures = static_cast<double>(images.size()) * kRepeats;
  const double whole = wall * available_cores() / pictures;
  const size_t batch = network->batch_images();
  const auto tokens = static_cast<size_t>(tokens_of(config));
  const StepTimes steps = measure_steps(kernels, config.image, tokens, batch);
  const double blocks = static_cast<double>(config.image.layers) / static_cast<double>(batch);
  const auto of = [&](Stage stage) { return clock.seconds(stage) / pictures; };
  const double activation = steps.activation * blocks;
  const double softmax = steps.softmax * blocks;
  const double arranging = steps.arranging * blocks;
  const std::pair<const char*, double> shares[] = {
      {"multiplications", of(kMultiplying) - activation},
      {"GELU", activation},
      {"attention's products", of(kAttending) - softmax - arranging},
      {"softmax", softmax},
      {"packing", of(kPutting) + arranging},
      {"layer norm", of(kNormalising)},
      {"rest, and waiting",
       whole - of(kMultiplying) - of(kAttending) - of(kPutting) - of(kNormalising)}};
  fmt::print("  {:.2f} ms of one core a picture:", 1000 * whole);
  for (const auto& [name, seconds] : shares) {
    fmt::print("{} {} {:.1f} %", name == shares[0].first ? "" : ",", name, 100 * seconds / whole);
  }
  fmt::print("\n");
}

double least_cosine(const Matrix& a, const Matrix& b) {
  double least = 1;
  for (size_t i = 0; i < a.rows(); ++i) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t j = 0; j < a.columns(); ++j) {
      ab += static_cast<double>(a.row(i)[j]) * b.row(i)[j];
      aa += static_cast<double>(a.row(i)[j]) * a.row(i)[j];
      bb += static_cast<double>(b.row(i)[j]) * b.row(i)[j];
    }
    least = std::min(least, ab / std::sqrt(aa * bb));
  }
  return least;
}

Matrix to_matrix(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kFloat).contiguous();
  Matrix matrix(static_cast<size_t>(floats.size(0)), static_cast<size_t>(floats.size(1)));
  std::copy_n(floats.data_ptr<float>(), matrix.rows() * matrix.columns(), matrix.data());
  return matrix;
}

// Batches of several sizes, on 1 to 4 threads.
bool same_bits_in_any_company(const std::shared_ptr<const Checkpoint>& checkpoint,
                              Precision precision, std::span<const Image> images) {
  Matrix all;
  for (unsigned threads = 1; threads <= 4; ++threads) {
    const auto network = make_cpu_network(checkpoint, EncoderSide::ImageOnly, precision, threads);
    if (threads == 1) all = network->encode_images(images);
    for (const size_t count : {1, 2, 3, 7, 16, 31, 33, 64}) {
      if (count > images.size()) continue;
      const Matrix some = network->encode_images(images.last(count));
      const size_t first = images.size() - count;
      if (std::memcmp(some.data(), all.row(first).data(), count * all.columns() * sizeof(float)) !=
          0)
        return false;
    }
  }
  return true;
}

void bench_images(const std::string& name, const Options& options) {
  const ClipConfig config = geometry(name);
  const auto checkpoint = random_checkpoint(config);
  const bool has_bf16 = clip_kernels::multiplies_bf16();
  const Precision best = has_bf16 ? Precision::Bf16 : Precision::Fp32;
  const Kernels& kernels = has_bf16 ? clip_kernels::bf16_kernels() : clip_kernels::fp32_kernels();
  const auto network = make_cpu_network(checkpoint, EncoderSide::ImageOnly, best, 0);
  const size_t batch = network->batch_images();
  const size_t count = batch * available_cores() * 2;
  const std::vector<Image> images = random_images(std::max<size_t>(count, 64), 224);
  const auto some = std::span(images).first(count);

  const c10::InferenceMode inference;
  const bool has_modules = is_plain(config);
  const at::Tensor pixels = pixels_of(images, config.preprocessing);
  std::vector<Variant> variants;
  const auto add_plain = [&](const std::string& of, const ImageWeights& weights) {
    variants.push_back(at_best_batch(of, {1, 4, 8, 16, 32, 64}, [&](size_t size) {
      encode_pixels(weights, config, pixels.slice(0, 0, static_cast<int64_t>(size)));
    }));
  };
  std::optional<ImageWeights> fp32;
  std::optional<ImageWeights> bf16;
  if (has_modules) {
    fp32 = read_image_weights(*checkpoint, at::kFloat);
    add_plain("plain libtorch modules, fp32", *fp32);
  }
  if (has_modules && has_bf16) {
    bf16 = read_image_weights(*checkpoint, at::kBFloat16);
    add_plain("plain libtorch modules, bf16", *bf16);
  }
  const Multiplications multiplications(config, kernels, batch);
  const bool has_peak = peak_multiply_adds(has_bf16).has_value();
  if (has_peak) {
    variants.push_back({"their multiply-adds, from registers", [&](double) {
                          return *peak_multiply_adds(has_bf16) / multiplications.multiply_adds();
                        }});
  }
  variants.push_back(
      variant("our multiplications alone", count, [&] { multiplications.run(count); }));
  variants.push_back(variant(fmt::format("ours, {} ({})", has_bf16 ? "bf16" : "fp32", kernels.name),
                             count, [&] { network->encode_images(some); }));
  measure(variants, options);
  fmt::print("{}{}, {} pictures a call, {} a batch\n", has_modules ? "ViT-" : "", name, count,
             batch);
  print(variants, "pictures/s");
  if (has_peak) {
    const auto speed = [&](size_t from_end) {
      return median(variants[variants.size() - from_end].per_second);
    };
    fmt::print("  our multiplications alone are {:.2f} of those from registers\n",
               speed(2) / speed(3));
  }
  print_stages(checkpoint, kernels, some);
  const auto eight = std::span(images).first(8);
  const Matrix reference =
      has_modules ? to_matrix(encode_pixels(*fp32, config, pixels_of(eight, config.preprocessing)))
                  : make_cpu_network(checkpoint, EncoderSide::ImageOnly, Precision::Fp32, 0)
                        ->encode_images(eight);
  const Matrix ours = network->encode_images(eight);
  // The larger models take their time.
  const auto compared = std::span(images).first(name == "B32" ? 64 : 8);
  fmt::print("  cosine to fp32: {:.7f}; same bits in batches of 1 to {}, on 1 to 4 threads: {}\n",
             least_cosine(reference, ours), compared.size(),
             same_bits_in_any_company(checkpoint, best, compared) ? "yes" : "NO");
}

void bench_texts(const Options& options) {
  const ClipConfig config = geometry("B32");
  const auto checkpoint = random_checkpoint(config);
  const bool has_bf16 = clip_kernels::multiplies_bf16();
  const auto network = make_cpu_network(checkpoint, EncoderSide::TextOnly,
                                        has_bf16 ? Precision::Bf16 : Precision::Fp32, 0);
  std::mt19937 random(3);
  std::vector<std::vector<int32_t>> prompts;
  for (int i = 0; i < options.prompts; ++i) {
    std::vector<int32_t> ids = {49406};
    const size_t length = 5 + random() % 8;  // 5 to 12 tokens with both marks
    while (ids.size() + 1 < length) ids.push_back(static_cast<int32_t>(random() % 49000));
    ids.push_back(49407);
    prompts.push_back(std::move(ids));
  }
  const c10::InferenceMode inference;
  std::vector<Variant> variants;
  const auto add_plain = [&](const char* type, const TextWeights& weights, bool is_padded) {
    variants.push_back(at_best_batch(
        fmt::format("plain modules, {}, padded to {}", type, is_padded ? "77" : "the longest"),
        {16, 64, 256}, [&, is_padded](size_t batch) {
          TokenBatch tokens = batch_of(std::span(prompts).first(batch));
          if (is_padded) {
            tokens.ids = at::constant_pad_nd(tokens.ids, {0, 77 - tokens.ids.size(1)}, 0);
          }
          encode_tokens(weights, config, tokens);
        }));
  };
  const TextWeights fp32 = read_text_weights(*checkpoint, at::kFloat);
  add_plain("fp32", fp32, true);
  add_plain("fp32", fp32, false);
  std::optional<TextWeights> bf16;
  if (has_bf16) {
    bf16 = read_text_weights(*checkpoint, at::kBFloat16);
    add_plain("bf16", *bf16, true);
    add_plain("bf16", *bf16, false);
  }
  variants.push_back(variant(fmt::format("ours ({})", network->kernel()), prompts.size(),
                             [&] { network->encode_tokens(prompts); }));
  measure(variants, options);
  fmt::print("{} prompts of 5 to 12 tokens, ViT-B/32\n", prompts.size());
  print(variants, "prompts/s");
}

// A checkpoint of ViT-B/32's size on disk, with the bundled model's vocabulary.
void write_checkpoint(const fs::path& folder) {
  const auto checkpoint = random_checkpoint(geometry("B32"));
  fs::create_directories(folder);
  write_safetensors(folder / "model.safetensors", checkpoint->tensors);
  testing::write_file(folder / "config.json",
                      R"({"model_type":"clip","projection_dim":512,
          "text_config":{"hidden_size":512,"num_hidden_layers":12,"num_attention_heads":8,
            "intermediate_size":2048,"hidden_act":"quick_gelu","max_position_embeddings":77,
            "vocab_size":49408},
          "vision_config":{"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,
            "intermediate_size":3072,"hidden_act":"quick_gelu","image_size":224,"patch_size":32}})");
  for (const auto& entry : fs::directory_iterator(bundled_model())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("vocab") || name.starts_with("merges") || name.starts_with("bpe") ||
        name.starts_with("tokenizer")) {
      fs::copy_file(entry.path(), folder / name);
    }
  }
}

void run_or_throw(const std::vector<std::string>& command) {
  const auto result = testing::run_program(command);
  if (result.exit_code != 0) throw std::runtime_error(result.err);
}

void bench_loading(const Options& options, const fs::path& model) {
  const auto embed = [&] {
    run_or_throw({ZEROSHELF_QUERY_PROGRAM, "embed", "--model", model.string(), "--text", "a cat"});
  };
  embed();
  std::vector<double> seconds;
  std::vector<double> start;
  for (int i = 0; i < std::max(5, options.repeats); ++i) {
    seconds.push_back(seconds_of(embed));
    start.push_back(seconds_of([&] { run_or_throw({ZEROSHELF_QUERY_PROGRAM, "--version"}); }));
  }
  fmt::print(
      "ViT-B/32 from the start of zeroshelf-query until a text is answered, warm: {:.3f} s "
      "(of which the program alone: {:.3f} s)\n",
      median(seconds), median(start));
}

// A photograph's share of detail: gradients, edges, noise.
std::string jpeg_of(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3)};
  const double a = 0.002 + 0.00001 * static_cast<double>(random() % 1000);
  const double b = 0.003 + 0.00001 * static_cast<double>(random() % 1000);
  uint32_t noise = seed * 2654435761u + 1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      noise = noise * 1664525u + 1013904223u;
      const int wave = static_cast<int>(60 * std::sin(a * x + seed) + 60 * std::cos(b * y));
      const int edge = ((x / 97 + y / 131 + static_cast<int>(seed)) % 5) * 12;
      for (int c = 0; c < 3; ++c) {
        image.rgb[(static_cast<size_t>(y) * width + x) * 3 + c] = static_cast<uint8_t>(
            std::clamp(120 + wave / (c + 1) + edge + static_cast<int>((noise >> 24) % 9), 0, 255));
      }
    }
  }
  return encode_jpeg(image, 88);
}

// As people keep them: two in five with text, in all the styles that OCR is measured on.
std::string mixed_jpeg(const bench::OcrSet& set, size_t i, bool is_large) {
  const std::vector<std::string>& styles = bench::ocr_styles();
  const size_t text = i / 5 * 2 + i % 5;
  const Image image =
      i % 5 < 2
          ? set.draw(styles[text % styles.size()], text / styles.size()).image
          : set.draw(set.has_photographs() ? bench::kPhotographStyle : bench::kDrawnStyle, i).image;
  return encode_jpeg(is_large ? resize_bicubic(image, 4000, 3000) : image, 88);
}

std::vector<FoundFile> make_pictures(const fs::path& folder, int small, int large, bool is_mixed) {
  fs::create_directories(folder);
  std::optional<bench::OcrSet> mixed;
  if (is_mixed) mixed.emplace(bench::Split::Development, testing::shared_directory());
  parallel_chunks(static_cast<size_t>(small + large), 1, 0, [&](size_t i, size_t) {
    const bool is_large = static_cast<int>(i) >= small;
    const auto seed = static_cast<unsigned>(i);
    testing::write_file(folder / fmt::format("{:06}.jpg", i), is_mixed
                                                                  ? mixed_jpeg(*mixed, i, is_large)
                                                              : is_large ? jpeg_of(4000, 3000, seed)
                                                                         : jpeg_of(480, 360, seed));
  });
  std::vector<FoundFile> files;
  find_files({folder}, {}, [&](std::variant<FoundFile, SkippedPath> entry) {
    files.push_back(std::get<FoundFile>(entry));
  });
  return files;
}

// Reading, decoding, resizing and with a language OCR, by all threads.
double preparing_seconds(const std::vector<FoundFile>& files, const std::string& languages) {
  StageTimes times;
  MemoryBudget memory(uint64_t{512} << 20);
  const unsigned threads = available_cores();
  std::atomic<size_t> next{0};
  std::vector<std::unique_ptr<TextReader>> readers;
  for (unsigned i = 0; i < threads; ++i) {
    readers.push_back(
        languages.empty() ? nullptr : std::make_unique<TextReader>(TextReaderOptions{languages}));
  }
  return seconds_of([&] {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&, reader = readers[i].get()] {
        for (size_t file; (file = next++) < files.size();) {
          MemoryBudget::Lease lease(memory, file);
          prepare(files[file], {}, reader, [](const ContentHash&) { return false; },
                  {times, lease});
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
  });
}

void bench_add(const Options& options, const fs::path& directory, const fs::path& model,
               bool has_ocr) {
  const fs::path folder = directory / (has_ocr ? "read" : "pictures");
  const int small = has_ocr ? options.ocr : options.small;
  const int large = has_ocr ? options.ocr / 20 : options.large;
  const std::vector<FoundFile> files = make_pictures(folder, small, large, has_ocr);
  const double preparing = preparing_seconds(files, has_ocr ? "eng" : "");

  const auto network =
      make_cpu_network(random_checkpoint(geometry("B32")), EncoderSide::ImageOnly,
                       clip_kernels::multiplies_bf16() ? Precision::Bf16 : Precision::Fp32, 0);
  const size_t count = std::min<size_t>(files.size(), 64 * available_cores());
  const std::vector<Image> crops = random_images(count, 224);
  network->encode_images(std::span(crops).first(network->batch_images()));
  const double encoding = seconds_of([&] { network->encode_images(crops); }) *
                          static_cast<double>(files.size()) / static_cast<double>(count);

  std::vector<std::string> command = {ZEROSHELF_INDEX_PROGRAM,
                                      "add",
                                      (directory / (has_ocr ? "b.shelf" : "a.shelf")).string(),
                                      folder.string(),
                                      "--model",
                                      model.string(),
                                      "--profile"};
  if (!has_ocr) command.emplace_back("--no-ocr");
  std::string told;
  const double whole = seconds_of([&] {
    const auto result = testing::run_program(command);
    if (result.exit_code != 0) throw std::runtime_error(result.err);
    told = result.err;
  });
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto rate = [&](double seconds) { return static_cast<double>(files.size()) / seconds; };
  fmt::print("add{} over {} small and {} twelve-megapixel JPEGs\n", has_ocr ? "" : " --no-ocr",
             small, large);
  fmt::print(
      "  reading{} alone {:.1f} pictures/s, encoding alone {:.1f}, both on the same cores "
      "{:.1f}\n",
      has_ocr ? ", decoding and OCR" : " and decoding", rate(preparing), rate(encoding),
      rate(preparing + encoding));
  fmt::print(
      "  add, with its start and the model's loading: {:.1f} pictures/s, {:.0f} % of the "
      "slower one, {:.0f} % of both; peak memory of the benchmark's programs {:.2f} GiB\n{}",
      rate(whole), 100 * std::max(preparing, encoding) / whole,
      100 * (preparing + encoding) / whole, static_cast<double>(usage.ru_maxrss) / (1 << 20), told);
}

void run(const Options& options) {
  const std::set<std::string> skip(options.skip.begin(), options.skip.end());
  at::set_num_threads(static_cast<int>(available_cores()));
  fmt::print("{}, {} threads, {}; OpenBLAS for {}; medians of {} rounds in turns\n",
             processor_name(), available_cores(),
             clip_kernels::multiplies_bf16() ? "bf16 in hardware" : "no bf16 in hardware",
             openblas_core(), options.repeats);
  if (!skip.contains("images")) {
    for (const std::string& name : options.models) {
      bench_images(name, options);
      std::fflush(stdout);
    }
  }
  if (!skip.contains("texts")) bench_texts(options);
  const testing::TemporaryDirectory directory;
  const fs::path model = directory / "ViT-B-32";
  if (!skip.contains("loading") || !skip.contains("add") || options.ocr > 0)
    write_checkpoint(model);
  if (!skip.contains("loading")) bench_loading(options, model);
  if (!skip.contains("add")) bench_add(options, directory.path(), model, false);
  if (options.ocr > 0) bench_add(options, directory.path(), model, true);
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  zeroshelf::use_best_openblas_core(argv);
  zeroshelf::Options options;
  CLI::App app("The encoders and the indexing pipeline, measured");
  app.add_option("--models", options.models)
      ->delimiter(',')
      ->check(CLI::IsMember({"B32", "B16", "L14", "SigLIP-B16"}));
  app.add_option("--skip", options.skip)->delimiter(',');
  app.add_option("--repeats", options.repeats);
  app.add_option("--seconds", options.seconds);
  app.add_option("--prompts", options.prompts)->check(CLI::Range(256, 1'000'000));
  app.add_option("--small", options.small);
  app.add_option("--large", options.large);
  app.add_option("--ocr", options.ocr);
  CLI11_PARSE(app, argc, argv);
  zeroshelf::run(options);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_encode: {}\n", error.what());
  return 2;
}
