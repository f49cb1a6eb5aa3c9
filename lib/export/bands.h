#pragma once

// Which pictures of a classification an export takes: sure ones, unsure ones, or neither.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/view.h"
#include "lib/fusion/fusion.h"

namespace zeroshelf {

struct BandOptions {
  std::optional<float> min_score;         // a lower one is unsure
  std::optional<uint64_t> max_per_label;  // how many of the sure ones, the best first
  std::vector<uint32_t> only;             // labels; empty: all
};

enum class Band : uint8_t { LeftOut, Sure, Unsure };

struct Bands {
  std::vector<Band> of_row;  // LeftOut for tombstones
  uint64_t sure = 0;
  uint64_t unsure = 0;     // below the least score, or without an answer
  uint64_t above_max = 0;  // left out because their label had enough better ones
};

// predictions: one a row. Of equal scores the one whose path comes first counts as better. Pictures whose
// label is not among `only` are left out, and so are those without an answer where there is an
// `only`.
Bands choose_bands(const View& collection, size_t labels,
                   const std::vector<Prediction>& predictions, const BandOptions& options);

// A validation split of the sure pictures: true for those of it. Stratified: of n pictures of a
// label round(fraction * n) are in it, at least one and at most n - 1 where n > 1 and the fraction
// is neither 0 nor 1. Which ones follows from their content alone, so the same pictures give the
// same split, whatever their names and rows are. Pictures of equal content are all on one side,
// that of training where the boundary would part them (so a label with one content has no
// validation).
std::vector<bool> choose_validation(const View& collection, size_t labels,
                                    const std::vector<Prediction>& predictions, const Bands& bands,
                                    double fraction);

// What a data set whose classes are folders must have, or programs that read it go wrong in
// silence: torchvision numbers the classes of each half by the folders that it has, and passes over
// files with other endings than it knows.
struct ImageFolderFaults {
  // Labels with pictures in one half alone, and how many. None where there is one half only.
  std::vector<std::pair<uint32_t, uint64_t>> one_sided;
  std::vector<std::string> endings;  // that torchvision does not read; "" for none
  uint64_t unread = 0;               // pictures with such endings
};
ImageFolderFaults image_folder_faults(const View& collection, size_t labels,
                                      const std::vector<Prediction>& predictions,
                                      const Bands& bands, const std::vector<bool>& validation);

// Makes the sure pictures of a label ones that are left out.
void leave_out(Bands& bands, const std::vector<Prediction>& predictions, uint32_t label);

}  // namespace zeroshelf
