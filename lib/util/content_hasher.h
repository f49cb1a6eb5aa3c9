#pragma once

#include <cstddef>
#include <span>

#include "lib/util/hash.h"

namespace zeroshelf {

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
