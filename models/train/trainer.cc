// Tested by tests/train/trainer_test.cc.

#include "models/train/trainer.h"

#include <fmt/format.h>
#include <malloc.h>
#include <torch/cuda.h>
#include <torch/optim/adamw.h>
#include <torch/serialize.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numbers>
#include <numeric>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/parallel.h"
#include "models/clip/forward.h"
#include "models/train/curve_plot.h"
#include "models/train/muon.h"
#include "models/train/parameters.h"
#include "models/train/vocabulary.h"

namespace zeroshelf::train {
namespace {

namespace fs = std::filesystem;
using at::Tensor;

constexpr double kTextLossWeight = 0.5;
constexpr double kThingLossWeight = 0.5;
constexpr double kMaxLogitScale = 4.6051702;  // log 100
constexpr double kGradientNorm = 1;
constexpr int64_t kReportEvery = 20;    // steps
constexpr int64_t kMeasureEvery = 500;  // steps
constexpr size_t kMeasuredPictures = 512;
constexpr uint64_t kMeasuringSeed = 0x6d656173;  // never a training seed
constexpr size_t kTextsTogether = 128;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Large tensors come and go every step; giving their pages back each time costs a quarter of it.
void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  mallopt(M_TOP_PAD, 256 << 20);
}

at::Device best_device() {
  return torch::cuda::is_available() ? at::Device(at::kCUDA) : at::Device(at::kCPU);
}

Tensor unit(const Tensor& x) {
  const Tensor floats = x.to(at::kFloat);
  return floats / floats.norm(2, -1, /*keepdim=*/true).clamp_min(1e-6);
}

// The mean cross-entropy of rows of logits against rows of target distributions; rows without a
// target count as nothing.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets) {
  const Tensor sums = targets.sum(1, /*keepdim=*/true);
  const Tensor shares = targets / sums.clamp_min(1);
  const Tensor losses = -(shares * at::log_softmax(logits, 1)).sum(1);
  return losses.sum() / (sums > 0).sum().clamp_min(1);
}

// matches: [rows, columns], 1 where row and column say the same.
Tensor contrastive_loss(const Tensor& rows, const Tensor& columns, const Tensor& log_scale,
                        const Tensor& matches) {
  const Tensor logits = at::matmul(rows, columns.t()) * log_scale.exp();
  return (soft_cross_entropy(logits, matches) + soft_cross_entropy(logits.t(), matches.t())) / 2;
}

// What the loss wants to know of a batch, as tensors.
struct Targets {
  Tensor captions;        // [pictures, captions]
  Tensor pairs;           // [pairs, pairs]
  Tensor picture_things;  // [pictures, things and worlds]
  Tensor caption_things;  // [captions, things and worlds]
};

Targets targets_of(const Batch& batch, size_t things, size_t worlds) {
  const auto count = static_cast<int64_t>(batch.images.size());
  const auto pairs = static_cast<int64_t>(batch.pair_keys.size());
  const auto directions = static_cast<int64_t>(things + worlds);
  Targets targets{at::zeros({count, count}), at::zeros({pairs, pairs}),
                  at::zeros({count, directions}), at::zeros({count, directions})};
  auto captions = targets.captions.accessor<float, 2>();
  auto pair_matches = targets.pairs.accessor<float, 2>();
  auto picture_things = targets.picture_things.accessor<float, 2>();
  auto caption_things = targets.caption_things.accessor<float, 2>();
  for (int64_t i = 0; i < count; ++i) {
    const Content& content = batch.contents[static_cast<size_t>(i)];
    for (int64_t j = 0; j < count; ++j) {
      const uint64_t key = batch.caption_keys[static_cast<size_t>(j)];
      captions[i][j] = key == content.key || (content.world && key == content.world_key);
    }
    const bool of_world =
        content.world && batch.caption_keys[static_cast<size_t>(i)] == content.world_key;
    for (const size_t thing : content.things) {
      picture_things[i][static_cast<int64_t>(thing)] = 1;
      if (!of_world) caption_things[i][static_cast<int64_t>(thing)] = 1;
    }
    if (content.world) {
      const auto direction = static_cast<int64_t>(things + *content.world);
      picture_things[i][direction] = 1;
      if (of_world) caption_things[i][direction] = 1;
    }
  }
  for (int64_t i = 0; i < pairs; ++i) {
    for (int64_t j = 0; j < pairs; ++j) {
      pair_matches[i][j] =
          batch.pair_keys[static_cast<size_t>(i)] == batch.pair_keys[static_cast<size_t>(j)];
    }
  }
  return targets;
}

