#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "lib/output/output_stream.h"
#include "lib/util/error.h"

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
