// Tested by tests/export/folder_export_test.cc and keyword_export_test.cc.

#include "lib/export/indexed_file.h"

#include <fcntl.h>

#include <cerrno>

namespace zeroshelf {
namespace {

// FAT keeps every other second, exFAT a hundredth; what was written there has the finer time until
// the disk is taken away.
bool is_same_time(int64_t kept_ns, int64_t known_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const bool coarse = kept_ns % (kSecond / 100) == 0;
  return kept_ns == known_ns || (coarse && kept_ns <= known_ns && known_ns - kept_ns < 2 * kSecond);
}

}  // namespace

Error gone_since_indexed(const std::filesystem::path& source) {
  return {ErrorCode::NotFound, source.string(), "the picture is gone since it was indexed",
          "run zeroshelf-index add again"};
}

Error is_another(const std::filesystem::path& source) {
  return {ErrorCode::InvalidArgument, source.string(),
          "not exported: it changed since it was indexed", "run zeroshelf-index add again"};
}

IndexedFile::IndexedFile(const IndexedContent& wanted, const std::optional<Error>& if_link)
    : wanted_(wanted) {
  const std::filesystem::path& source = wanted.source;
  const int follow = if_link ? O_NOFOLLOW : 0;
  file_ =
      Descriptor(::open(source.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow));
  if (!file_.is_open() && errno == ELOOP && if_link) throw *if_link;
  if (!file_.is_open() && errno == ENOENT) throw gone_since_indexed(source);
  if (!file_.is_open() || ::fstat(file_.get(), &status_) != 0)
    throw system_error(source.string(), "read", errno);
  if (!S_ISREG(status_.st_mode)) throw is_another(source);
}

bool IndexedFile::has_stamp() const {
  const int64_t mtime_ns =
      int64_t{status_.st_mtim.tv_sec} * 1'000'000'000 + status_.st_mtim.tv_nsec;
  return has_size() && is_same_time(mtime_ns, wanted_.mtime_ns);
}

bool IndexedFile::is_at(const Place& place) const {
  const Descriptor there(
      ::openat(place.folder, place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!there.is_open() || ::fstat(there.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return false;
  return (status.st_dev == status_.st_dev && status.st_ino == status_.st_ino) ||
         content_of(there.get()) == wanted_.content;
}

}  // namespace zeroshelf
