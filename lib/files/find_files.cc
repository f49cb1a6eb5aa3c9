// The walk over the user's folders, and reading what it found.
// Tested by tests/files/find_files_test.cc.
//
// A folder is listed whole, closed, and then visited, so that neither a deep tree nor a slow
// visitor holds file descriptors; the folders still to be visited are a stack of our own.

#include "lib/files/find_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "lib/files/descriptor.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using Visit = std::function<void(std::variant<FoundFile, SkippedPath>)>;
using Identity = std::pair<dev_t, ino_t>;

Identity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

int64_t ns_of(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// device: of the folder that it is in. Of a file itself it says little: file systems that lay
// others over each other give files the numbers of those, and a link may lead anywhere.
FoundFile found(std::string path, const struct stat& status, uint64_t device) {
  return {std::move(path),
          static_cast<uint64_t>(status.st_size),
          ns_of(status.st_mtim),
          {device, status.st_ino, ns_of(status.st_ctim)}};
}

// By itself: the folder is looked at too.
FoundFile found(std::string path, const struct stat& status) {
  struct stat folder {};
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const bool known = ::stat(parent.c_str(), &folder) == 0;
  return found(std::move(path), status, known ? folder.st_dev : 0);
}

std::string kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

Skip not_regular(mode_t mode) {
  return {SkipReason::NotRegularFile, kind_of(mode)};
}

// Why the system refused; what is gone has Vanished.
Skip refused(int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return {SkipReason::Vanished, "gone before it could be opened"};
  }
  return {SkipReason::Unreadable, errno_text(error_number)};
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// Null with errno set when the system refuses.
Folder open_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return nullptr;
  Folder folder(::fdopendir(fd));
  if (folder == nullptr) ::close(fd);
  return folder;
}

// A name in a folder and what it stands for, links followed.
struct Entry {
  std::string name;
  struct stat status;
  int error_number = 0;  // of asking for the status
  bool is_link = false;
};

bool is_link(int folder, const dirent& item) {
  if (item.d_type != DT_UNKNOWN) return item.d_type == DT_LNK;
  struct stat itself {};
  return ::fstatat(folder, item.d_name, &itself, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(itself.st_mode);
}

Entry look_at(int folder, const dirent& item) {
  Entry entry{item.d_name, {}, 0, is_link(folder, item)};
  if (::fstatat(folder, item.d_name, &entry.status, 0) != 0) entry.error_number = errno;
  return entry;
}

struct Listing {
  std::vector<Entry> entries;  // sorted by the bytes of their names
  int error_number = 0;        // of reading on
};

Listing list(DIR* folder) {
  Listing listing;
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(folder);
    if (item == nullptr) break;
    if (item->d_name[0] != '.') listing.entries.push_back(look_at(::dirfd(folder), *item));
  }
  listing.error_number = errno;
  std::ranges::sort(listing.entries, {}, &Entry::name);
  return listing;
}

class Walk {
 public:
  Walk(std::set<std::string> file_roots, std::optional<Identity> excluded,
       const FindOptions& options, const Visit& visit)
      : file_roots_(std::move(file_roots)), excluded_(excluded), options_(options), visit_(visit) {}

  void folder(const std::string& root) {
    root_ = root;
    enter(root);
    while (!open_.empty()) {
      if (open_.back().next == open_.back().entries.size()) {
        open_.pop_back();
      } else {
        step(open_.back());
      }
    }
  }

  // When all roots were walked: the links whose folders were not.
  void report_links() {
    for (const auto& [path, identity] : links_) {
      if (identity == excluded_ || walked_.contains(identity)) continue;
      skip(path, {SkipReason::LinkedFolder,
                  "a link to a folder elsewhere, not followed; name that folder too, or use "
                  "--follow-links"});
    }
  }

 private:
  struct Level {
    std::string prefix;  // the folder's path with a slash at the end
    std::vector<Entry> entries;
    uint64_t device = 0;
    FolderNames names{};  // of the entries, where neighbours are told apart
    size_t next = 0;
  };

  void skip(const std::string& path, Skip reason) { visit_(SkippedPath{path, std::move(reason)}); }

