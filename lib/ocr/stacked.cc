// Tested by tests/ocr/stacked_test.cc.

#include "lib/ocr/stacked.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace zeroshelf {
namespace {

constexpr float kWidestGap = 0.22f;   // between parts, in widths of the wider one
constexpr float kLeastShared = 0.5f;  // of the narrower one's width
constexpr float kTallest = 1.35f;     // of the whole, in its width or its tallest part's height
constexpr float kMostUnlike = 55;     // levels
constexpr int kLeastArea = 4;

struct Part {
  cv::Rect box;
  size_t region = 0;
  const Glyph* glyph = nullptr;  // none where it is no glyph of its own
};

bool are_stacked(const cv::Rect& a, const cv::Rect& b) {
  const int shared = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const int gap = std::max(a.y, b.y) - std::min(a.y + a.height, b.y + b.height);
  return static_cast<float>(shared) >=
             kLeastShared * static_cast<float>(std::min(a.width, b.width)) &&
         static_cast<float>(gap) <=
             std::max(1.0f, kWidestGap * static_cast<float>(std::max(a.width, b.width)));
}

class Stacks {
 public:
  explicit Stacks(const Layer& layer) : layer_(layer) {
    std::vector<const Glyph*> glyph_of(layer.regions.size());
    int largest = 0;
    for (const Glyph& glyph : layer.glyphs) {
      glyph_of[glyph.region] = &glyph;
      const cv::Rect& box = layer.regions[glyph.region].box;
      largest = std::max({largest, box.width, box.height});
    }
    for (size_t i = 0; i < layer.regions.size(); ++i) {
      const Region& region = layer.regions[i];
      const bool may_be_part = region.area >= kLeastArea && region.box.width <= 2 * largest &&
                               region.box.height <= largest;
      if (glyph_of[i] != nullptr || may_be_part) parts_.push_back({region.box, i, glyph_of[i]});
    }
    std::ranges::sort(parts_, {},
                      [](const Part& part) { return std::pair(part.box.x, part.region); });
    root_.resize(parts_.size());
    std::iota(root_.begin(), root_.end(), size_t{0});
    for (const Part& part : parts_) {
      whole_.push_back(part.box);
      tallest_.push_back(part.box.height);
    }
  }

  Layer joined() {
    join();
    std::vector<std::vector<const Part*>> members(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) members[root_of(i)].push_back(&parts_[i]);
    Layer result = layer_;
    result.glyphs.clear();
    for (const auto& all : members) {
      const auto is_glyph = [](const Part* part) { return part->glyph != nullptr; };
      if (std::ranges::none_of(all, is_glyph)) continue;
      result.glyphs.push_back(all.size() == 1 ? *all.front()->glyph : whole_of(all, result));
    }
    return result;
  }

 private:
  size_t root_of(size_t i) {
    while (root_[i] != i) i = root_[i] = root_[root_[i]];
    return i;
  }

  float level_of_part(const Part& part) const {
    return part.glyph != nullptr ? part.glyph->level
                                 : mean_level(layer_, layer_.regions[part.region]);
  }

  // The nearest pairs first.
  void join() {
    struct Pair {
      int gap = 0;
      size_t a = 0;
      size_t b = 0;
    };
    std::vector<Pair> pairs;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Part& a = parts_[i];
      for (size_t j = i + 1; j < parts_.size() && parts_[j].box.x < a.box.x + a.box.width; ++j) {
        const Part& b = parts_[j];
        if ((a.glyph == nullptr && b.glyph == nullptr) || !are_stacked(a.box, b.box)) continue;
        if (std::abs(level_of_part(a) - level_of_part(b)) > kMostUnlike) continue;
        const int gap =
            std::max(a.box.y, b.box.y) - std::min(a.box.y + a.box.height, b.box.y + b.box.height);
        pairs.push_back({gap, i, j});
      }
    }
    std::ranges::stable_sort(pairs, {}, &Pair::gap);
    for (const Pair& pair : pairs) {
      const size_t a = root_of(pair.a);
      const size_t b = root_of(pair.b);
      if (a == b) continue;
      const cv::Rect both = whole_[a] | whole_[b];
      const int tallest = std::max(tallest_[a], tallest_[b]);
      if (static_cast<float>(both.height) >
          kTallest * static_cast<float>(std::max(both.width, tallest)))
        continue;
      root_[b] = a;
      whole_[a] = both;
      tallest_[a] = tallest;
    }
  }

  // Its region is added to the layer.
  Glyph whole_of(const std::vector<const Part*>& parts, Layer& layer) const {
    Glyph glyph;
    Region whole;
    whole.first_run = layer.runs.size();
    float weight = 0;
    for (const Part* part : parts) {
      const Region& region = layer_.regions[part->region];
      const auto runs = layer_.runs_of(region);
      layer.runs.insert(layer.runs.end(), runs.begin(), runs.end());
      whole.box = whole.area > 0 ? whole.box | region.box : region.box;
      whole.area += region.area;
      if (part->glyph == nullptr) continue;
      const auto area = static_cast<float>(region.area);
      weight += area;
      glyph.stroke_px += area * part->glyph->stroke_px;
      glyph.level += area * part->glyph->level;
      glyph.contrast += area * part->glyph->contrast;
      glyph.edge += area * part->glyph->edge;
    }
    std::stable_sort(layer.runs.begin() + static_cast<ptrdiff_t>(whole.first_run), layer.runs.end(),
                     [](const PixelRun& a, const PixelRun& b) { return a.y < b.y; });
    whole.run_count = layer.runs.size() - whole.first_run;
    for (float* mean : {&glyph.stroke_px, &glyph.level, &glyph.contrast, &glyph.edge})
      *mean /= weight;
    const auto scale = static_cast<float>(layer.scale);
    const cv::Rect2f box = whole.box;
    glyph.box = {box.x / scale, box.y / scale, box.width / scale, box.height / scale};
    glyph.fill = static_cast<float>(whole.area) / static_cast<float>(whole.box.area());
    glyph.region = layer.regions.size();
    layer.regions.push_back(whole);
    return glyph;
  }

  const Layer& layer_;
  std::vector<Part> parts_;  // from left to right
  std::vector<size_t> root_;
  std::vector<cv::Rect> whole_;  // of each root: the box of all
  std::vector<int> tallest_;     // of each root: the height of the tallest part
};

}  // namespace

Layer with_stacked_glyphs(const Layer& layer) {
  return Stacks(layer).joined();
}

}  // namespace zeroshelf
