// A collection that somebody else made names a model that is a program: with libtorch's own means
// an archive is made that writes a file when it is loaded. zeroshelf never runs it.

#include <torch/script.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "models/flags/named_models.h"
#include "tests/clip/tiny_model.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

// Loading it makes the file `written`.
void write_hostile_archive(const fs::path& archive, const fs::path& written) {
  torch::jit::Module module("__torch__.Hostile");
  module.register_attribute("x", c10::TensorType::get(), torch::zeros({1}));
  module.define("def __getstate__(self):\n  return 7\n");
  module.define("def __setstate__(self, state: int):\n  self.x = torch.from_file(\"" +
                written.string() + "\", True, 4)\n");
  module.save(archive.string());
}

struct Fixture {
  Fixture() {
    ::setenv("XDG_STATE_HOME", (directory / "state").c_str(), 1);
    ::setenv("ZEROSHELF_MODELS", (directory / "installed").c_str(), 1);
    testing::TinyModel(1).write(directory / "tiny");
    fs::create_directory(directory / "pictures");
    for (int i = 0; i < 3; ++i) {
      testing::write_file(directory / "pictures" / (std::to_string(i) + ".ppm"),
                          testing::noise_pixmap(i));
    }
    const ProgramResult added =
        zeroshelf_index({"add", collection.string(), (directory / "pictures").string(), "--no-ocr",
                         "--model", (directory / "tiny").string()});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }
  ~Fixture() {
    ::unsetenv("XDG_STATE_HOME");
    ::unsetenv("ZEROSHELF_MODELS");
  }

  ProgramResult search(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"search", collection.string(), "a cat", "--all"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }
  void check_refused(const ProgramResult& result, const char* words) const {
    BOOST_TEST_CONTEXT(result.err) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.find(words) != std::string::npos);
      BOOST_TEST(!fs::exists(written));
    }
  }

  testing::TemporaryDirectory directory;
  fs::path collection = directory / "pictures.shelf";
  fs::path written = directory / "written";
};

BOOST_FIXTURE_TEST_SUITE(handed_over, Fixture)

BOOST_AUTO_TEST_CASE(a_program_in_place_of_a_model_is_never_run) {
  const fs::path archive = directory / "tiny";  // which the collection names
  fs::remove_all(archive);
  write_hostile_archive(archive, written);
  torch::jit::load(archive.string());
  BOOST_REQUIRE(fs::exists(written));  // libtorch runs it
  fs::remove(written);

  BOOST_CHECK_EXCEPTION(load_encoder(archive, {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::Incompatible &&
           std::string(error.what()).find("nothing of it was run") != std::string::npos;
  });
  check_refused(search({"--model", archive.string()}), "nothing of it was run");
  // On this machine nobody named it: it is not even opened.
  fs::remove_all(directory / "state");
  check_refused(search(), "named this path");
  check_refused(zeroshelf_query({"classify", collection.string(), "--labels", "a,b"}),
                "named this path");
  testing::write_file(directory / "pictures" / "new.ppm", testing::noise_pixmap(7));
  check_refused(zeroshelf_index({"add", collection.string(), (directory / "pictures").string()}),
                "named this path");
}

BOOST_AUTO_TEST_CASE(a_model_that_was_named_before_is_taken_from_the_collection) {
  BOOST_TEST(search().exit_code == 0);
  fs::remove_all(directory / "state");
  check_refused(search(), "named this path");
  BOOST_TEST(search({"--model", (directory / "tiny").string()}).exit_code == 0);
  BOOST_TEST(search().exit_code == 0);
}

BOOST_AUTO_TEST_CASE(an_installed_model_is_taken_by_name_or_by_path) {
  fs::remove_all(directory / "state");
  fs::create_directory(directory / "installed");
  fs::rename(directory / "tiny", directory / "installed" / "tiny");
  BOOST_TEST(search().exit_code == 0);  // the path is gone, the name is known
  const fs::path other = directory / "other.shelf";
  BOOST_TEST(zeroshelf_index({"add", other.string(), (directory / "pictures").string(), "--no-ocr",
                              "--model", "tiny"})
                 .exit_code == 0);
  BOOST_TEST(zeroshelf_query({"search", other.string(), "a dog", "--all"}).exit_code == 0);
  BOOST_TEST(!fs::exists(directory / "state"));
}

BOOST_AUTO_TEST_CASE(another_model_in_its_place_is_refused_before_its_weights_are_used) {
  testing::TinyModel other(2);
  other.tensors.erase("text_projection.weight");
  other.write(directory / "tiny");
  check_refused(search(), "not the model that made the collection");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
