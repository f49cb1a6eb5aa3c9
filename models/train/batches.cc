// Tested by tests/train/trainer_test.cc.

#include "models/train/batches.h"

#include <algorithm>
#include <utility>

namespace zeroshelf::train {
namespace {

constexpr double kGlossaryShare = 0.25;
constexpr uint64_t kItemsPerStep = uint64_t{1} << 20;

}  // namespace

std::vector<int32_t> marked_tokens(const Tokenizer& tokenizer, const std::string& text,
                                   size_t longest) {
  std::vector<int32_t> tokens = {tokenizer.start_id().value()};
  const std::vector<int32_t> ids = tokenizer.encode(text);
  const size_t kept = std::min(ids.size(), longest - 2);
  tokens.insert(tokens.end(), ids.begin(), ids.begin() + static_cast<ptrdiff_t>(kept));
  tokens.push_back(tokenizer.end_id());
  return tokens;
}

Batch make_batch(const Generator& generator, const Glossary& glossary, const Tokenizer& tokenizer,
                 const BatchOptions& options, uint64_t step) {
  const auto tokens = [&](const std::string& text) {
    return marked_tokens(tokenizer, text, options.longest_text);
  };
  PictureOptions picture_options;
  picture_options.width_px = picture_options.height_px = options.image_size_px;
  picture_options.ease = std::max(0.0, 1 - static_cast<double>(step) / options.easy_steps);
  Batch batch;
  uint64_t item = step * kItemsPerStep;
  for (size_t i = 0; i < options.pictures; ++i) {
    Random random = Random::of_item(options.seed, item++);
    CaptionedPicture picture = generator.any(random, picture_options);
    batch.images.push_back(std::move(picture.image));
    batch.contents.push_back(std::move(picture.content));
    batch.captions.push_back(tokens(picture.caption));
    batch.caption_keys.push_back(picture.caption_key);
  }
  for (size_t i = 0; i < options.text_pairs; ++i) {
    Random random = Random::of_item(options.seed, item++);
    const TextPair pair = random.chance(kGlossaryShare)
                              ? glossary.pair(random)
                              : generator.text_pair(random, Part::Training);
    batch.ones.push_back(tokens(pair.one));
    batch.others.push_back(tokens(pair.other));
    batch.pair_keys.push_back(pair.key);
  }
  return batch;
}

}  // namespace zeroshelf::train
