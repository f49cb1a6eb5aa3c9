// The Encoder that load_encoder gives: tokenizer and network behind lib's interface. Tested by
// tests/clip/reference_test.cc.

#include "lib/encoder/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/fingerprint.h"
#include "models/checkpoint/torchscript_config.h"
#include "models/clip/load.h"
#include "models/clip/network.h"
#include "models/clip/torch_part.h"
#include "models/compute/kernels.h"
#include "models/text/text_cleaning.h"
#include "models/text/tokenizer.h"

namespace zeroshelf {
namespace {

Precision decide(const LoadOptions& options) {
  if (options.precision != Precision::Auto) return options.precision;
  return options.device == Device::Cuda || has_fast_bf16() ? Precision::Bf16 : Precision::Fp32;
}

std::unique_ptr<Network> make_network(std::shared_ptr<const Checkpoint> checkpoint,
                                      const LoadOptions& options) {
  if (options.device == Device::Cpu) {
    return make_cpu_network(std::move(checkpoint), options.side, decide(options), options.threads);
  }
  return torch_part().make_network(std::move(checkpoint), options.side, decide(options),
                                   options.device);
}

std::optional<Cleaning> cleaning_of(TextCleaning cleaning) {
  switch (cleaning) {
    case TextCleaning::Own:
      break;
    case TextCleaning::Canonical:
      return Cleaning::Canonical;
    case TextCleaning::Lower:
      return Cleaning::Clip;
    case TextCleaning::Whitespace:
      return Cleaning::Whitespace;
    case TextCleaning::Nothing:
      return Cleaning::Nothing;
  }
  return std::nullopt;
}

std::unique_ptr<TextTokenizer> load_vocabulary(Vocabulary vocabulary, TextCleaning named_cleaning,
                                               bool has_open_clip_marks, int64_t filled_up_to,
                                               const std::filesystem::path& folder,
                                               const LoadOptions& options) {
  const std::optional<Cleaning> cleaning = cleaning_of(named_cleaning);
  if (vocabulary != Vocabulary::Clip) {
    return load_piece_tokenizer(folder, options.vocabulary,
                                {cleaning, vocabulary == Vocabulary::RobertaPieces, filled_up_to});
  }
  TokenizerOptions how;
  how.cleaning = cleaning.value_or(Cleaning::Clip);
  how.has_open_clip_marks = has_open_clip_marks;
  return std::make_unique<Tokenizer>(Tokenizer::load(folder, options.vocabulary, how));
}

// What an encoder is put together from.
struct EncoderParts {
  // But kernel and batch_images, which the network says, and where it is 0 the dimension, which
  // comes from trying it.
  ModelInfo info;
  std::unique_ptr<TextTokenizer> tokenizer;  // null: the network takes raw texts
  std::optional<int32_t> pad_id;  // with which texts are filled up; nothing: they are not
  std::unique_ptr<Network> network;
};

class NetworkEncoder : public Encoder {
 public:
  explicit NetworkEncoder(EncoderParts parts)
      : info_(std::move(parts.info)),
        tokenizer_(std::move(parts.tokenizer)),
        pad_id_(parts.pad_id),
        network_(std::move(parts.network)) {
    info_.kernel = network_->kernel();
    info_.batch_images = network_->batch_images();
  }

  // The dimension, of what comes out for a grey picture and a letter. Throws Incompatible when they
  // have not the same.
  void find_dimension(EncoderSide side) {
    size_t of_picture = 0, of_text = 0;
    if (side != EncoderSide::TextOnly) {
      constexpr uint8_t kGrey = 128;
      Image grey;
      grey.width_px = grey.height_px = info_.preprocessing.size_px;
      grey.rgb.assign(3 * static_cast<size_t>(grey.width_px) * static_cast<size_t>(grey.height_px),
                      kGrey);
      of_picture = encode_images(std::span(&grey, 1)).columns();
    }
    if (side != EncoderSide::ImageOnly) {
      const std::string letter = "a";
      of_text = encode_texts(std::span(&letter, 1), LongText::Truncate).columns();
    }
    if (side == EncoderSide::Both && of_picture != of_text) {
      throw Error(ErrorCode::Incompatible, info_.path,
                  fmt::format("its vectors of pictures have {} numbers, those of texts {}",
                              of_picture, of_text),
                  "take a picture.pt and a text.pt of one model");
    }
    info_.dimension = static_cast<uint32_t>(std::max(of_picture, of_text));
  }

  const ModelInfo& info() const override { return info_; }

  Matrix encode_images(std::span<const Image> images) override {
    return checked([&] { return network_->encode_images(images); });
  }

  Matrix encode_texts(std::span<const std::string> texts, LongText long_text) override {
    return tokenizer_ ? encode_tokenised(texts, long_text) : encode_raw(texts);
  }

  std::vector<int32_t> tokenize(const std::string& text) const override {
    if (!tokenizer_) return {};
    return marked(tokenizer_->encode(text), LongText::Truncate).front();
  }

