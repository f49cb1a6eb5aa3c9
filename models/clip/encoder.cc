// The Encoder that load_encoder gives: tokenizer and network behind lib's interface. Tested by
// tests/clip/reference_test.cc.

#include "lib/encoder/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "lib/util/error.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/fingerprint.h"
#include "models/clip/load.h"
#include "models/clip/network.h"
#include "models/clip/torch_part.h"
#include "models/compute/kernels.h"
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

std::unique_ptr<TextTokenizer> load_tokenizer(const Checkpoint& checkpoint,
                                              const LoadOptions& options) {
  const ClipConfig& config = checkpoint.config;
  const std::optional<Cleaning> cleaning = cleaning_of(config.cleaning);
  if (config.vocabulary != Vocabulary::Clip) {
    return load_piece_tokenizer(checkpoint.folder, options.vocabulary,
                                {cleaning, config.vocabulary == Vocabulary::RobertaPieces});
  }
  TokenizerOptions how;
  how.cleaning = cleaning.value_or(Cleaning::Clip);
  how.has_open_clip_marks = config.has_open_clip_marks;
  return std::make_unique<Tokenizer>(Tokenizer::load(checkpoint.folder, options.vocabulary, how));
}

std::string checked_fingerprint(const Checkpoint& checkpoint, const TextTokenizer& tokenizer,
                                const LoadOptions& options) {
  std::string fingerprint =
      model_fingerprint(checkpoint.weight_files, describe(checkpoint.config), tokenizer.checksum());
  if (options.check_fingerprint) options.check_fingerprint(fingerprint);
  return fingerprint;
}

class ClipEncoder : public Encoder {
 public:
  ClipEncoder(std::shared_ptr<const Checkpoint> checkpoint, const LoadOptions& options)
      : checkpoint_(std::move(checkpoint)),
        tokenizer_(load_tokenizer(*checkpoint_, options)),
        fingerprint_(checked_fingerprint(*checkpoint_, *tokenizer_, options)),
        network_(make_network(checkpoint_, options)) {
    const ClipConfig& config = checkpoint_->config;
    if (tokenizer_->size() > config.vocabulary_size) {
      throw Error(ErrorCode::Incompatible, checkpoint_->weights.string(),
                  fmt::format("the vocabulary has {} entries, the model knows {}",
                              tokenizer_->size(), config.vocabulary_size),
                  "use the model's own vocabulary");
    }
    info_.name = checkpoint_->name;
    info_.path = checkpoint_->path.string();
    info_.fingerprint = fingerprint_;
    info_.dimension = static_cast<uint32_t>(config.dimension);
    info_.logit_scale = read_logit_scale(*checkpoint_);
    if (config.is_sigmoid) {
      info_.scoring = Scoring::Sigmoid;
      info_.logit_bias = read_logit_bias(*checkpoint_);
    }
    info_.has_picture_tower = config.has_image_tower;
    info_.context_length = static_cast<uint32_t>(config.context_length);
    info_.precision = decide(options) == Precision::Bf16 ? "bf16" : "fp32";
    info_.kernel = network_->kernel();
    info_.batch_images = network_->batch_images();
    info_.preprocessing = config.preprocessing;
  }

  const ModelInfo& info() const override { return info_; }

  Matrix encode_images(std::span<const Image> images) override {
    return checked([&] { return network_->encode_images(images); });
  }

  Matrix encode_texts(std::span<const std::string> texts, LongText long_text) override {
    std::vector<std::vector<int32_t>> sequences;
    std::vector<size_t> owners;  // of each sequence: the text it belongs to
    for (size_t i = 0; i < texts.size(); ++i) {
      for (auto& sequence : marked(tokenizer_->encode(texts[i]), long_text)) {
        sequences.push_back(std::move(sequence));
        owners.push_back(i);
      }
    }
    const Matrix vectors = checked([&] { return network_->encode_tokens(sequences); });
    Matrix result(texts.size(), info_.dimension);
    for (size_t i = 0; i < owners.size(); ++i) {
      const std::span<float> sum = result.row(owners[i]);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vectors.row(i)[j];
    }
    for (size_t i = 0; i < texts.size(); ++i) normalise(result.row(i));
    return result;
  }

  std::vector<int32_t> tokenize(const std::string& text) const override {
    return marked(tokenizer_->encode(text), LongText::Truncate).front();
  }

 private:
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
      if (checkpoint_->config.pads_texts) sequence.resize(info_.context_length, pad_id());
      sequences.push_back(std::move(sequence));
      first += count;
    } while (long_text == LongText::Windows && first < ids.size());
    return sequences;
  }

  int32_t pad_id() const {
    return tokenizer_->pad_id().value_or(static_cast<int32_t>(checkpoint_->config.pad_id));
  }

  // Runs the network, makes its vectors unit length, and answers for what comes out.
  template <class Run>
  Matrix checked(Run run) const {
    Matrix vectors;
    try {
      vectors = run();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      if (std::string_view(error.what()).find("allocate memory") != std::string_view::npos)
        throw std::bad_alloc();  // libtorch's own error
      throw Error(ErrorCode::Unavailable, info_.path,
                  std::string("the network could not be computed: ") + error.what());
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

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::unique_ptr<TextTokenizer> tokenizer_;
  std::string fingerprint_;
  std::unique_ptr<Network> network_;
  ModelInfo info_;
};

}  // namespace

bool has_fast_bf16() {
  return clip_kernels::multiplies_bf16();
}

std::unique_ptr<Encoder> load_encoder(const std::filesystem::path& checkpoint,
                                      const LoadOptions& options) {
  auto opened = std::make_shared<const Checkpoint>(open_checkpoint(checkpoint));
  if (options.side != EncoderSide::TextOnly && !opened->config.has_image_tower) {
    throw Error(ErrorCode::Incompatible, opened->path.string(),
                "a text tower alone, which encodes no pictures",
                "index with the model that it was trained for, and name this one with "
                "--text-model when you ask");
  }
  return std::make_unique<ClipEncoder>(std::move(opened), options);
}

}  // namespace zeroshelf