  void step(Level& level) {
    const Entry& entry = level.entries[level.next++];
    const std::string path = level.prefix + entry.name;
    const mode_t mode = entry.status.st_mode;
    if (entry.error_number != 0) {
      skip(path, entry.is_link && entry.error_number == ENOENT
                     ? Skip{SkipReason::Vanished, "a link to something that does not exist"}
                     : refused(entry.error_number));
    } else if (S_ISDIR(mode) && entry.is_link && options_.linked_folders == LinkedFolders::Report) {
      links_.emplace_back(path, identity_of(entry.status));
    } else if (S_ISDIR(mode)) {
      enter(path);  // level may dangle from here
    } else if (file_roots_.contains(path)) {
      return;  // visited as a root
    } else if (S_ISREG(mode)) {
      if (!is_passed_over(entry.name, path, level.names))
        visit_(found(path, entry.status, level.device));
    } else {
      skip(path, not_regular(mode));
    }
  }

  bool is_passed_over(const std::string& name, const std::string& path, const FolderNames& names) {
    if (!options_.pass_over) return false;
    const bool sidecar = is_sidecar(name, names);
    if (!sidecar && !is_recording(name)) return false;
    options_.pass_over(sidecar ? Neighbour::Sidecar : Neighbour::Recording, path);
    return true;
  }

  // A folder that the user names is walked, also where it was exported.
  bool is_passed_over(const Level& level, const std::string& path) {
    const bool collection = is_collection_folder(level.names);
    if (!collection && (path == root_ || !is_export_folder(level.prefix, level.names)))
      return false;
    options_.pass_over(collection ? Neighbour::Collection : Neighbour::Export, path);
    return true;
  }

  void tell(FolderStep step, const std::string& path) const {
    if (options_.on_folder) options_.on_folder(step, path);
  }

  void enter(const std::string& path) {
    const Folder folder = open_folder(path);
    struct stat status {};
    if (folder == nullptr || ::fstat(::dirfd(folder.get()), &status) != 0) {
      return skip(path, refused(errno));
    }
    const Identity identity = identity_of(status);
    if (identity == excluded_ || !walked_.insert(identity).second) return;
    tell(FolderStep::Entered, path);
    Listing listing = list(folder.get());
    if (listing.error_number != 0) skip(path, refused(listing.error_number));
    Level level{path == "/" ? path : path + "/", std::move(listing.entries), status.st_dev};
    if (options_.pass_over) {
      for (const Entry& entry : level.entries) level.names.insert(entry.name);
      if (is_passed_over(level, path)) return tell(FolderStep::PassedOver, path);
    }
    open_.push_back(std::move(level));  // the names stay where they are
  }

  std::set<std::string> file_roots_;
  std::optional<Identity> excluded_;
  const FindOptions& options_;
  const Visit& visit_;
  std::string root_;
  std::set<Identity> walked_;
  std::vector<std::pair<std::string, Identity>> links_;  // to folders, not followed
  std::vector<Level> open_;
};

struct Root {
  std::string path;
  struct stat status;
  int error_number = 0;  // of asking for the status
};

Root root_at(const std::filesystem::path& path) {
  Root root{absolute_path(path).string(), {}, 0};
  if (::stat(root.path.c_str(), &root.status) != 0) root.error_number = errno;
  return root;
}

bool is_absent(const Root& root) {
  return root.error_number == ENOENT || root.error_number == ENOTDIR;
}

void expect_good(const Root& root, const std::string& shown) {
  if (root.error_number != 0) {
    throw Error(is_absent(root) ? ErrorCode::NotFound : ErrorCode::Io, shown,
                is_absent(root) ? "no such file or folder" : errno_text(root.error_number),
                "name an existing folder or picture");
  }
  if (S_ISDIR(root.status.st_mode) && open_folder(root.path) == nullptr) {
    throw Error(ErrorCode::Io, shown, "cannot list the folder: " + errno_text(errno),
                "run as a user who may read it, or name other folders");
  }
}

