// A library to be preloaded (LD_PRELOAD): one of the system calls by which a program changes the
// files below a folder fails, or all from one on, as on a broken or a full disk. A write that fails
// has written the first half of its bytes.
//
//   ZEROSHELF_FAIL_BELOW   the folder
//   ZEROSHELF_FAIL_AT      the number of the call, from 1; 0: none
//   ZEROSHELF_FAIL_FROM    "1": the calls after it fail too
//   ZEROSHELF_FAIL_ERRNO   the number to give as errno
//   ZEROSHELF_FAIL_COUNT   a file that gets the number of such calls and the name of the failed one
//
// It takes the place of functions of the C library, whose declarations it must therefore not see.

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <atomic>

#include <dlfcn.h>
#include <sys/types.h>

extern "C" ssize_t readlink(const char* path, char* target, size_t bytes);

namespace {

// open(2)'s flags on Linux; <fcntl.h> would declare open.
constexpr int kWriteOnly = 1;
constexpr int kReadWrite = 2;
constexpr int kCreate = 0100;

struct Plan {
  const char* below = std::getenv("ZEROSHELF_FAIL_BELOW");
  long at = number("ZEROSHELF_FAIL_AT");
  bool from = number("ZEROSHELF_FAIL_FROM") != 0;
  int error = static_cast<int>(number("ZEROSHELF_FAIL_ERRNO"));

  static long number(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::atol(text);
  }
};

const Plan& plan() {
  static const Plan the_plan;
  return the_plan;
}

std::atomic<long> calls{0};
std::atomic<const char*> failed{""};

bool is_below(const char* path) {
  const char* below = plan().below;
  return below != nullptr && path != nullptr && std::strncmp(path, below, std::strlen(below)) == 0;
}

bool is_below(int file) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  char path[4096] = {};
  return readlink(link, path, sizeof path - 1) > 0 && is_below(path);
}

// Counts the call; whether it is to fail, with errno set.
template <class Where>
bool fails(const char* name, Where where) {
  if (!is_below(where)) return false;
  const long call = ++calls;
  if (plan().at == 0 || call < plan().at || (call > plan().at && !plan().from)) return false;
  if (call == plan().at) failed = name;
  errno = plan().error;
  return true;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

__attribute__((destructor)) void tell() {
  const char* path = std::getenv("ZEROSHELF_FAIL_COUNT");
  if (path == nullptr) return;
  if (std::FILE* file = std::fopen(path, "w")) {
    std::fprintf(file, "%ld %s\n", calls.load(), failed.load());
    std::fclose(file);
  }
}

bool changes(int flags) {
  return (flags & (kWriteOnly | kReadWrite | kCreate)) != 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = va_arg(arguments, unsigned);
  va_end(arguments);
  if (changes(flags) && fails("open", path)) return -1;
  static auto* const real = next<int(const char*, int, ...)>("open");
  return real(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = va_arg(arguments, unsigned);
  va_end(arguments);
  if (changes(flags) && fails("open", path)) return -1;
  static auto* const real = next<int(const char*, int, ...)>("open64");
  return real(path, flags, mode);
}

ssize_t write(int file, const void* data, size_t bytes) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  if (fails("write", file)) {
    const int error = errno;
    [[maybe_unused]] const ssize_t half = real(file, data, bytes / 2);
    errno = error;
    return -1;
  }
  return real(file, data, bytes);
}

ssize_t pwrite(int file, const void* data, size_t bytes, off_t offset) {
  if (fails("pwrite", file)) return -1;
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return real(file, data, bytes, offset);
}

ssize_t pwrite64(int file, const void* data, size_t bytes, off_t offset) {
  if (fails("pwrite", file)) return -1;
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite64");
  return real(file, data, bytes, offset);
}

int fsync(int file) {
  if (fails("fsync", file)) return -1;
  static auto* const real = next<int(int)>("fsync");
  return real(file);
}

int fdatasync(int file) {
  if (fails("fdatasync", file)) return -1;
  static auto* const real = next<int(int)>("fdatasync");
  return real(file);
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", to)) return -1;
  static auto* const real = next<int(const char*, const char*)>("rename");
  return real(from, to);
}

int ftruncate(int file, off_t bytes) {
  if (fails("ftruncate", file)) return -1;
  static auto* const real = next<int(int, off_t)>("ftruncate");
  return real(file, bytes);
}

int ftruncate64(int file, off_t bytes) {
  if (fails("ftruncate", file)) return -1;
  static auto* const real = next<int(int, off_t)>("ftruncate64");
  return real(file, bytes);
}

int mkdir(const char* path, mode_t mode) {
  if (fails("mkdir", path)) return -1;
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return real(path, mode);
}

int unlink(const char* path) noexcept {
  if (fails("unlink", path)) return -1;
  static auto* const real = next<int(const char*)>("unlink");
  return real(path);
}

}  // extern "C"
