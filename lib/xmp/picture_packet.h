#pragma once

// The XMP packet in a picture's file, by what the formats say of where it stands: JPEG, PNG, WebP
// and TIFF. Nothing else of the file is parsed, and nothing else in it changes: pixels, Exif,
// profiles, other pictures behind it keep their bytes (in a TIFF also their places).
//
// Sources: XMP Specification Part 3 (Adobe, 2020); ITU-T T.81; PNG (W3C); WebP Container
// Specification (Google); TIFF 6.0.
//
// Pictures are hostile: lengths are checked before they are believed. Threads: any.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/xmp/byte_edits.h"

namespace zeroshelf {

// Where a picture's bytes are read from.
struct PictureBytes {
  uint64_t size = 0;
  // Fills out with the bytes from there on; only called for those that there are. Returns whether
  // they could be read.
  std::function<bool(uint64_t offset, std::span<char> out)> read;

  static PictureBytes of(std::string_view bytes);  // which must outlive it
  static PictureBytes of_file(int open_file);      // at least as long open; size 0: it cannot be read
};

// The packet; absent where there is none, and in other formats. Throws Corruption where the file is
// damaged before its place is reached, or it is larger than kMostPacketBytes; the subject is empty.
std::optional<std::string> packet_in(const PictureBytes& picture);

// What puts the packet into the picture, in the place of the one that it has. An empty packet takes
// the one that is there away (in a TIFF it leaves one that says nothing).
// Throws InvalidArgument where the format has no place for it, naming the format, or it is too large
// for it; Corruption for a damaged file; the subject is empty.
ByteEdits packet_edits(std::string_view picture, std::string_view packet);

// "JPEG", "GIF", "HEIF", ...: by its first bytes; "an unknown format" for others.
std::string_view picture_format_name(std::string_view beginning);

}  // namespace zeroshelf
