#pragma once

// The picture file of a record, as it is now.

#include <variant>

#include "lib/collection/records.h"
#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// Its pixels; or why not: the file is gone, cannot be read, or is not the one that was indexed.
std::variant<Image, Skip> indexed_picture(const PictureRecord& record);

}  // namespace zeroshelf
