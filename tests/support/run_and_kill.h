#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>

namespace zeroshelf::testing {

// Runs the body in a process of its own and kills that after the time. Whether it was killed.
inline bool run_and_kill(const std::function<void()>& body, std::chrono::microseconds after) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::usleep(static_cast<useconds_t>(after.count()));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) BOOST_TEST(WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

}  // namespace zeroshelf::testing
