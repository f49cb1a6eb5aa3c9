// Tested by tests/baselines/dataset_test.cc.

#include "benchmarks/dataset.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <variant>

#include "lib/files/find_files.h"
#include "lib/util/error.h"
#include "lib/util/random.h"

namespace zeroshelf::bench {
namespace {

namespace fs = std::filesystem;

void shuffle(std::vector<size_t>& items, Random& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace

Dataset find_dataset(const fs::path& root) {
  if (!fs::is_directory(root)) {
    throw Error(ErrorCode::NotFound, root.string(), "no such folder", "name a data set's folder");
  }
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.')) {
      folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  Dataset dataset;
  for (const fs::path& folder : folders) {
    const size_t before = dataset.examples.size();
    find_files({folder}, {}, [&](const std::variant<FoundFile, SkippedPath>& found) {
      if (const FoundFile* file = std::get_if<FoundFile>(&found)) {
        dataset.examples.push_back({file->path, dataset.classes.size()});
      }
    });
    if (dataset.examples.size() > before) dataset.classes.push_back(folder.filename().string());
  }
  if (dataset.classes.size() < 2) {
    throw Error(ErrorCode::InvalidArgument, root.string(), "has fewer than two folders with files",
                "name a folder that has one folder of pictures for each class");
  }
  return dataset;
}

TrainingSplit stratified_split(const std::vector<Example>& examples, double training_share, uint64_t seed) {
  std::map<size_t, std::vector<size_t>> of_class;
  for (size_t i = 0; i < examples.size(); ++i) of_class[examples[i].class_number].push_back(i);
  TrainingSplit split;
  Random random(seed);
  for (auto& [number, places] : of_class) {
    shuffle(places, random);
    auto kept =
        static_cast<size_t>(std::lround(training_share * static_cast<double>(places.size())));
    if (places.size() >= 2) kept = std::clamp<size_t>(kept, 1, places.size() - 1);
    const auto middle = places.begin() + static_cast<ptrdiff_t>(kept);
    split.training.insert(split.training.end(), places.begin(), middle);
    split.test.insert(split.test.end(), middle, places.end());
  }
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

}  // namespace zeroshelf::bench
