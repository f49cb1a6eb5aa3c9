#include "tests/support/run_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <thread>

#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

void redirect(const char* path, int flags, int target) {
  const int file = ::open(path, flags);
  if (file < 0 || ::dup2(file, target) < 0) ::_exit(127);
}

int wait_for(pid_t child, std::chrono::microseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments,
                          std::chrono::microseconds limit) {
  const TemporaryDirectory directory;
  const std::string out = (directory / "out").string();
  const std::string err = (directory / "err").string();
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // Here already, for a child that is killed before it gets to them.
  write_file(out, "");
  write_file(err, "");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out.c_str(), O_WRONLY, STDOUT_FILENO);
    redirect(err.c_str(), O_WRONLY, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ProgramResult result;
  result.exit_code = wait_for(child, limit);
  result.out = read_file(out, uint64_t{1} << 30);
  result.err = read_file(err, uint64_t{1} << 30);
  return result;
}

}  // namespace zeroshelf::testing
