// Tested by tests/train/trainer_test.cc.

#include "models/train/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "lib/image/preprocess.h"
#include "lib/util/parallel.h"

namespace zeroshelf::train {
namespace {

constexpr size_t kFewNames = 20;

// Pictures are drawn at this size and go through the product's own resizing.
constexpr int kDrawnPx = 256;

PictureOptions picture_options() {
  PictureOptions options;
  options.width_px = options.height_px = kDrawnPx;
  options.part = Part::HeldOut;
  return options;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// How many rows of candidates are nearer to query than the right one.
size_t rank_of(std::span<const float> query, const Matrix& candidates, size_t right) {
  const double wanted = dot(query, candidates.row(right));
  size_t rank = 0;
  for (size_t i = 0; i < candidates.rows(); ++i) {
    rank += i != right && dot(query, candidates.row(i)) >= wanted;
  }
  return rank;
}

Image crop_of(const Image& image, const Encoder& encoder) {
  return resize_and_crop(image, encoder.info().preprocessing.size_px);
}

// The vectors of count pictures; draw(i) gives the i-th and may run in any thread.
template <class Draw>
Matrix encode_drawn(Encoder& encoder, size_t count, const Draw& draw) {
  std::vector<Image> crops(count);
  parallel_chunks(count, 16, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) crops[i] = crop_of(draw(i), encoder);
  });
  return encoder.encode_images(crops);
}

void measure_singles(const Generator& generator, Encoder& encoder, const FigureOptions& options,
                     std::vector<Figure>& figures) {
  const std::vector<Thing>& things = generator.things();
  std::vector<std::string> names;
  for (const Thing& thing : things) names.push_back(thing.name);
  const Matrix texts = encoder.encode_texts(names, LongText::Truncate);
  std::vector<size_t> shown(options.singles);
  const Matrix pictures = encode_drawn(encoder, options.singles, [&](size_t i) {
    Random random = Random::of_item(options.seed, i);
    shown[i] = random.below(things.size());
    return generator.single(shown[i], random, picture_options()).image;
  });
  Figure first{fmt::format("one thing, its name first among all {}", things.size()), {}};
  Figure five{fmt::format("one thing, its name among the best five of {}", things.size()), {}};
  Figure few{fmt::format("one thing, its name first among {} drawn at random", kFewNames), {}};
  for (size_t i = 0; i < options.singles; ++i) {
    const auto picture = pictures.row(i);
    const size_t rank = rank_of(picture, texts, shown[i]);
    first.share.add(rank == 0);
    five.share.add(rank < 5);
    Random random = Random::of_item(options.seed + 1, i);
    const double wanted = dot(picture, texts.row(shown[i]));
    bool is_first = true;
    for (std::set<size_t> others = {shown[i]};
         others.size() < std::min(kFewNames, things.size());) {
      const size_t other = random.below(things.size());
      if (others.insert(other).second) is_first &= dot(picture, texts.row(other)) < wanted;
    }
    few.share.add(is_first);
  }
  figures.insert(figures.end(), {first, five, few});
}

// Pictures of anything, no two of the same content or caption; each caption must find its own.
void measure_finding(const Generator& generator, Encoder& encoder, const FigureOptions& options,
                     std::vector<Figure>& figures) {
  std::vector<uint64_t> items;
  std::vector<std::string> captions;
  std::set<uint64_t> contents;
  std::set<std::string> known;
  for (uint64_t item = 0; items.size() < options.found; ++item) {
    Random random = Random::of_item(options.seed + 2, item);
    const CaptionedPicture picture = generator.any(random, {16, 16, 0, 0, Part::HeldOut});
    const bool of_world_alone = picture.caption_key != picture.content.key;
    if (of_world_alone || known.contains(picture.caption)) continue;
    if (!contents.insert(picture.content.key).second) continue;
    known.insert(picture.caption);
    captions.push_back(picture.caption);
    items.push_back(item);
  }
  const Matrix pictures = encode_drawn(encoder, items.size(), [&](size_t i) {
    Random random = Random::of_item(options.seed + 2, items[i]);
    return generator.any(random, picture_options()).image;
  });
  const Matrix texts = encoder.encode_texts(captions, LongText::Truncate);
  Figure first{fmt::format("a caption finds its picture first among {}", items.size()), {}};
  for (size_t i = 0; i < items.size(); ++i) {
    first.share.add(rank_of(texts.row(i), pictures, i) == 0);
  }
  figures.push_back(first);
}

void measure_worlds(const Generator& generator, Encoder& encoder, const FigureOptions& options,
                    std::vector<Figure>& figures) {
  const std::vector<World>& worlds = generator.worlds();
  std::vector<std::string> labels;
  for (const World& world : worlds) labels.push_back(world.label);
  const Matrix label_vectors = encoder.encode_texts(labels, LongText::Truncate);

  std::vector<std::string> sentences;
  for (size_t i = 0; i < options.sentences; ++i) {
    Random random = Random::of_item(options.seed + 3, i);
    sentences.push_back(sentence(worlds[i % worlds.size()], Part::HeldOut, random));
  }
  const Matrix sentence_vectors = encoder.encode_texts(sentences, LongText::Truncate);
  Figure of_two{"a held-out sentence is nearer to its theme than to another", {}};
  Figure of_all{fmt::format("a held-out sentence, its theme first among {}", worlds.size()), {}};
  for (size_t i = 0; i < sentences.size(); ++i) {
    const size_t right = i % worlds.size();
    Random random = Random::of_item(options.seed + 4, i);
    const size_t other = (right + 1 + random.below(worlds.size() - 1)) % worlds.size();
    const auto vector = sentence_vectors.row(i);
    of_two.share.add(dot(vector, label_vectors.row(right)) > dot(vector, label_vectors.row(other)));
    of_all.share.add(rank_of(vector, label_vectors, right) == 0);
  }

  const Matrix scenes = encode_drawn(encoder, options.scenes, [&](size_t i) {
    Random random = Random::of_item(options.seed + 5, i);
    return generator.scene(i % worlds.size(), std::nullopt, random, picture_options()).image;
  });
  Figure scene{fmt::format("a scene, its theme first among {}", worlds.size()), {}};
  for (size_t i = 0; i < options.scenes; ++i) {
    scene.share.add(rank_of(scenes.row(i), label_vectors, i % worlds.size()) == 0);
  }
  figures.insert(figures.end(), {of_two, of_all, scene});
}

}  // namespace

std::vector<Figure> measure_figures(const Generator& generator, Encoder& encoder,
                                    const FigureOptions& options) {
  std::vector<Figure> figures;
  measure_singles(generator, encoder, options, figures);
  measure_finding(generator, encoder, options, figures);
  measure_worlds(generator, encoder, options, figures);
  return figures;
}

std::string as_table(const std::vector<Figure>& figures) {
  std::string table = "| held-out figure | share | 95 % interval | trials |\n|---|---|---|---|\n";
  for (const Figure& figure : figures) {
    table += fmt::format("| {} | {:.1f} % | {:.1f} to {:.1f} % | {} |\n", figure.name,
                         100 * figure.share.value(), 100 * figure.share.low(),
                         100 * figure.share.high(), figure.share.trials);
  }
  return table;
}

}  // namespace zeroshelf::train
