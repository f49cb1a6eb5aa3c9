// Preloaded into a program: opening a file whose path holds $ZEROSHELF_HANGING never ends, nor does
// opening one whose path holds $ZEROSHELF_DEAD, or asking what it is, as on a file system that does
// not answer. Opening one whose path ends with $ZEROSHELF_DYING for the second time kills the
// program; with $ZEROSHELF_DYING_BY=SIGTERM it is told to end, and with LAUNCHER its parent is
// killed, and it sleeps long. Syncing a file whose path ends with $ZEROSHELF_FULL says that the
// disk is full. With $ZEROSHELF_ANSWERED, the first process of mpirun is told to end when it leaves
// MPI.

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using Open = int (*)(const char*, int, ...);

void die_at_second(const char* path) {
  static int times = 0;
  const char* dying = std::getenv("ZEROSHELF_DYING");
  if (dying == nullptr) return;
  const size_t size = std::strlen(path);
  const size_t end = std::strlen(dying);
  if (size < end || std::strcmp(path + size - end, dying) != 0 || ++times != 2) return;
  const char* given = std::getenv("ZEROSHELF_DYING_BY");
  const std::string_view by = given == nullptr ? "" : given;
  ::kill(by == "LAUNCHER" ? ::getppid() : ::getpid(), by == "SIGTERM" ? SIGTERM : SIGKILL);
  if (!by.empty()) ::sleep(60);
}

void hang_if_named(const char* variable, const char* path) {
  const char* hanging = std::getenv(variable);
  while (hanging != nullptr && std::strstr(path, hanging) != nullptr) ::pause();
}

template <class Function>
Function real(const char* name, const char* path) {
  hang_if_named("ZEROSHELF_DEAD", path);
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

int opened(const char* name, const char* path, int flags, mode_t mode) {
  die_at_second(path);
  hang_if_named("ZEROSHELF_HANGING", path);
  hang_if_named("ZEROSHELF_DEAD", path);
  return reinterpret_cast<Open>(::dlsym(RTLD_NEXT, name))(path, flags, mode);
}

}  // namespace

extern "C" int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened("open", path, flags, mode);
}

extern "C" int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened("open64", path, flags, mode);
}

extern "C" int stat(const char* path, struct stat* result) noexcept {
  return real<int (*)(const char*, struct stat*)>("stat", path)(path, result);
}

extern "C" int stat64(const char* path, struct stat64* result) noexcept {
  return real<int (*)(const char*, struct stat64*)>("stat64", path)(path, result);
}

extern "C" int lstat(const char* path, struct stat* result) noexcept {
  return real<int (*)(const char*, struct stat*)>("lstat", path)(path, result);
}

extern "C" int lstat64(const char* path, struct stat64* result) noexcept {
  return real<int (*)(const char*, struct stat64*)>("lstat64", path)(path, result);
}

extern "C" int fsync(int file) {
  if (const char* full = std::getenv("ZEROSHELF_FULL")) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    if (size > 0 && std::string_view(path, static_cast<size_t>(size)).ends_with(full)) {
      errno = ENOSPC;
      return -1;
    }
  }
  return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"))(file);
}

extern "C" int MPI_Finalize() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (std::getenv("ZEROSHELF_ANSWERED") != nullptr && rank != nullptr &&
      std::string_view(rank) == "0")
    ::kill(::getpid(), SIGTERM);
  return reinterpret_cast<int (*)()>(::dlsym(RTLD_NEXT, "MPI_Finalize"))();
}

extern "C" DIR* opendir(const char* path) {
  return real<DIR* (*)(const char*)>("opendir", path)(path);
}