std::vector<std::string> vocabulary_texts(const Generator& generator, const Glossary& glossary,
                                          const TrainOptions& options) {
  std::vector<std::string> texts = glossary.texts();
  for (const Thing& thing : generator.things()) {
    texts.push_back(thing.name);
    texts.insert(texts.end(), thing.synonyms.begin(), thing.synonyms.end());
  }
  for (size_t i = 0; i < options.vocabulary_pairs; ++i) {
    Random random = Random::of_item(options.batch.seed, i);
    const TextPair pair = generator.text_pair(random, Part::Training);
    texts.push_back(pair.one);
    texts.push_back(pair.other);
  }
  return texts;
}

// One training run: the state, and the step that changes it.
class Run {
 public:
  Run(const Generator& generator, const TrainOptions& options, const fs::path& folder)
      : generator_(generator),
        options_(options),
        folder_(folder),
        glossary_(options.wordnet, generator),
        tokenizer_(prepared_tokenizer()),
        config_(options.model),
        device_(best_device()),
        type_(options.bf16 ? at::kBFloat16 : at::kFloat) {
    config_.vocabulary_size = tokenizer_.size();
    check_config(config_, "the model to train");
    parameters_ = std::make_unique<Parameters>(config_, options.batch.seed, device_);
    at::Generator random = at::detail::createCPUGenerator(options.batch.seed + 1);
    const auto directions =
        static_cast<int64_t>(generator.things().size() + generator.worlds().size());
    directions_ = at::randn({directions, config_.dimension}, random).to(device_);
    directions_.set_requires_grad(true);
    text_scale_ = at::full({}, std::log(1 / 0.07), at::TensorOptions(device_));
    text_scale_.set_requires_grad(true);
    thing_scale_ = text_scale_.detach().clone().set_requires_grad(true);
    make_optimizer();
    if (fs::exists(state_path())) load_state();
  }

  bool train(const std::atomic<bool>& stop, const std::function<void(const Progress&)>& report) {
    const double begun_s = now_s() - seconds_;
    OrderedWorkers<uint64_t, Batch> batches({[this](uint64_t step) { return batch_of_step(step); }},
                                            2);
    int64_t next = step_;
    Progress sum;
    int64_t summed = 0;
    while (step_ < options_.steps && !stop) {
      while (!batches.full() && next < options_.steps) batches.push(static_cast<uint64_t>(next++));
      add(sum, learn(batches.pop()));
      ++summed;
      ++step_;
      seconds_ = now_s() - begun_s;
      if (step_ % kReportEvery == 0 || step_ == options_.steps) {
        tell(sum, summed, report);
        sum = {};
        summed = 0;
      }
      if (step_ % options_.save_every == 0) save_state();
    }
    save_state();
    return step_ == options_.steps;
  }

 private:
  fs::path state_path() const { return folder_ / "state.pt"; }

  Tokenizer prepared_tokenizer() const {
    fs::create_directories(folder_);
    if (!fs::exists(folder_ / "merges.txt")) {
      write_vocabulary(
          train_merges(vocabulary_texts(generator_, glossary_, options_), options_.vocabulary),
          folder_);
    }
    return Tokenizer::load(folder_, {});
  }

  // Weight decay for matrices only (Loshchilov and Hutter 2019).
  void make_optimizer() {
    std::vector<Tensor> decayed;
    std::vector<Tensor> free = {text_scale_, thing_scale_};
    std::map<std::string, Tensor> block_matrices;
    for (const auto& [name, tensor] : parameters_->tensors()) {
      if (options_.optimizer == Optimizer::Muon && tensor.dim() == 2 &&
          name.find(".layers.") != std::string::npos) {
        block_matrices.emplace(name, tensor);
      } else {
        (tensor.dim() >= 2 ? decayed : free).push_back(tensor);
      }
    }
    muon_ = std::make_unique<Muon>(std::move(block_matrices), options_.weight_decay);
    decayed.push_back(directions_);
    const auto group = [&](std::vector<Tensor> tensors, double decay) {
      auto settings = std::make_unique<torch::optim::AdamWOptions>(options_.peak_learning_rate);
      settings->betas({0.9, 0.98}).eps(1e-6).weight_decay(decay);
      return torch::optim::OptimizerParamGroup(std::move(tensors), std::move(settings));
    };
    optimizer_ =
        std::make_unique<torch::optim::AdamW>(std::vector<torch::optim::OptimizerParamGroup>{
            group(decayed, options_.weight_decay), group(free, 0)});
  }

