#pragma once

// Files that have other bytes now and show the same picture: their rows stay as they are, and
// nothing is encoded again.

#include <filesystem>
#include <span>

#include "lib/collection/collection.h"

namespace zeroshelf {

struct RewrittenPicture {
  Row row = 0;  // live
  FileStamp file;
  ContentHash content{};
};

// The one writer of a collection, like CollectionWriter.
class CollectionRewriter : public Collection {
 public:
  // Throws what CollectionWriter::open_existing does: Unavailable while another writer holds it.
  static CollectionRewriter open(const std::filesystem::path& directory);

  // The rows' files, under the same paths, have these contents from now on. Durable, all or nothing.
  // Throws Io; then it must be closed.
  void commit(std::span<const RewrittenPicture> pictures);

 private:
  explicit CollectionRewriter(std::unique_ptr<State> state);
};

}  // namespace zeroshelf
