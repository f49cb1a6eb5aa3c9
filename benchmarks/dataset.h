#pragma once

// A folder-per-class data set, and how it is divided.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf::bench {

struct Example {
  std::string path;
  size_t class_number = 0;
};

struct Dataset {
  std::vector<std::string> classes;  // folder names, in byte order
  std::vector<Example> examples;     // in the order of their paths
};

// The files below each folder of root. Throws NotFound, or InvalidArgument when there are fewer
// than two classes.
Dataset find_dataset(const std::filesystem::path& root);

// Places in a list of examples.
struct TrainingSplit {
  std::vector<size_t> training;
  std::vector<size_t> test;
};

// The same share of every class, chosen by the seed. Each class with two examples or more has one
// on both sides.
TrainingSplit stratified_split(const std::vector<Example>& examples, double training_share,
                               uint64_t seed);

}  // namespace zeroshelf::bench
