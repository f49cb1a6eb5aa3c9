#pragma once

// The picture file of a record, as it is now.

#include <string>
#include <variant>

#include "lib/collection/records.h"
#include "lib/image/decode.h"
#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// Its pixels; or why not: the file is gone, cannot be read, or is not the one that was indexed.
std::variant<Image, Skip> indexed_picture(const PictureRecord& record);

// The bytes of its file, or why not.
std::variant<std::string, Skip> indexed_file(const PictureRecord& record);

// For decoding it: the limits of indexing, or as high as this picture needed them.
DecodeLimits limits_for(const PictureRecord& record);

}  // namespace zeroshelf
