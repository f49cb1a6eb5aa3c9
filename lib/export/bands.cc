// Tested by tests/export/bands_test.cc.

#include "lib/export/bands.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>

#include "lib/collection/path_order.h"
#include "lib/export/best_rows.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

bool wanted(const std::vector<uint32_t>& only, uint32_t label) {
  return only.empty() || std::ranges::find(only, label) != only.end();
}

// Leaves out all but the count best rows of a label.
void keep_best(std::vector<Row>& rows, uint64_t count, const std::vector<Prediction>& predictions,
               const PathOrder& by_path, Bands& bands) {
  const size_t kept = move_best_to_front(rows, count, predictions, std::cref(by_path));
  for (size_t i = kept; i < rows.size(); ++i) bands.of_row[rows[i]] = Band::LeftOut;
  bands.above_max += rows.size() - kept;
  bands.sure -= rows.size() - kept;
}

struct Drawn {
  ContentHash hash;
  Row row = 0;
};

size_t validation_size(size_t pictures, double fraction) {
  if (fraction <= 0 || pictures == 0) return 0;
  if (fraction >= 1) return pictures;
  const auto size = static_cast<size_t>(std::lround(fraction * static_cast<double>(pictures)));
  return pictures == 1 ? 0 : std::clamp<size_t>(size, 1, pictures - 1);
}

}  // namespace

Bands choose_bands(const View& collection, size_t labels,
                   const std::vector<Prediction>& predictions, const BandOptions& options) {
  Bands bands;
  bands.of_row.assign(predictions.size(), Band::LeftOut);
  std::vector<std::vector<Row>> sure(options.max_per_label ? labels : 0);
  for (Row row = 0; row < predictions.size(); ++row) {
    if (!collection.is_live(row)) continue;
    const Prediction& prediction = predictions[row];
    if (!prediction.winner) {
      if (!options.only.empty()) continue;
      bands.of_row[row] = Band::Unsure;
      ++bands.unsure;
      continue;
    }
    const auto& answer = prediction.answer();
    if (!wanted(options.only, answer.label)) continue;
    if (options.min_score && answer.score < *options.min_score) {
      bands.of_row[row] = Band::Unsure;
      ++bands.unsure;
      continue;
    }
    bands.of_row[row] = Band::Sure;
    ++bands.sure;
    if (options.max_per_label) sure[answer.label].push_back(row);
  }
  const PathOrder by_path(collection);
  for (std::vector<Row>& rows : sure)
    keep_best(rows, *options.max_per_label, predictions, by_path, bands);
  return bands;
}

std::vector<bool> choose_validation(const View& collection, size_t labels,
                                    const std::vector<Prediction>& predictions, const Bands& bands,
                                    double fraction) {
  std::vector<std::vector<Drawn>> of_label(labels);
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    if (bands.of_row[row] == Band::Sure)
      of_label[predictions[row].answer().label].push_back({record.content_hash, row});
  });
  std::vector<bool> validation(predictions.size());
  for (std::vector<Drawn>& drawn : of_label) {
    std::ranges::sort(drawn, [](const Drawn& a, const Drawn& b) { return a.hash < b.hash; });

    // Equal contents stay together, on the side of training.
    size_t end = validation_size(drawn.size(), fraction);
    while (end > 0 && end < drawn.size() && drawn[end].hash == drawn[end - 1].hash) --end;
    for (size_t i = 0; i < end; ++i) validation[drawn[i].row] = true;
  }
  return validation;
}

ImageFolderFaults image_folder_faults(const View& collection, size_t labels,
                                      const std::vector<Prediction>& predictions,
                                      const Bands& bands, const std::vector<bool>& validation) {
  constexpr std::array<std::string_view, 9> kRead = {".bmp", ".jpeg", ".jpg",  ".pgm", ".png",
                                                     ".ppm", ".tif",  ".tiff", ".webp"};
  std::vector<std::array<uint64_t, 2>> halves(labels);  // training, validation
  std::set<std::string> endings;
  ImageFolderFaults faults;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    if (bands.of_row[row] != Band::Sure) return;
    ++halves[predictions[row].answer().label][validation[row] ? 1 : 0];
    std::string ending = std::filesystem::path(record.file.path).extension().string();
    for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (std::ranges::find(kRead, ending) != kRead.end()) return;
    endings.insert(ending);
    ++faults.unread;
  });
  faults.endings.assign(endings.begin(), endings.end());
  const auto has = [&](size_t half) {
    return std::ranges::any_of(halves, [&](const auto& counts) { return counts[half] > 0; });
  };
  if (!has(0) || !has(1)) return faults;
  for (uint32_t label = 0; label < labels; ++label) {
    const auto& [training, held_out] = halves[label];
    if ((training > 0) != (held_out > 0)) faults.one_sided.emplace_back(label, training + held_out);
  }
  return faults;
}

void leave_out(Bands& bands, const std::vector<Prediction>& predictions, uint32_t label) {
  for (Row row = 0; row < bands.of_row.size(); ++row) {
    if (bands.of_row[row] != Band::Sure || predictions[row].answer().label != label) continue;
    bands.of_row[row] = Band::LeftOut;
    --bands.sure;
  }
}

}  // namespace zeroshelf
