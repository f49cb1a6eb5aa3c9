#pragma once

// The pictures of a collection against the files they were read from.

#include <cstdint>
#include <functional>

#include "lib/collection/collection.h"

namespace zeroshelf {

struct FileCheck {
  uint64_t same = 0;     // the file has the content that was indexed
  uint64_t changed = 0;  // another content
  uint64_t gone = 0;
  uint64_t unreadable = 0;
};

// Reads every file. on_fault is told of each that is not as it was indexed, in the order of the
// rows, from the calling thread. threads: 0 uses every core.
FileCheck check_files(const Collection& collection, unsigned threads,
                      const std::function<void(const Fault&)>& on_fault);

}  // namespace zeroshelf
