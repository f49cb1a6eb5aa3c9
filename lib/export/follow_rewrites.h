#pragma once

// Collections follow when an export writes keywords into their pictures, and when that is undone:
// the pixels are the same, so nothing is encoded again, and what people said of the pictures and
// kept of them stays said.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "lib/export/keyword_journal.h"
#include "lib/util/error.h"

namespace zeroshelf {

// Threads: one at a time.
class RewriteFollower {
 public:
  // Holds them all for writing as long as it lives. Throws what CollectionRewriter::open does.
  explicit RewriteFollower(const std::vector<std::filesystem::path>& collections);
  ~RewriteFollower();
  RewriteFollower(const RewriteFollower&) = delete;
  RewriteFollower& operator=(const RewriteFollower&) = delete;

  // The collection's pictures with these paths that had the content before have the one after.
  // Throws Io.
  void follow(const std::filesystem::path& collection, std::span<const RewrittenFile> files);
  // What is kept with each collection follows too. Once, at the end. Throws Io.
  void finish();

 private:
  struct Followers;
  std::unique_ptr<Followers> followers_;
};

// All of it, after an undo. A collection that cannot follow is told (on_problem); the others do.
void follow_rewrites(const std::map<std::filesystem::path, std::vector<RewrittenFile>>& files,
                     const std::function<void(const std::filesystem::path&, const Error&)>& on_problem);

}  // namespace zeroshelf