// Sorted by path, each path once.
std::vector<Root> roots_at(const std::vector<std::filesystem::path>& paths) {
  std::vector<Root> roots;
  for (const std::filesystem::path& path : paths) roots.push_back(root_at(path));
  std::ranges::sort(roots, {}, &Root::path);
  drop_repeated(roots, &Root::path);
  return roots;
}

std::optional<Identity> identity_at(const std::filesystem::path& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  return identity_of(status);
}

// Why a file with this status is not the one found; nothing when it is.
std::optional<Skip> difference(const FoundFile& file, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return not_regular(status.st_mode);
  const FoundFile now = found(file.path, status, file.identity.device);
  if (now.size_bytes == file.size_bytes && now.mtime_ns == file.mtime_ns) return std::nullopt;
  return Skip{SkipReason::Changed, "it changed since it was found; run again"};
}

// What the file holds, up to size + 1 bytes, so that one that grew is seen. False with errno set
// when the system refuses.
bool read_all(int fd, uint64_t size, std::string& content) {
  content.resize(size + 1);
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(fd, content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return true;
}

// A file that is written twice within one tick of the kernel's clock (10 ms at most) has the same
// time for both contents. So nothing is taken of a file before its time is older than that.
void wait_for_the_next_tick(const FoundFile& file) {
  using std::chrono::nanoseconds;
  constexpr nanoseconds kTick = std::chrono::milliseconds(20);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const nanoseconds age = std::chrono::duration_cast<nanoseconds>(now) - nanoseconds(file.mtime_ns);
  if (age >= nanoseconds::zero() && age < kTick) std::this_thread::sleep_for(kTick - age);
}

}  // namespace

void check_roots(const std::vector<std::filesystem::path>& roots) {
  for (const std::filesystem::path& root : roots) expect_good(root_at(root), root.string());
}

void find_files(const std::vector<std::filesystem::path>& paths,
                const std::filesystem::path& excluded, const Visit& visit,
                const FindOptions& options) {
  const std::vector<Root> roots = roots_at(paths);
  std::set<std::string> file_roots;
  for (const Root& root : roots) {
    if (options.bad_roots == BadRoots::Refuse) expect_good(root, root.path);
    if (root.error_number == 0 && !S_ISDIR(root.status.st_mode)) file_roots.insert(root.path);
  }
  Walk walk(file_roots, identity_at(excluded), options, visit);
  for (const Root& root : roots) {
    if (root.error_number != 0) {
      visit(SkippedPath{root.path, is_absent(root)
                                       ? Skip{SkipReason::Vanished, "no such file or folder"}
                                       : refused(root.error_number)});
    } else if (S_ISDIR(root.status.st_mode)) {
      walk.folder(root.path);
    } else if (S_ISREG(root.status.st_mode)) {
      visit(found(root.path, root.status));
    } else {
      visit(SkippedPath{root.path, not_regular(root.status.st_mode)});
    }
  }
  walk.report_links();
}

std::optional<FoundFile> find_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return found(path, status);
}

std::variant<std::string, Skip> read_found_file(const FoundFile& file, uint64_t max_bytes) {
  if (file.size_bytes > max_bytes) {
    return Skip{SkipReason::TooManyBytes,
                fmt::format("{} bytes, at most {} are read; raise --max-bytes",
                            with_thousands(file.size_bytes), with_thousands(max_bytes))};
  }
  // Asked before opening, because opening a pipe or a device already has effects; and again on what
  // was opened, because the path may stand for something else by then.
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0) return refused(errno);
  if (auto changed = difference(file, status)) return *changed;
  const Descriptor opened(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) return refused(errno);
  if (auto changed = difference(file, status)) return *changed;
  std::string content;
  wait_for_the_next_tick(file);
  if (!read_all(opened.get(), file.size_bytes, content)) return refused(errno);
  if (::fstat(opened.get(), &status) != 0) return refused(errno);
  if (auto changed = difference(file, status)) return *changed;
  if (content.size() != file.size_bytes) {
    return Skip{SkipReason::Changed, "it changed while it was being read; run again"};
  }
  return content;
}

}  // namespace zeroshelf