  Batch batch_of_step(uint64_t step) const {
    return make_batch(generator_, glossary_, tokenizer_, options_.batch, step);
  }

  double learning_rate() const {
    const double step = static_cast<double>(step_) + 1;
    const double warm_up = options_.warm_up * static_cast<double>(options_.steps);
    if (step < warm_up) return options_.peak_learning_rate * step / warm_up;
    const double done = (step - warm_up) / (static_cast<double>(options_.steps) - warm_up + 1);
    return options_.peak_learning_rate *
           (0.01 + 0.99 * 0.5 * (1 + std::cos(std::numbers::pi * done)));
  }

  // Which patches the encoder sees; undefined: all.
  Tensor kept_patches(int64_t pictures) const {
    if (static_cast<double>(step_) >= options_.masked_until * static_cast<double>(options_.steps)) {
      return {};
    }
    const int64_t patches = config_.grid() * config_.grid();
    const auto kept = std::max<int64_t>(
        1, static_cast<int64_t>(options_.patches_kept * static_cast<double>(patches)));
    at::Generator random = at::detail::createCPUGenerator(options_.batch.seed * 1000003 +
                                                          static_cast<uint64_t>(step_));
    const Tensor order = std::get<1>(at::rand({pictures, patches}, random).sort(1));
    return order.slice(1, 0, kept).contiguous().to(device_);
  }

