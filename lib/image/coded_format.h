#pragma once

// What an HEVC or AV1 stream says of its own pictures, read from its sequence headers alone;
// private to lib/image. A decoder gives memory for what the stream says, whatever the container
// around it said, so this is looked at before a decoder sees the stream.
//
// Sources: ITU-T H.265 (7.3.1, 7.3.2.2, 7.3.3), the AV1 bitstream specification (5.3 to 5.5).
//
// Threads: any.

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/image/decoders.h"

namespace zeroshelf {

enum class Chroma { Grey, Half, HalfWide, Full };  // 4:0:0, 4:2:0, 4:2:2, 4:4:4

struct CodedFormat {
  uint64_t width_px = 0;  // as coded: at least what is shown
  uint64_t height_px = 0;
  uint64_t shown_width_px = 0;
  uint64_t shown_height_px = 0;
  int bits = 8;  // a sample of luma: 8 to 16
  Chroma chroma = Chroma::Half;
};

struct CodedStream {
  std::vector<CodedFormat> sequences;  // one a sequence header, in their order
  uint64_t pictures = 0;               // of HEVC; AV1 is not counted
};

// Network abstraction layer units, each behind its size in 4 bytes, big endian. Nothing when it
// cannot be read. Units of further layers, which single-layer decoders ignore, are ignored.
std::optional<CodedStream> read_hevc_stream(Bytes units);

// Open bitstream units. Nothing when they cannot be read.
std::optional<CodedStream> read_av1_stream(Bytes units);

}  // namespace zeroshelf
