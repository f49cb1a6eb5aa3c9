// The way out for any model: a pair of TorchScript programs, through the real programs. They run
// when they are named with --trust-code, and never for any other reason.

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>

#include "lib/collection/view.h"
#include "lib/util/error.h"
#include "query/serve/warm_encoder.h"
#include "tests/programs/programs.h"
#include "tests/support/torchscript_model.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ColourModel;
using testing::json_lines;
using testing::ProgramResult;
using testing::TemporaryDirectory;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

std::string plain_pixmap(uint8_t r, uint8_t g, uint8_t b) {
  std::string file = "P6\n16 16\n255\n";
  for (int i = 0; i < 16 * 16; ++i) {
    for (const uint8_t sample : {r, g, b}) file += static_cast<char>(sample);
  }
  return file;
}

// Pictures of three colours, and a model whose programs write the file `written` when they are
// loaded.
struct Fixture {
  Fixture() {
    ::setenv("XDG_STATE_HOME", (directory / "state").c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1);
    ::setenv("ZEROSHELF_MODELS", (directory / "installed").c_str(), 1);
    testing::write_file(pictures / "red.ppm", plain_pixmap(250, 10, 10));
    testing::write_file(pictures / "green.ppm", plain_pixmap(10, 250, 10));
    testing::write_file(pictures / "blue.ppm", plain_pixmap(10, 10, 250));
    write_model(model);
  }
  ~Fixture() {
    for (const char* name : {"XDG_STATE_HOME", "XDG_CACHE_HOME", "ZEROSHELF_MODELS"})
      ::unsetenv(name);
  }

  void write_model(const fs::path& folder) const {
    const ColourModel colours;
    colours.write(folder);
    testing::write_hostile_program(folder / "picture.pt", written, colours.picture);
    testing::write_hostile_program(folder / "text.pt", written, colours.text);
  }

  ProgramResult add(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"add", shelf.string(), pictures.string(), "--no-ocr"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_index(arguments);
  }
  ProgramResult query(std::vector<std::string> arguments,
                      const std::vector<std::string>& more = {}) const {
    arguments.insert(arguments.begin() + 1, shelf.string());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }
  std::vector<std::string> trusted() const { return {"--model", model.string(), "--trust-code"}; }

  void add_trusted() const {
    const ProgramResult added = add(trusted());
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
    BOOST_REQUIRE(fs::exists(written));  // so it shows when the programs are loaded
    fs::remove(written);
  }
  void check_not_run(const ProgramResult& result, const std::string& words = "--trust-code") const {
    BOOST_TEST_CONTEXT(result.err) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.find(words) != std::string::npos);
      BOOST_TEST(!fs::exists(written));
    }
  }
  // Each picture is what its name says.
  void check_labels(const ProgramResult& result) const {
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    std::set<std::string> seen;
    for (const auto& line : json_lines(result.out)) {
      const std::string name = fs::path(line["path"].get<std::string>()).stem().string();
      BOOST_TEST(line["label"] == name);
      seen.insert(name);
    }
    BOOST_TEST(seen.size() == 3u);
  }

  TemporaryDirectory directory;
  fs::path pictures = directory / "pictures";
  fs::path model = directory / "colours";
  fs::path shelf = directory / "pictures.shelf";
  fs::path written = directory / "written";
  const std::vector<std::string> classify = {"classify", "--labels", "red, green, blue", "--format",
                                             "jsonl"};
};

BOOST_FIXTURE_TEST_SUITE(torchscript_model, Fixture)

