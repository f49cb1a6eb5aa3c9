#pragma once

// A look at every coded stream that decoding a HEIF picture would decode (of the picture, its
// tiles, its transparency), before any of them is decoded; private to lib/image.
//
// libheif walks the file as for decoding, but with a decoder that only reads the streams' sequence
// headers and answers with blank pictures of that size. So what is looked at is exactly what a real
// decoder would be given, however the container wraps it.

#include <libheif/heif.h>

#include <optional>

#include "lib/image/decoders.h"

namespace zeroshelf {

// What the survey says against decoding. The context of the handle must decode in the calling
// thread (heif_context_set_max_decoding_threads 0).
struct HeifObjection {
  std::optional<Skip> skip;  // set: a stream is too large, or cannot be read
  heif_error error;          // without it: what libheif says of the file
};
std::optional<HeifObjection> survey_heif(const heif_image_handle* handle,
                                         const DecodeLimits& limits);

}  // namespace zeroshelf
