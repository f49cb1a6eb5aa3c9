#pragma once

#include <cstddef>
#include <span>

#include "lib/util/hash.h"

namespace zeroshelf {

// Makes OpenSSL ready. Its first use, unlike the later ones, does not survive that memory is
// refused: call it before much is in use. Throws bad_alloc.
void prepare_hashing();

// content_hash of bytes that come piece by piece.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;

  void update(std::span<const std::byte> bytes);
  // Once, at the end.
  ContentHash finish();

 private:
  void* context_;
};

}  // namespace zeroshelf
