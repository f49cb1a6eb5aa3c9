#pragma once

// Keywords that people gave to half of a group's pictures.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labelling/suggest.h"

namespace zeroshelf {

// A few keywords of each group, those that tell it best from the other groups first. sample: live
// rows, of which the files are read; of_row: the group of each of the collection's rows, or
// kNoGroup.
//
// Every part of a keyword is one: a picture that has "animal/bird" has "animal" and "bird", without
// regard to capitals. One counts where at least three and at least half of the group's pictures have
// it, and at least twice as large a share of them as of the sample's others. Pictures that are not
// there, and what is no XMP, are passed over. The answer follows from the files alone.
std::vector<std::vector<SharedWord>> shared_keywords(const View& collection,
                                                     std::span<const Row> sample,
                                                     std::span<const uint32_t> of_row,
                                                     size_t groups);

}  // namespace zeroshelf
