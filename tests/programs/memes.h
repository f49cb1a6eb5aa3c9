#pragma once

// Sixty drawn memes, indexed with the bundled model: made once for all tests of a program.

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

struct Memes {
  Memes() {
    const auto drawn =
        run_program({ZEROSHELF_DRAW_PROGRAM, "memes", folder, "--count", "60", "--seed", "77"});
    BOOST_REQUIRE_EQUAL(drawn.exit_code, 0);
    added = zeroshelf_index({"add", collection, folder});
    BOOST_REQUIRE_EQUAL(added.exit_code, 0);
  }

  TemporaryDirectory directory;
  std::string folder = (directory / "memes").string();
  std::string collection = (directory / "memes.shelf").string();
  ProgramResult added;
};

inline Memes& memes() {
  static Memes the_memes;
  return the_memes;
}

}  // namespace zeroshelf::testing