 private:
  Matrix encode_raw(std::span<const std::string> texts) {
    std::vector<std::string> sound;
    sound.reserve(texts.size());
    for (const std::string& text : texts) sound.push_back(clean_text(text, Cleaning::Nothing));
    return checked([&] { return network_->encode_texts(sound); });
  }

  Matrix encode_tokenised(std::span<const std::string> texts, LongText long_text) {
    std::vector<std::vector<int32_t>> sequences;
    std::vector<size_t> owners;  // of each sequence: the text it belongs to
    for (size_t i = 0; i < texts.size(); ++i) {
      for (auto& sequence : marked(tokenizer_->encode(texts[i]), long_text)) {
        sequences.push_back(std::move(sequence));
        owners.push_back(i);
      }
    }
    const Matrix vectors = checked([&] { return network_->encode_tokens(sequences); });
    Matrix result(texts.size(), vectors.columns());
    for (size_t i = 0; i < owners.size(); ++i) {
      const std::span<float> sum = result.row(owners[i]);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vectors.row(i)[j];
    }
    for (size_t i = 0; i < texts.size(); ++i) normalise(result.row(i));
    return result;
  }

  // Start and end mark around the ids: one sequence, or with Windows as many as it takes.
  std::vector<std::vector<int32_t>> marked(const std::vector<int32_t>& ids,
                                           LongText long_text) const {
    const auto start = tokenizer_->start_id();
    const size_t room = info_.context_length - (start ? 2 : 1);
    std::vector<std::vector<int32_t>> sequences;
    size_t first = 0;
    do {
      const size_t count = std::min(room, ids.size() - first);
      std::vector<int32_t> sequence;
      sequence.reserve(info_.context_length);
      if (start) sequence.push_back(*start);
      sequence.insert(sequence.end(), ids.begin() + static_cast<ptrdiff_t>(first),
                      ids.begin() + static_cast<ptrdiff_t>(first + count));
      sequence.push_back(tokenizer_->end_id());
      if (pad_id_) sequence.resize(info_.context_length, *pad_id_);
      sequences.push_back(std::move(sequence));
      first += count;
    } while (long_text == LongText::Windows && first < ids.size());
    return sequences;
  }

  // Runs the network, makes its vectors unit length, and answers for what comes out.
  template <class Run>
  Matrix checked(Run run) const {
    Matrix vectors;
    try {
      vectors = run();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      if (std::string_view(error.what()).find("allocate memory") != std::string_view::npos)
        throw std::bad_alloc();  // libtorch's own error
      throw Error(ErrorCode::Unavailable, info_.path,
                  std::string("the network could not be computed: ") + error.what());
    }
    const bool is_other = info_.dimension != 0 && info_.dimension != vectors.columns();
    if (vectors.rows() > 0 && is_other) {
      throw Error(ErrorCode::Incompatible, info_.path,
                  fmt::format("the model gives vectors of {} numbers, not of {}", vectors.columns(),
                              info_.dimension));
    }
    for (size_t i = 0; i < vectors.rows(); ++i) {
      normalise(vectors.row(i));
      double square = 0;
      for (const float value : vectors.row(i)) square += static_cast<double>(value) * value;
      if (!(std::abs(square - 1) < 1e-3)) {
        throw Error(ErrorCode::Corruption, info_.path,
                    "the model gives vectors that are not finite or zero",
                    "its weights are damaged: fetch them again");
      }
    }
    return vectors;
  }