  // Texts of like length go together, so that little is computed for padding.
  Tensor encode(const TextWeights& weights, const std::vector<Batch::Tokens>& texts) const {
    std::vector<int64_t> order(texts.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return texts[static_cast<size_t>(a)].size() < texts[static_cast<size_t>(b)].size();
    });
    std::vector<Tensor> parts;
    for (size_t first = 0; first < order.size(); first += kTextsTogether) {
      std::vector<Batch::Tokens> part;
      for (size_t i = first; i < std::min(first + kTextsTogether, order.size()); ++i) {
        part.push_back(texts[static_cast<size_t>(order[i])]);
      }
      TokenBatch tokens = batch_of(part);
      tokens.ids = tokens.ids.to(device_);
      tokens.ends = tokens.ends.to(device_);
      parts.push_back(unit(encode_tokens(weights, config_, tokens)));
    }
    const Tensor places = std::get<1>(at::tensor(order, at::kLong).sort(0)).to(device_);
    return at::cat(parts).index_select(0, places);
  }

  Tensor encode(const ImageWeights& weights, std::span<const Image> images,
                const Tensor& kept) const {
    const Tensor pixels = pixels_of(images, config_.preprocessing).to(device_);
    return unit(encode_pixels(weights, config_, pixels, kept));
  }

  Progress learn(const Batch& batch) {
    const double rate = learning_rate();
    for (auto& group : optimizer_->param_groups()) {
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
    }
    const Targets targets =
        targets_of(batch, generator_.things().size(), generator_.worlds().size());
    const ImageWeights image_weights = parameters_->image_weights(type_);
    const TextWeights text_weights = parameters_->text_weights(type_);
    const Tensor images = encode(image_weights, batch.images,
                                 kept_patches(static_cast<int64_t>(batch.images.size())));
    std::vector<Batch::Tokens> texts = batch.captions;
    texts.insert(texts.end(), batch.ones.begin(), batch.ones.end());
    texts.insert(texts.end(), batch.others.begin(), batch.others.end());
    const Tensor text_vectors = encode(text_weights, texts);
    const auto caption_count = static_cast<int64_t>(batch.captions.size());
    const auto pair_count = static_cast<int64_t>(batch.ones.size());
    const Tensor captions = text_vectors.narrow(0, 0, caption_count);
    const Tensor image_loss = contrastive_loss(images, captions, parameters_->logit_scale(),
                                               targets.captions.to(device_));
    Tensor text_loss = at::zeros({}, at::TensorOptions(device_));
    if (pair_count > 0) {
      text_loss = contrastive_loss(text_vectors.narrow(0, caption_count, pair_count),
                                   text_vectors.narrow(0, caption_count + pair_count, pair_count),
                                   text_scale_, targets.pairs.to(device_));
    }
    const Tensor directions = unit(directions_).t();
    const Tensor scale = thing_scale_.exp();
    const Tensor thing_loss = (soft_cross_entropy(at::matmul(images, directions) * scale,
                                                  targets.picture_things.to(device_)) +
                               soft_cross_entropy(at::matmul(captions, directions) * scale,
                                                  targets.caption_things.to(device_))) /
                              2;
    const Tensor loss = image_loss + kTextLossWeight * text_loss + kThingLossWeight * thing_loss;
    for (const auto& [name, tensor] : parameters_->tensors()) {
      if (tensor.grad().defined()) tensor.mutable_grad() = Tensor();
    }
    optimizer_->zero_grad();
    loss.backward();
    clip_gradients();
    optimizer_->step();
    muon_->step(rate);
    clamp_scales();
    return {0,
            0,
            0,
            loss.item<double>(),
            image_loss.item<double>(),
            text_loss.item<double>(),
            thing_loss.item<double>(),
            0};
  }

  void clip_gradients() {
    double squares = 0;
    for (const auto& group : optimizer_->param_groups()) {
      for (const Tensor& tensor : group.params()) {
        if (tensor.grad().defined()) squares += tensor.grad().square().sum().item<double>();
      }
    }
    const double norm = std::sqrt(squares);
    if (!std::isfinite(norm)) {
      throw Error(ErrorCode::Unavailable, folder_.string(), "the training diverged",
                  "start it again with a smaller --learning-rate");
    }
    if (norm <= kGradientNorm) return;
    for (auto& group : optimizer_->param_groups()) {
      for (Tensor& tensor : group.params()) {
        if (tensor.grad().defined()) tensor.mutable_grad().mul_(kGradientNorm / norm);
      }
    }
  }

  void clamp_scales() {
    const torch::NoGradGuard guard;
    for (Tensor scale : {parameters_->logit_scale(), text_scale_, thing_scale_}) {
      scale.clamp_(0, kMaxLogitScale);
    }
  }

  static void add(Progress& sum, const Progress& step) {
    sum.loss += step.loss;
    sum.image_loss += step.image_loss;
    sum.text_loss += step.text_loss;
    sum.thing_loss += step.thing_loss;
  }

  void tell(const Progress& sum, int64_t steps,
            const std::function<void(const Progress&)>& report) {
    const auto count = static_cast<double>(steps);
    Progress progress{step_,
                      seconds_,
                      learning_rate(),
                      sum.loss / count,
                      sum.image_loss / count,
                      sum.text_loss / count,
                      sum.thing_loss / count,
                      -1};
    if (step_ % kMeasureEvery == 0 || step_ == options_.steps) progress.accuracy = measure();
    write_curve(progress);
    write_curve_plot(folder_ / "curve.csv", folder_ / "curve.svg");
    report(progress);
  }

  // The share of held-out pictures of one thing whose nearest name is the right one.
  double measure() const {
    const torch::NoGradGuard guard;
    std::vector<Image> images;
    Tensor wanted = at::empty({static_cast<int64_t>(kMeasuredPictures)}, at::kLong);
    PictureOptions picture_options;
    picture_options.width_px = picture_options.height_px = options_.batch.image_size_px;
    for (size_t i = 0; i < kMeasuredPictures; ++i) {
      Random random = Random::of_item(kMeasuringSeed, i);
      const size_t thing = random.below(generator_.things().size());
      images.push_back(generator_.single(thing, random, picture_options).image);
      wanted[static_cast<int64_t>(i)] = static_cast<int64_t>(thing);
    }
    std::vector<Batch::Tokens> names;
    for (const Thing& thing : generator_.things()) {
      names.push_back(marked_tokens(tokenizer_, thing.name, options_.batch.longest_text));
    }
    const Tensor texts = encode(parameters_->text_weights(type_), names);
    const Tensor vectors = encode(parameters_->image_weights(type_), images, {});
    const Tensor best = at::matmul(vectors, texts.t()).argmax(1).to(at::kCPU);
    return (best == wanted).to(at::kDouble).mean().item<double>();
  }

  void write_curve(const Progress& progress) const {
    const fs::path path = folder_ / "curve.csv";
    const bool is_new = !fs::exists(path);
    std::ofstream file(path, std::ios::app);
    if (is_new) {
      file << "step,pictures,seconds,learning_rate,loss,image_loss,text_loss,thing_loss,accuracy\n";
    }
    file << fmt::format("{},{},{:.1f},{:.6f},{:.4f},{:.4f},{:.4f},{:.4f},", progress.step,
                        progress.step * static_cast<int64_t>(options_.batch.pictures),
                        progress.seconds, progress.learning_rate, progress.loss,
                        progress.image_loss, progress.text_loss, progress.thing_loss);
    if (progress.accuracy >= 0) file << fmt::format("{:.4f}", progress.accuracy);
    file << "\n";
  }

  // Dots would be taken for nested archives.
  static std::string key_in_state(const std::string& kind, std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return kind + "/" + name;
  }

  // A text of all that must stay the same for a run to go on.
  std::string identity() const {
    return fmt::format(
        "{} seed {} pictures {} pairs {} steps {} rate {} decay {} warm-up {} masked {} {} "
        "optimizer {} easy {}",
        describe(config_), options_.batch.seed, options_.batch.pictures, options_.batch.text_pairs,
        options_.steps, options_.peak_learning_rate, options_.weight_decay, options_.warm_up,
        options_.masked_until, options_.patches_kept, static_cast<int>(options_.optimizer),
        options_.batch.easy_steps);
  }

  void save_state() const {
    torch::serialize::OutputArchive archive;
    archive.write("identity", c10::IValue(identity()));
    archive.write("step", c10::IValue(step_));
    archive.write("seconds", c10::IValue(seconds_));
    for (const auto& [name, tensor] : parameters_->tensors()) {
      archive.write(key_in_state("model", name), tensor);
    }
    for (const auto& [name, tensor] : muon_->momenta()) {
      archive.write(key_in_state("momentum", name), tensor);
    }
    archive.write("directions", directions_);
    archive.write("text_scale", text_scale_);
    archive.write("thing_scale", thing_scale_);
    torch::serialize::OutputArchive optimizer;
    optimizer_->save(optimizer);
    archive.write("optimizer", optimizer);
    const fs::path fresh = folder_ / "state.pt.new";
    archive.save_to(fresh.string());
    sync_path(fresh);
    fs::rename(fresh, state_path());
  }

  void load_state() {
    torch::serialize::InputArchive archive;
    archive.load_from(state_path().string());
    c10::IValue value;
    archive.read("identity", value);
    if (value.toStringRef() != identity()) {
      throw Error(ErrorCode::Incompatible, state_path().string(),
                  "belongs to a training with other options",
                  "repeat the options of that training, or name a new folder with --run");
    }
    archive.read("step", value);
    step_ = value.toInt();
    archive.read("seconds", value);
    seconds_ = value.toDouble();
    const torch::NoGradGuard guard;
    const auto read = [&](const std::string& key, Tensor tensor) {
      Tensor stored;
      archive.read(key, stored);
      tensor.copy_(stored);
    };
    for (const auto& [name, tensor] : parameters_->tensors()) {
      read(key_in_state("model", name), tensor);
    }
    for (const auto& [name, tensor] : muon_->momenta()) {
      read(key_in_state("momentum", name), tensor);
    }
    read("directions", directions_);
    read("text_scale", text_scale_);
    read("thing_scale", thing_scale_);
    torch::serialize::InputArchive optimizer;
    archive.read("optimizer", optimizer);
    optimizer_->load(optimizer);
  }

 public:
  void write_model(const fs::path& folder) const {
    fs::create_directories(folder);
    write_checkpoint(parameters_->tensors(), config_, folder);
    for (const char* name : {"vocab.json", "merges.txt"}) {
      if (!fs::equivalent(folder, folder_)) {
        fs::copy_file(folder_ / name, folder / name, fs::copy_options::overwrite_existing);
      }
    }
  }

 private:
  const Generator& generator_;
  const TrainOptions options_;
  const fs::path folder_;
  const Glossary glossary_;
  const Tokenizer tokenizer_;
  ClipConfig config_;
  const at::Device device_;
  const at::ScalarType type_;
  std::unique_ptr<Parameters> parameters_;
  Tensor directions_;  // [things and worlds, dimension]
  Tensor text_scale_;  // logarithms
  Tensor thing_scale_;
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::unique_ptr<Muon> muon_;  // of the matrices in the blocks, or of nothing
  int64_t step_ = 0;
  double seconds_ = 0;
};

}  // namespace

ClipConfig mini_config() {
  ClipConfig config;
  config.image = {256, 5, 4, 1024, Activation::Gelu};
  config.image_size_px = 96;
  config.patch_size_px = 16;
  config.text = {192, 3, 4, 768, Activation::Gelu};
  config.context_length = 77;
  config.dimension = 256;
  config.preprocessing.size_px = 96;
  return config;
}

bool train(const Generator& generator, const TrainOptions& options, const fs::path& run,
           const std::atomic<bool>& stop, const std::function<void(const Progress&)>& report) {
  keep_freed_memory();
  at::set_num_threads(static_cast<int>(options.threads == 0 ? available_cores() : options.threads));
  return Run(generator, options, run).train(stop, report);
}

void write_model(const Generator& generator, const TrainOptions& options, const fs::path& run,
                 const fs::path& folder) {
  Run(generator, options, run).write_model(folder);
}

}  // namespace zeroshelf::train
