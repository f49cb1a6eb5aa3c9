// The encoders' speed beside plain libtorch modules and beside their multiplications alone, and the
// speed of a whole `add` beside the slower of its two parts. Random weights, so it runs anywhere.
//
//   ./dev bench encode [--models B32,B16,L14] [--repeats 5] [--seconds 4] [--prompts 1000]
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
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
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
#include "lib/util/parallel.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/tensor_names.h"
#include "models/clip/forward.h"
#include "models/clip/network.h"
#include "models/compute/packed_linear.h"
#include "tests/support/run_program.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models = {"B32", "B16", "L14"};
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
  config.patch_size_px = name == "B32" ? 32 : name == "B16" ? 16 : 14;
  config.context_length = 77;
  config.vocabulary_size = 49408;
  config.dimension = is_large ? 768 : 512;
  return config;
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
  checkpoint->owner = pool;
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
  put(image.class_token, {config.image.width});
  put(image.positions, {1 + config.grid() * config.grid(), config.image.width});
  put_norm(image.before, config.image.width);
  put_blocks(image.blocks, config.image.width);
  put_norm(image.after, config.image.width);
  put_linear(image.projection);
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
  std::function<void()> run;  // encodes `count` inputs
  size_t count;
  std::vector<double> per_second = {};
};

// Rounds of all variants in turn; each runs for a share of the time, at least once.
void measure(std::vector<Variant>& variants, const Options& options) {
  for (Variant& variant : variants) variant.run();  // packed and paged in
  for (int round = 0; round < options.repeats; ++round) {
    for (Variant& variant : variants) {
      double spent = 0;
      size_t done = 0;
      while (spent < options.seconds / static_cast<double>(variants.size())) {
        spent += seconds_of(variant.run);
        done += variant.count;
      }
      variant.per_second.push_back(static_cast<double>(done) / spent);
    }
  }
}

void print(const std::vector<Variant>& variants, const char* unit) {
  const double ours = median(variants.back().per_second);
  for (const Variant& variant : variants) {
    const double speed = median(variant.per_second);
    fmt::print("  {:<44} {:>8.1f} {}  ours is {:.2f} times that\n", variant.name, speed, unit,
               ours / speed);
  }
}

// The multiplications of the image encoder and nothing else, each thread on batches of its own.
class Multiplications {
 public:
  Multiplications(const ClipConfig& config, Arithmetic arithmetic, Multiplier multiplier,
                  size_t batch)
      : tokens_(static_cast<size_t>(1 + config.grid() * config.grid())), batch_(batch) {
    const int64_t width = config.image.width;
    const int64_t mlp = config.image.mlp_width;
    std::vector<float> weights(static_cast<size_t>(std::max(mlp * width, 3 * width * width)),
                               0.01f);
    const auto add = [&](int64_t in, int64_t out) {
      PackedLinear::Options options;
      options.in = in;
      options.out = out;
      options.arithmetic = arithmetic;
      options.multiplier = multiplier;
      weights.resize(std::max(weights.size(), static_cast<size_t>(in * out)), 0.01f);
      linears_.emplace_back(options,
                            std::span<const float>(weights).first(static_cast<size_t>(in * out)),
                            std::span<const float>());
      widest_ = std::max({widest_, in, out});
      weights_ += static_cast<size_t>(in * out);
    };
    add(3 * config.patch_size_px * config.patch_size_px, width);
    for (int64_t layer = 0; layer < config.image.layers; ++layer) {
      add(width, 3 * width);
      add(width, width);
      add(width, mlp);
      add(mlp, width);
    }
  }

  void run(size_t images) const {
    parallel_chunks(images, batch_, 0, [&](size_t begin, size_t end) {
      const OneThread one;
      const size_t rows = whole_rows((end - begin) * tokens_);
      thread_local AlignedBuffer x, y, scratch;
      float* in = x.floats(rows * static_cast<size_t>(widest_));
      float* out = y.floats(rows * static_cast<size_t>(widest_));
      for (const PackedLinear& linear : linears_) {
        linear.run(in, static_cast<int64_t>(rows), out, scratch);
      }
    });
  }

  std::string kernel() const { return linears_[1].kernel(); }

  // Of one picture.
  double multiply_adds() const { return static_cast<double>(tokens_ * weights_); }

 private:
  size_t tokens_;
  size_t weights_ = 0;  // of all layers
  size_t batch_;
  int64_t widest_ = 0;
  std::vector<PackedLinear> linears_;
};

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

bool same_bits_in_any_company(Network& network, std::span<const Image> images) {
  const Matrix all = network.encode_images(images);
  for (const size_t count : {size_t{1}, size_t{2}, size_t{7}}) {
    const Matrix some = network.encode_images(images.first(count));
    if (std::memcmp(some.data(), all.data(), count * all.columns() * sizeof(float)) != 0)
      return false;
  }
  return true;
}

