#pragma once

// Short questions of texts and errors.

#include <cstddef>
#include <string>

#include "lib/util/error.h"

namespace zeroshelf::testing {

inline size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline bool is_corruption(const Error& error) {
  return error.code() == ErrorCode::Corruption;
}

}  // namespace zeroshelf::testing
