#pragma once

// Inside models/clip: the identity of a model: XXH3 (128 bit) over the bytes of its weights, its
// configuration and its vocabulary.
//
// Reading all of a large checkpoint takes longer than answering a query, so the answer is kept in
// $XDG_CACHE_HOME/zeroshelf/fingerprints (default ~/.cache), in a file whose name is a hash of the
// weights' device, inode, size, time of modification and time of change, and of configuration and
// vocabulary. The time of change is the system's own: a file that is written to gets another one,
// and nobody but root sets it back. Weights that changed within the last seconds are not trusted to
// it. A cache that cannot be read or written costs time, nothing else.

#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

// weights: one file or several, in an order that never changes. Hex. Throws as MappedFile does.
std::string model_fingerprint(const std::vector<std::filesystem::path>& weights,
                              const std::string& configuration, const std::string& vocabulary);

}  // namespace zeroshelf
