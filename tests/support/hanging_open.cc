// Preloaded into a program: opening a file whose path holds $ZEROSHELF_HANGING never ends, as on a
// file system that does not answer; opening one whose path ends with $ZEROSHELF_DYING for the second
// time kills the program.

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

using Open = int (*)(const char*, int, ...);

void die_at_second(const char* path) {
  static int times = 0;
  const char* dying = std::getenv("ZEROSHELF_DYING");
  if (dying == nullptr) return;
  const size_t size = std::strlen(path);
  const size_t end = std::strlen(dying);
  if (size >= end && std::strcmp(path + size - end, dying) == 0 && ++times == 2)
    ::kill(::getpid(), SIGKILL);
}

int opened(const char* name, const char* path, int flags, mode_t mode) {
  const char* hanging = std::getenv("ZEROSHELF_HANGING");
  die_at_second(path);
  while (hanging != nullptr && std::strstr(path, hanging) != nullptr) ::pause();
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
