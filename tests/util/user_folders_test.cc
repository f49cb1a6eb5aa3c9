#include "lib/util/user_folders.h"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <optional>
#include <string>

namespace zeroshelf {
namespace {

// A variable of the environment, until it goes.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

BOOST_AUTO_TEST_SUITE(user_folders)

BOOST_AUTO_TEST_CASE(the_environment_says_where_they_are) {
  const Variable home("HOME", "/home/somebody");
  {
    const Variable cache("XDG_CACHE_HOME", "/cache");
    const Variable state("XDG_STATE_HOME", "/state");
    BOOST_TEST(user_cache_folder("x") == "/cache/zeroshelf/x");
    BOOST_TEST(user_state_folder("x") == "/state/zeroshelf/x");
  }
  for (const char* useless : {static_cast<const char*>(nullptr), "", "not/absolute"}) {
    const Variable cache("XDG_CACHE_HOME", useless);
    const Variable state("XDG_STATE_HOME", useless);
    BOOST_TEST(user_cache_folder("x") == "/home/somebody/.cache/zeroshelf/x");
    BOOST_TEST(user_state_folder("x") == "/home/somebody/.local/state/zeroshelf/x");
    const Variable nowhere("HOME", useless);
    BOOST_TEST(user_cache_folder("x").empty());
    BOOST_TEST(user_state_folder("x").empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
