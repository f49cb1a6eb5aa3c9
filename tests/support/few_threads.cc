// A library to be preloaded (LD_PRELOAD): the system lets no more than ZEROSHELF_THREADS_AT_MOST
// threads be at a time, as under a container's limit of processes, `ulimit -u` or `ulimit -v`.

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <dlfcn.h>
#include <pthread.h>

namespace {

// How many may still start. (Asked for before this library's own beginning.)
std::atomic<long>& left() {
  static std::atomic<long> the_left{[] {
    const char* text = std::getenv("ZEROSHELF_THREADS_AT_MOST");
    return text == nullptr ? 1'000'000L : std::atol(text);
  }()};
  return the_left;
}

using Body = void*(void*);
using Create = int(pthread_t*, const pthread_attr_t*, Body*, void*);

struct Start {
  Body* body;
  void* argument;
};

void* run(void* given) {
  const Start start = *static_cast<Start*>(given);
  delete static_cast<Start*>(given);
  void* result = start.body(start.argument);
  ++left();
  return result;
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, Body* body,
                              void* argument) noexcept {
  static auto* const real = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  if (left().fetch_sub(1) > 0 && real(thread, attributes, run, new Start{body, argument}) == 0)
    return 0;
  ++left();
  return EAGAIN;
}
