#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "lib/util/error.h"
#include "lib/util/output_stream.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(output_stream)

BOOST_AUTO_TEST_CASE(a_closed_pipe_is_told_from_a_failed_write) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  std::FILE* file = ::fdopen(ends[1], "w");
  OutputStream stream(file, "stdout");
  stream.write("x");
  BOOST_CHECK_THROW(stream.flush(), ClosedPipe);
  std::fclose(file);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error) {
  std::FILE* file = std::fopen("/dev/full", "w");
  BOOST_REQUIRE(file != nullptr);
  OutputStream stream(file, "/dev/full");
  stream.write("x");
  BOOST_CHECK_EXCEPTION(stream.flush(), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Io; });
  std::fclose(file);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_not_commanded_and_a_pipe_gets_every_byte) {
  const std::string text = "a\x1b[31mb\u0085c\x7f\td\u00fc\r\n";
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  BOOST_REQUIRE((master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0));
  std::FILE* terminal = std::fopen(::ptsname(master), "w");
  BOOST_REQUIRE(terminal != nullptr);
  OutputStream to_terminal(terminal, "terminal");
  to_terminal.write(text);
  to_terminal.flush();
  char seen[200];
  const ssize_t got = ::read(master, seen, sizeof seen);
  BOOST_TEST(std::string(seen, static_cast<size_t>(got))
                 .starts_with("a\\x1b[31mb\\u0085c\\x7f\td\u00fc\r"));
  std::fclose(terminal);
  ::close(master);

  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  std::FILE* file = ::fdopen(ends[1], "w");
  OutputStream to_pipe(file, "pipe");
  to_pipe.write(text);
  to_pipe.flush();
  BOOST_TEST(::read(ends[0], seen, sizeof seen) == static_cast<ssize_t>(text.size()));
  BOOST_TEST(std::string(seen, text.size()) == text);
  std::fclose(file);
  ::close(ends[0]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
