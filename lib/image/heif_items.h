#pragma once

// The items that a HEIF file lists, as far as its primary picture is made of them; private to
// lib/image.
//
// Telephones write more than a photograph: gain maps, depth, a tone-mapped rendition made of both,
// and references of one such item to several others, which libheif 1.15 takes for damage. Nothing
// of it is needed for the picture, so what does not belong to it is left out before libheif sees
// the file.
//
// Source: ISO/IEC 14496-12 (8.11), 23008-12 (6, 7). Threads: any.

#include <optional>
#include <string>

#include "lib/image/decoders.h"

namespace zeroshelf {

struct HeifItems {
  bool has_overlay = false;  // among the items that the primary picture is made of
  bool is_nested = false;    // it is made of items that are made of others in their turn
  // The file without references that the primary picture does not need; absent where there are
  // none, so that the file can be read as it is.
  std::optional<std::string> pruned;
};

// Nothing where the list cannot be read.
std::optional<HeifItems> read_heif_items(Bytes file);

}  // namespace zeroshelf