BOOST_AUTO_TEST_CASE(it_labels_and_finds_like_any_other_model) {
  add_trusted();
  check_labels(query(classify, trusted()));
  const ProgramResult found =
      query({"search", "something blue", "--all", "--format", "jsonl"}, trusted());
  BOOST_REQUIRE_MESSAGE(found.exit_code == 0, found.err);
  BOOST_TEST(json_lines(found.out).front()["path"].get<std::string>().ends_with("blue.ppm"));
  BOOST_TEST(zeroshelf_index({"verify", shelf.string()}).exit_code == 0);
  testing::write_file(pictures / "more.ppm", plain_pixmap(240, 20, 20));
  const ProgramResult more = add(trusted());
  BOOST_REQUIRE_MESSAGE(more.exit_code == 0, more.err);
  BOOST_TEST(query({"search", "red", "--all"}, trusted()).out.find("more.ppm") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_the_flag_it_does_not_run) {
  const std::vector<std::string> named = {"--model", model.string()};
  check_not_run(add(named));
  BOOST_TEST(!fs::exists(shelf / "CURRENT"));
  add_trusted();
  check_not_run(query({"search", "blue"}, named));
  check_not_run(query({"search", "blue"}, {"--text-model", model.string()}),
                "--text-model " + model.string() + " --trust-code");
  check_not_run(zeroshelf_query({"embed", "--text", "x", "--model", model.string()}));
}

BOOST_AUTO_TEST_CASE(a_collection_never_makes_it_run) {
  add_trusted();  // which also makes it a model that was named on this machine
  const std::string cure = "--model " + model.string() + " --trust-code";
  check_not_run(query({"search", "blue"}), cure);
  check_not_run(query(classify), cure);
  testing::write_file(pictures / "more.ppm", plain_pixmap(240, 20, 20));
  check_not_run(add({}), cure);
  // Nor does a flag that names nothing.
  check_not_run(query({"search", "blue"}, {"--trust-code"}), "no model is named");
  check_not_run(query({"search", "blue"}, {"--trust-code", "--text-model", "own"}),
                "no model is named");
  // Nor an installed model of that name.
  fs::create_directory(directory / "installed");
  fs::rename(model, directory / "installed" / "colours");
  check_not_run(query({"search", "blue"}));
  BOOST_TEST(query({"search", "blue", "--all"}, {"--model", "colours", "--trust-code"}).exit_code ==
             0);
}

BOOST_AUTO_TEST_CASE(what_was_asked_before_needs_no_model) {
  add_trusted();
  check_labels(query(classify, trusted()));
  fs::remove(written);
  check_labels(query(classify));
  BOOST_TEST(!fs::exists(written));
}

BOOST_AUTO_TEST_CASE(another_pair_in_its_place_is_refused_before_it_runs) {
  add_trusted();
  testing::write_file(model / "zeroshelf.json", ColourModel().config.dump() + "\n");
  check_not_run(query({"search", "blue"}, trusted()), "not the model that made the collection");
}

BOOST_AUTO_TEST_CASE(a_text_model_is_trusted_where_it_is_named) {
  add_trusted();
  const fs::path other = directory / "other";
  fs::copy(model, other);
  testing::write_program(other / "text.pt",
                         "def forward(self, texts: List[str]):\n"
                         "  r = torch.full([len(texts), 3], -1.0)\n"
                         "  for i in range(len(texts)):\n"
                         "    r[i][2 if texts[i].find('blau') >= 0 else 0] = 1.0\n"
                         "  return r.repeat(1, 8)\n");
  const std::vector<std::string> question = {"search", "blau", "--all", "--format", "jsonl"};
  const ProgramResult found = query(question, {"--text-model", other.string(), "--trust-code"});
  BOOST_REQUIRE_MESSAGE(found.exit_code == 0, found.err);
  BOOST_TEST(json_lines(found.out).front()["path"].get<std::string>().ends_with("blue.ppm"));
  fs::remove(written);
  // It is remembered, and not run for that.
  check_not_run(query({"search", "etwas anderes"}),
                "--text-model " + other.string() + " --trust-code");
  check_not_run(query({"search", "etwas anderes"}, {"--model", model.string(), "--trust-code"}),
                "--text-model " + other.string() + " --trust-code");
}

BOOST_AUTO_TEST_CASE(no_request_to_a_server_makes_it_run) {
  add_trusted();
  const auto snapshot =
      std::make_shared<serve::Snapshot>(serve::Snapshot{View::open(shelf), {}, 1, 1});
  serve::WarmEncoder encoder(snapshot, {});
  const std::string text = "blue";
  BOOST_CHECK_EXCEPTION(encoder.encode_texts(std::span(&text, 1), LongText::Truncate), Error,
                        [](const Error& error) {
                          return error.code() == ErrorCode::InvalidArgument &&
                                 error.cure().find("--trust-code") != std::string::npos;
                        });
  BOOST_TEST(!fs::exists(written));
  // Named at the start it is loaded then.
  ModelOptions options;
  options.model = model.string();
  options.trusts_code = true;
  serve::WarmEncoder trusting(snapshot, options);
  BOOST_TEST(fs::exists(written));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
