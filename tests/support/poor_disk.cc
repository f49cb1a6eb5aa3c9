// A library to be preloaded (LD_PRELOAD): the file system below a folder is one like FAT, exFAT or
// a share: no links, no exclusive rename, no rights, names with ? : " * | < > or a dot or a blank at
// the end are refused, and names that differ in case only are one.
//
//   ZEROSHELF_POOR_BELOW   the folder
//
// It takes the place of functions of the C library, whose declarations it must therefore not see.

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dirent.h>
#include <dlfcn.h>
#include <strings.h>
#include <sys/types.h>

extern "C" ssize_t readlink(const char* path, char* target, size_t bytes);

namespace {

// Values on Linux; the headers that have them declare the functions.
constexpr int kCreate = 0100;
constexpr int kHere = -100;  // AT_FDCWD

const char* poor_folder() {
  static const char* const folder = std::getenv("ZEROSHELF_POOR_BELOW");
  return folder;
}

std::string folder_of(int folder) {
  char link[64];
  std::snprintf(link, sizeof link, folder == kHere ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
  char path[4096];
  const ssize_t bytes = readlink(link, path, sizeof path);
  return bytes > 0 ? std::string(path, static_cast<size_t>(bytes)) : "";
}

std::string whole(int folder, const char* path) {
  return path[0] == '/' ? path : folder_of(folder) + "/" + path;
}

bool is_poor(const std::string& path) {
  const char* below = poor_folder();
  return below != nullptr && path.starts_with(below);
}

bool is_refused(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.find_first_of("?:\"*|<>") != std::string::npos ||
         (name != "." && name != ".." && (name.ends_with('.') || name.ends_with(' ')));
}

// The path with the name that the folder has for it, in whatever case.
std::string as_kept(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string kept = path;
  if (DIR* folder = opendir(path.substr(0, slash).c_str())) {
    while (const dirent* entry = readdir(folder)) {
      if (strcasecmp(entry->d_name, path.c_str() + slash + 1) == 0)
        kept = path.substr(0, slash + 1) + entry->d_name;
    }
    closedir(folder);
  }
  return kept;
}

// The path that the real function is to be called with; false, with errno, where it is refused.
bool translate(int folder, const char* path, std::string& out) {
  out = path;
  const std::string full = whole(folder, path);
  if (!is_poor(full)) return true;
  if (is_refused(full)) {
    errno = EINVAL;
    return false;
  }
  out = as_kept(full);
  return true;
}

int refuse(int error) {
  errno = error;
  return -1;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int open_in(int folder, const char* path, int flags, unsigned mode) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  std::string kept;
  if (!translate(folder, path, kept)) {
    if ((flags & kCreate) == 0) errno = ENOENT;
    return -1;
  }
  return real(folder, kept.c_str(), flags, mode);
}

}  // namespace

#define WITH_MODE(flags)            \
  va_list arguments;                \
  va_start(arguments, flags);       \
  const unsigned mode = va_arg(arguments, unsigned); \
  va_end(arguments)

extern "C" {

int open(const char* path, int flags, ...) {
  WITH_MODE(flags);
  return open_in(kHere, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  WITH_MODE(flags);
  return open_in(kHere, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  WITH_MODE(flags);
  return open_in(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  WITH_MODE(flags);
  return open_in(folder, path, flags, mode);
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  static auto* const real = next<int(int, const char*, mode_t)>("mkdirat");
  std::string kept;
  return translate(folder, path, kept) ? real(folder, kept.c_str(), mode) : -1;
}
int mkdir(const char* path, mode_t mode) noexcept {
  return mkdirat(kHere, path, mode);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  std::string kept;
  return translate(folder, path, kept) ? real(folder, kept.c_str(), flags) : -1;
}

struct stat;
int fstatat(int folder, const char* path, struct stat* status, int flags) noexcept {
  static auto* const real = next<int(int, const char*, struct stat*, int)>("fstatat");
  std::string kept;
  return translate(folder, path, kept) ? real(folder, kept.c_str(), status, flags)
                                       : refuse(ENOENT);
}

int symlinkat(const char* target, int folder, const char* path) noexcept {
  static auto* const real = next<int(const char*, int, const char*)>("symlinkat");
  return is_poor(whole(folder, path)) ? refuse(ENOSYS) : real(target, folder, path);
}

int linkat(int from, const char* old_path, int to, const char* path, int flags) noexcept {
  static auto* const real = next<int(int, const char*, int, const char*, int)>("linkat");
  return is_poor(whole(to, path)) ? refuse(EPERM) : real(from, old_path, to, path, flags);
}

int renameat(int from, const char* old_path, int to, const char* path) noexcept {
  static auto* const real = next<int(int, const char*, int, const char*)>("renameat");
  std::string kept_old;
  std::string kept;
  if (!translate(from, old_path, kept_old) || !translate(to, path, kept)) return -1;
  return real(from, kept_old.c_str(), to, kept.c_str());
}
int rename(const char* old_path, const char* path) noexcept {
  return renameat(kHere, old_path, kHere, path);
}
int renameat2(int from, const char* old_path, int to, const char* path, unsigned flags) noexcept {
  static auto* const real =
      next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  const bool is_poor_place = is_poor(whole(to, path)) || is_poor(whole(from, old_path));
  const bool crosses = is_poor(whole(to, path)) != is_poor(whole(from, old_path));
  if (crosses) return refuse(EXDEV);
  if (is_poor_place && flags != 0) return refuse(EINVAL);
  return real(from, old_path, to, path, flags);
}

int fchmod(int file, mode_t mode) noexcept {
  static auto* const real = next<int(int, mode_t)>("fchmod");
  return is_poor(folder_of(file)) ? refuse(EPERM) : real(file, mode);
}

int flock(int file, int operation) noexcept {
  static auto* const real = next<int(int, int)>("flock");
  // A journal of moves needs none; collections do.
  return folder_of(file).ends_with("moves.journal") ? refuse(ENOSYS) : real(file, operation);
}

}  // extern "C"
