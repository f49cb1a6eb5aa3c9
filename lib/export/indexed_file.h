#pragma once

// The very file that was indexed, held open while something is done with it.

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "lib/files/descriptor.h"
#include "lib/files/exclusive.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {

// A picture as it was when it was indexed.
struct IndexedContent {
  std::filesystem::path source;  // absolute
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  ContentHash content{};
};

// NotFound: "gone since it was indexed".
Error gone_since_indexed(const std::filesystem::path& source);
// InvalidArgument: "changed since it was indexed".
Error is_another(const std::filesystem::path& source);

class IndexedFile {
 public:
  // if_link: what is thrown for a link; absent: links are followed. Throws NotFound where it is gone,
  // InvalidArgument where it is no file, Io. The content must outlive it.
  explicit IndexedFile(const IndexedContent& wanted, const std::optional<Error>& if_link = {});

  int descriptor() const { return file_.get(); }
  const struct stat& status() const { return status_; }

  bool has_stamp() const;  // size and time, as coarse as file systems keep it
  bool has_size() const { return static_cast<uint64_t>(status_.st_size) == wanted_.size_bytes; }
  bool has_content() const { return has_size() && content_of(file_.get()) == wanted_.content; }

  // Whether the name stands for this very file, or one with the content: some file systems number
  // a file anew with each name.
  bool is_at(const Place& place) const;

 private:
  const IndexedContent& wanted_;
  Descriptor file_;
  struct stat status_ {};
};

}  // namespace zeroshelf