  ModelInfo info_;
  std::unique_ptr<TextTokenizer> tokenizer_;
  std::optional<int32_t> pad_id_;
  std::unique_ptr<Network> network_;
};

std::string checked_fingerprint(const std::vector<std::filesystem::path>& files,
                                const std::string& configuration, const TextTokenizer* tokenizer,
                                const LoadOptions& options) {
  std::string fingerprint =
      model_fingerprint(files, configuration, tokenizer == nullptr ? "" : tokenizer->checksum());
  if (options.check_fingerprint) options.check_fingerprint(fingerprint);
  return fingerprint;
}

void check_vocabulary(const TextTokenizer& tokenizer, const Checkpoint& checkpoint) {
  if (tokenizer.size() <= checkpoint.config.vocabulary_size) return;
  throw Error(ErrorCode::Incompatible, checkpoint.weights.string(),
              fmt::format("the vocabulary has {} entries, the model knows {}", tokenizer.size(),
                          checkpoint.config.vocabulary_size),
              "use the model's own vocabulary");
}

std::unique_ptr<Encoder> load_checkpoint(const std::filesystem::path& path,
                                         const LoadOptions& options) {
  const auto checkpoint = std::make_shared<const Checkpoint>(open_checkpoint(path));
  const ClipConfig& config = checkpoint->config;
  if (options.side != EncoderSide::TextOnly && !config.has_image_tower) {
    throw Error(ErrorCode::Incompatible, checkpoint->path.string(),
                "a text tower alone, which encodes no pictures",
                "index with the model that it was trained for, and name this one with "
                "--text-model when you ask");
  }
  EncoderParts parts;
  // OpenCLIP's own files say how many tokens a text has; transformers goes by its tokenizer's.
  const bool goes_by_tokenizer = checkpoint->names == TensorNames::HuggingFace && config.pads_texts;
  parts.tokenizer =
      load_vocabulary(config.vocabulary, config.cleaning, config.has_open_clip_marks,
                      goes_by_tokenizer ? config.context_length : 0, checkpoint->folder, options);
  ModelInfo& info = parts.info;
  info.fingerprint = checked_fingerprint(checkpoint->weight_files, describe(config),
                                         parts.tokenizer.get(), options);
  parts.network = make_network(checkpoint, options);
  check_vocabulary(*parts.tokenizer, *checkpoint);
  if (config.pads_texts)
    parts.pad_id = parts.tokenizer->pad_id().value_or(static_cast<int32_t>(config.pad_id));
  info.name = checkpoint->name;
  info.path = checkpoint->path.string();
  info.dimension = static_cast<uint32_t>(config.dimension);
  info.logit_scale = read_logit_scale(*checkpoint);
  if (config.is_sigmoid) {
    info.scoring = Scoring::Sigmoid;
    info.logit_bias = read_logit_bias(*checkpoint);
  }
  info.has_picture_tower = config.has_image_tower;
  info.context_length = static_cast<uint32_t>(config.context_length);
  info.precision = decide(options) == Precision::Bf16 ? "bf16" : "fp32";
  info.preprocessing = config.preprocessing;
  return std::make_unique<NetworkEncoder>(std::move(parts));
}

// --- TorchScript --------------------------------------------------------------------------------

void expect_trust(const std::filesystem::path& folder, const LoadOptions& options) {
  if (options.trusts_code) return;
  throw Error(
      ErrorCode::InvalidArgument, folder.string(),
      "its picture.pt and text.pt are programs (TorchScript), which can do on this machine "
      "whatever you can; nothing of them was run",
      fmt::format("if you trust who made them, name the model and say so: {} {} --trust-code",
                  options.named_by, folder.string()));
}

void expect_own_precision(const std::filesystem::path& folder, const LoadOptions& options) {
  if (options.precision != Precision::Bf16) return;
  throw Error(ErrorCode::InvalidArgument, "--precision bf16",
              folder.string() + " is a pair of programs, which say themselves in what they compute",
              "leave --precision out");
}

TorchScriptPrograms programs_of(const std::filesystem::path& folder,
                                const TorchScriptConfig& config, const LoadOptions& options) {
  TorchScriptPrograms programs;
  if (options.side != EncoderSide::TextOnly) programs.picture = picture_program(folder);
  if (options.side != EncoderSide::ImageOnly) programs.text = text_program(folder);
  programs.preprocessing = config.preprocessing;
  programs.device = options.device;
  programs.threads = options.threads;
  return programs;
}

std::unique_ptr<Encoder> load_torchscript(const std::filesystem::path& named,
                                          const std::filesystem::path& folder,
                                          const LoadOptions& options) {
  expect_trust(folder, options);
  expect_own_precision(folder, options);
  const TorchScriptConfig config = read_torchscript_config(folder);
  EncoderParts parts;
  if (config.tokenizer == TorchScriptTokenizer::Vocabulary) {
    parts.tokenizer = load_vocabulary(config.vocabulary, config.cleaning,
                                      config.has_open_clip_marks, 0, folder, options);
    parts.pad_id =
        static_cast<int32_t>(config.pad_id.value_or(parts.tokenizer->pad_id().value_or(0)));
  }
  ModelInfo& info = parts.info;
  info.fingerprint = checked_fingerprint(
      {picture_program(folder), text_program(folder), torchscript_config_file(folder)},
      "torchscript", parts.tokenizer.get(), options);
  info.name = folder.filename().string();
  info.path = named.string();
  if (config.is_sigmoid) info.scoring = Scoring::Sigmoid;
  info.logit_scale = config.logit_scale;
  info.logit_bias = config.logit_bias;
  info.context_length = static_cast<uint32_t>(config.context_length);
  info.precision = "fp32";
  info.preprocessing = config.preprocessing;
  parts.network = torch_part().make_torchscript_network(programs_of(folder, config, options));
  auto encoder = std::make_unique<NetworkEncoder>(std::move(parts));
  encoder->find_dimension(options.side);
  return encoder;
}

}  // namespace

Matrix Network::encode_texts(std::span<const std::string>) {
  assert(!"a network that takes tokens");
  return {};
}

bool has_fast_bf16() {
  return clip_kernels::multiplies_bf16();
}

std::unique_ptr<Encoder> load_encoder(const std::filesystem::path& path,
                                      const LoadOptions& options) {
  const std::filesystem::path named = absolute_path(path);
  if (const auto folder = torchscript_folder(named))
    return load_torchscript(named, *folder, options);
  return load_checkpoint(path, options);
}

}  // namespace zeroshelf
