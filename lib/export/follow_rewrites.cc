// Tested by tests/export/follow_rewrites_test.cc.

#include "lib/export/follow_rewrites.h"

#include "lib/collection/rewrite.h"
#include "lib/files/find_files.h"
#include "lib/labelling/carry_over.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

}  // namespace

struct RewriteFollower::Followers {
  std::map<fs::path, CollectionRewriter> collections;
  std::map<ContentHash, ContentHash> contents;
};

RewriteFollower::RewriteFollower(const std::vector<fs::path>& collections)
    : followers_(std::make_unique<Followers>()) {
  for (const fs::path& collection : collections) {
    followers_->collections.emplace(absolute_path(collection),
                                    CollectionRewriter::open(collection));
  }
}

RewriteFollower::~RewriteFollower() = default;

void RewriteFollower::follow(const fs::path& collection, std::span<const RewrittenFile> files) {
  CollectionRewriter& rewriter = followers_->collections.at(absolute_path(collection));
  std::vector<RewrittenPicture> pictures;
  for (const RewrittenFile& file : files) {
    const auto row = rewriter.find_path(file.path);
    const auto found = row ? find_file(file.path) : std::nullopt;
    if (!found || rewriter.record(*row).content_hash != file.before) continue;
    pictures.push_back({*row,
                        {file.path, found->size_bytes, found->mtime_ns, found->identity},
                        file.after});
    followers_->contents[file.before] = file.after;
  }
  if (!pictures.empty()) rewriter.commit(pictures);
}

void RewriteFollower::finish() {
  for (const auto& [directory, collection] : followers_->collections) {
    carry_over(directory, followers_->contents, [&collection = collection](const ContentHash& hash) {
      return collection.find_content(hash).has_value();
    });
  }
}

void follow_rewrites(const std::map<fs::path, std::vector<RewrittenFile>>& files,
                     const std::function<void(const fs::path&, const Error&)>& on_problem) {
  for (const auto& [collection, of_collection] : files) {
    try {
      RewriteFollower follower({collection});
      follower.follow(collection, of_collection);
      follower.finish();
    } catch (const Error& error) {
      on_problem(collection, error);
    }
  }
}

}  // namespace zeroshelf
