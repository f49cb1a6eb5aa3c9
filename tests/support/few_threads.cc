// A library to be preloaded (LD_PRELOAD): the system lets no more than ZEROSHELF_THREADS_AT_MOST
// threads start, as under a container's limit of processes, `ulimit -u` or `ulimit -v`.

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <dlfcn.h>
#include <pthread.h>

namespace {

// Whether another one may start. (Asked for before this library's own beginning.)
bool may_start() {
  static std::atomic<long> left{[] {
    const char* text = std::getenv("ZEROSHELF_THREADS_AT_MOST");
    return text == nullptr ? 1'000'000L : std::atol(text);
  }()};
  return left.fetch_sub(1) > 0;
}

using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*body)(void*), void* argument) noexcept {
  if (!may_start()) return EAGAIN;
  static auto* const real = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, body, argument);
}