void bench_images(const std::string& name, const Options& options) {
  const ClipConfig config = geometry(name);
  const auto checkpoint = random_checkpoint(config);
  const bool has_bf16 = multiplies_bf16();
  const Precision best = has_bf16 ? Precision::Bf16 : Precision::Fp32;
  const auto network = make_cpu_network(checkpoint, EncoderSide::ImageOnly, best, 0);
  const size_t count = network->batch_images() * available_cores();
  const std::vector<Image> images = random_images(std::max<size_t>(count, 8), 224);
  const auto some = std::span(images).first(count);

  const c10::InferenceMode inference;
  const at::Tensor pixels = pixels_of(some, config.preprocessing);
  std::vector<Variant> variants;
  const ImageWeights fp32 = read_image_weights(*checkpoint, at::kFloat);
  variants.push_back(
      {"plain libtorch modules, fp32", [&] { encode_pixels(fp32, config, pixels); }, count});
  std::optional<ImageWeights> bf16;
  if (has_bf16) {
    bf16 = read_image_weights(*checkpoint, at::kBFloat16);
    variants.push_back(
        {"plain libtorch modules, bf16", [&] { encode_pixels(*bf16, config, pixels); }, count});
  }
  const Arithmetic arithmetic = has_bf16 ? Arithmetic::Bf16 : Arithmetic::Fp32;
  const Multiplications library(config, arithmetic, Multiplier::OneDnn, network->batch_images());
  variants.push_back({fmt::format("multiplications alone, {}", library.kernel()),
                      [&] { library.run(count); }, count});
  const Multiplications own(config, Arithmetic::Fp32, Multiplier::Best, network->batch_images());
  if (!has_bf16) {
    variants.push_back({fmt::format("multiplications alone, our kernel ({})", own.kernel()),
                        [&] { own.run(count); }, count});
  }
  variants.push_back({fmt::format("ours, {} ({})", has_bf16 ? "bf16" : "fp32", network->kernel()),
                      [&] { network->encode_images(some); }, count});
  measure(variants, options);
  fmt::print("ViT-{}, {} pictures a call, {} a batch\n", name, count, network->batch_images());
  print(variants, "pictures/s");
  if (const auto peak = peak_multiply_adds(has_bf16)) {
    const double bound = *peak / library.multiply_adds();
    fmt::print("  {:<44} {:>8.1f} pictures/s  ours is {:.2f} times that\n",
               "their multiply-adds, from registers", bound,
               median(variants.back().per_second) / bound);
  }
  const Matrix reference = to_matrix(
      encode_pixels(fp32, config, pixels_of(std::span(images).first(8), config.preprocessing)));
  const Matrix ours = network->encode_images(std::span(images).first(8));
  fmt::print("  cosine to fp32: {:.7f}; same bits in batches of 1, 2, 7, {}: {}\n",
             least_cosine(reference, ours), images.size(),
             same_bits_in_any_company(*network, images) ? "yes" : "NO");
}

void bench_texts(const Options& options) {
  const ClipConfig config = geometry("B32");
  const auto checkpoint = random_checkpoint(config);
  const auto network = make_cpu_network(checkpoint, EncoderSide::TextOnly,
                                        multiplies_bf16() ? Precision::Bf16 : Precision::Fp32, 0);
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
  const TextWeights weights = read_text_weights(*checkpoint, at::kFloat);
  std::vector<Variant> variants;
  variants.push_back(
      {"plain libtorch modules, fp32, padded to 77",
       [&] {
         constexpr size_t kBatch = 64;
         for (size_t i = 0; i < prompts.size(); i += kBatch) {
           TokenBatch batch =
               batch_of(std::span(prompts).subspan(i, std::min(kBatch, prompts.size() - i)));
           batch.ids = at::constant_pad_nd(batch.ids, {0, 77 - batch.ids.size(1)}, 0);
           encode_tokens(weights, config, batch);
         }
       },
       prompts.size()});
  variants.push_back({fmt::format("ours ({})", network->kernel()),
                      [&] { network->encode_tokens(prompts); }, prompts.size()});
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

  const auto network = make_cpu_network(random_checkpoint(geometry("B32")), EncoderSide::ImageOnly,
                                        multiplies_bf16() ? Precision::Bf16 : Precision::Fp32, 0);
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
  fmt::print("{} threads, {}; medians of {} rounds in turns\n", available_cores(),
             multiplies_bf16() ? "bf16 in hardware" : "no bf16 in hardware", options.repeats);
  if (!skip.contains("images")) {
    for (const std::string& name : options.models) bench_images(name, options);
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
  zeroshelf::Options options;
  CLI::App app("The encoders and the indexing pipeline, measured");
  app.add_option("--models", options.models)->delimiter(',');
  app.add_option("--skip", options.skip)->delimiter(',');
  app.add_option("--repeats", options.repeats);
  app.add_option("--seconds", options.seconds);
  app.add_option("--prompts", options.prompts);
  app.add_option("--small", options.small);
  app.add_option("--large", options.large);
  app.add_option("--ocr", options.ocr);
  CLI11_PARSE(app, argc, argv);
  zeroshelf::run(options);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_encode: {}\n", error.what());
  return 2;
}
