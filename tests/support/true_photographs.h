#pragma once

// CLIP's own vectors of 340 photographs as a collection, names that people use of them, and names
// that nobody does. Of the reference data, see shared_data.h. Values that it lacks throw.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/search/search.h"
#include "tests/support/shared_data.h"

namespace zeroshelf::testing {

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

inline Matrix unit_rows(const std::filesystem::path& path) {
  const NpyArray array = read_npy(path);
  Matrix matrix(array.shape.at(0), array.shape.at(1));
  for (size_t i = 0; i < matrix.rows(); ++i) {
    std::copy_n(array.values.begin() + static_cast<ptrdiff_t>(i * matrix.columns()),
                matrix.columns(), matrix.row(i).begin());
    normalise(matrix.row(i));
  }
  return matrix;
}

class TruePhotographs {
 public:
  static constexpr size_t kParts = 4;  // of the thousand names: each in turn is the background

  TruePhotographs()
      : folder_(shared_directory() / "true_clip"),
        labels_(unit_rows(folder_ / "captioned/label_vectors.npy")),
        names_(unit_rows(folder_ / "imagenet_names/text_vectors.npy")) {
    const std::vector<std::string> labels = lines_of(folder_ / "captioned/labels.txt");
    const std::vector<std::string> names = lines_of(folder_ / "imagenet_names/names.txt");
    const NpyArray truth = read_npy(folder_ / "captioned/truth.npy");  // -1, 0, 1
    const auto truth_of = [&](size_t row, size_t label) {
      return truth.values.at(row * labels.size() + label);
    };
    for (size_t k = 0; k < labels.size(); ++k) {
      bool is_used = false;
      for (size_t row = 0; row < truth.shape.at(0); ++row) is_used |= truth_of(row, k) == 1;
      if (is_used) used_.push_back(k);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      const bool is_label = std::ranges::any_of(labels, [&](const std::string& label) {
        return names[i].find(label) != std::string::npos;
      });
      if (!is_label) others_.push_back(i);
    }
    find_unsaid();
  }

  void make_collection(const std::filesystem::path& path) const {
    const Matrix captioned = unit_rows(folder_ / "captioned/image_vectors.npy");
    const Matrix gallery = unit_rows(folder_ / "gallery/image_vectors.npy");
    const std::vector<std::string> picture = lines_of(folder_ / "captioned/picture_of_row.txt");
    Manifest manifest;
    manifest.model_name = manifest.model_fingerprint = "true";
    manifest.dimension = static_cast<uint32_t>(captioned.columns());
    Batch batch;
    const auto add = [&](std::span<const float> vector) {
      NewPicture added;
      added.record.file.path = "/" + std::to_string(batch.added.size());
      added.image_vector.assign(vector.begin(), vector.end());
      batch.added.push_back(std::move(added));
    };
    for (size_t row = 0; row < captioned.rows(); ++row)
      if (row == 0 || picture.at(row) != picture.at(row - 1)) add(captioned.row(row));
    for (size_t row = 0; row < gallery.rows(); ++row) add(gallery.row(row));
    CollectionWriter::open_or_create(path, manifest).commit(batch);
  }

  Matrix background(size_t part) const {
    Matrix rows(names_.rows() / kParts, names_.columns());
    for (size_t i = 0; i < rows.rows(); ++i)
      std::ranges::copy(names_.row(i * kParts + part), rows.row(i).begin());
    return rows;
  }

  // Of these, label(k): at least two people use it of one picture.
  const std::vector<size_t>& used() const { return used_; }
  std::span<const float> label(size_t k) const { return labels_.row(k); }

  // Names without those labels that are no part of the background: all, or those that no sentence
  // about any of the pictures comes near; the others may well be there.
  std::vector<size_t> others(size_t part) const { return outside(others_, part); }
  std::vector<size_t> unsaid(size_t part) const { return outside(unsaid_, part); }
  std::span<const float> name(size_t i) const { return names_.row(i); }

 private:
  static std::vector<size_t> outside(const std::vector<size_t>& names, size_t part) {
    std::vector<size_t> kept;
    std::ranges::copy_if(names, std::back_inserter(kept),
                         [&](size_t i) { return i % kParts != part; });
    return kept;
  }

  static Matrix centred(Matrix rows) {
    std::vector<double> mean(rows.columns());
    for (size_t i = 0; i < rows.rows(); ++i)
      for (size_t k = 0; k < mean.size(); ++k)
        mean[k] += rows.row(i)[k] / static_cast<double>(rows.rows());
    for (size_t i = 0; i < rows.rows(); ++i) {
      for (size_t k = 0; k < mean.size(); ++k) rows.row(i)[k] -= static_cast<float>(mean[k]);
      normalise(rows.row(i));
    }
    return rows;
  }

  // By the cosines about the means. Of the labels' truth 98 % of the pairs that nobody says are
  // below this limit for all five sentences, and a quarter of those that two people say.
  void find_unsaid() {
    constexpr float kNear = 0.25f;
    const Matrix names = centred(names_);
    std::vector<bool> is_near(names.rows());
    for (const char* file : {"captioned/text_vectors.npy", "gallery/caption_vectors.npy"}) {
      const Matrix sentences = centred(unit_rows(folder_ / file));
      for (size_t i = 0; i < names.rows(); ++i)
        for (size_t row = 0; row < sentences.rows() && !is_near[i]; ++row)
          is_near[i] = std::inner_product(names.row(i).begin(), names.row(i).end(),
                                          sentences.row(row).begin(), 0.0f) >= kNear;
    }
    std::ranges::copy_if(others_, std::back_inserter(unsaid_),
                         [&](size_t i) { return !is_near[i]; });
  }

  std::filesystem::path folder_;
  Matrix labels_;
  Matrix names_;
  std::vector<size_t> used_;
  std::vector<size_t> others_;
  std::vector<size_t> unsaid_;
};

}  // namespace zeroshelf::testing
