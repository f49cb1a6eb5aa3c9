// classify --lock and verify through the real program.

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// A collection of twelve pictures.
struct Locked {
  Locked() {
    for (int i = 0; i < 12; ++i) put(std::to_string(i) + ".ppm", i);
    add();
  }

  void put(const std::string& name, int number) const {
    write_file(folder / name, tinted_pixmap(number));
  }

  void add() const {
    const auto added = zeroshelf_index({"add", collection, folder.string(), "--no-ocr"});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }

  void lock(Words more = {}, const std::string& labels = "red, blue") const {
    Words words = {"classify", collection, "--labels", labels, "--summary", "--lock", file};
    words.insert(words.end(), more.begin(), more.end());
    const auto made = zeroshelf_query(words);
    BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  }

  ProgramResult verify(Words more = {}) const {
    Words words = {"verify", collection, "--lock", file, "--format", "jsonl"};
    words.insert(words.end(), more.begin(), more.end());
    return zeroshelf_query(words);
  }

  // What of this kind is not the same.
  nlohmann::json difference(const std::string& what, const Words& more = {}) const {
    const auto result = verify(more);
    BOOST_TEST(result.exit_code < 2, result.err);
    for (const auto& line : json_lines(result.out))
      if (line["type"] == "compared" && line["what"] == what && !line["same"].get<bool>())
        return line;
    BOOST_ERROR("no difference of " << what << " in " << result.out);
    return {};
  }
  nlohmann::json verdict() const { return json_lines(verify().out).back(); }

  TemporaryDirectory directory;
  std::string collection = (directory / "shelf").string();
  fs::path folder = directory / "pictures";
  std::string file = (directory / "labels.lock").string();
};

BOOST_FIXTURE_TEST_SUITE(lock_files, Locked)

BOOST_AUTO_TEST_CASE(the_same_answers_come_out_whatever_happened_to_files_and_rows) {
  lock();
  const auto same = verify();
  BOOST_TEST(same.exit_code == 0, same.out << same.err);
  for (const auto& line : json_lines(same.out))
    if (line["type"] == "compared") BOOST_TEST(line["same"].get<bool>(), line.dump());
  BOOST_TEST(verdict()["same_answers"].get<bool>());
  const auto table = zeroshelf_query({"verify", collection, "--lock", file});
  BOOST_TEST(table.out.find("answers        the same\n") != std::string::npos);
  BOOST_TEST(table.err.find("the same answers come out: 12 pictures") != std::string::npos);

  fs::rename(folder, directory / "renamed");
  folder = directory / "renamed";
  add();
  BOOST_TEST(zeroshelf_index({"compact", collection}).exit_code == 0);
  BOOST_TEST(verify().exit_code == 0);

  // The same files elsewhere, in two parts.
  const std::string set = (directory / "all.set").string();
  std::ofstream(set) << "part0\npart1\n";
  for (const char* shard : {"0/2", "1/2"}) {
    const std::string part = (directory / ("part" + std::string(1, shard[0]))).string();
    const auto added =
        zeroshelf_index({"add", part, folder.string(), "--no-ocr", "--shard", shard});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }
  const auto union_result = zeroshelf_query({"verify", set, "--lock", file});
  BOOST_TEST(union_result.exit_code == 0, union_result.out << union_result.err);
}

BOOST_AUTO_TEST_CASE(pictures_that_came_went_or_changed_are_counted) {
  lock();
  put("new.ppm", 20);
  put("newer.ppm", 21);
  add();
  BOOST_TEST(difference("pictures")["detail"] == "at least 2 added");
  BOOST_TEST(verify().exit_code == 1);
  const auto told = zeroshelf_query({"verify", collection, "--lock", file});
  BOOST_TEST(told.out.find("pictures       at least 2 added\n") != std::string::npos);
  BOOST_TEST(verdict()["added"] == 2);
  fs::remove(folder / "new.ppm");
  fs::remove(folder / "newer.ppm");
  fs::remove(folder / "0.ppm");
  add();
  BOOST_TEST(difference("pictures")["detail"] == "at least 1 removed");
  put("0.ppm", 0);
  add();
  BOOST_TEST(verify().exit_code == 0);
  put("1.ppm", 22);
  add();
  BOOST_TEST(difference("pictures")["detail"] == "at least 1 added, at least 1 removed");
}

BOOST_AUTO_TEST_CASE(other_labels_rules_and_settings_are_told) {
  lock({"--template", "a {} thing"});
  const Words labels = {"--labels", "red, blue"};
  BOOST_TEST(difference("labels", labels)["detail"] == "'red' has other prompts here");
  Words asked = {"--labels", "red, blue", "--template", "a {} thing"};
  BOOST_TEST(verify(asked).exit_code == 0);
  Words sure = asked;
  sure.insert(sure.end(), {"--threshold", "1"});
  BOOST_TEST(verify(sure).exit_code == 1);
  BOOST_TEST(difference("rule", sure)["detail"].get<std::string>().find(
                 "threshold 1 here, no threshold in the lock") == 0u);
  const auto alone = verify({"--threshold", "0.5"});
  BOOST_TEST(alone.exit_code == 2);
  BOOST_TEST(alone.err.find("name labels too") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_lock_brings_its_settings_with_it) {
  lock({"--none", "--threshold", "0.4", "--multi", "--fusion", "image"});
  BOOST_TEST(verify().exit_code == 0);
  const auto json = nlohmann::json::parse(read_file(file, 1 << 20));
  BOOST_TEST(json["request"]["threshold"].get<float>() == 0.4f);
  BOOST_TEST(json["request"]["none"].get<bool>());
  BOOST_TEST(json["request"]["several"].get<bool>());
  BOOST_TEST(json["request"]["labels"][0]["prompts"][0] == "red");
}

BOOST_AUTO_TEST_CASE(a_lock_is_never_overwritten_and_a_bad_one_is_refused) {
  lock();
  const std::string before = read_file(file, 1 << 20);
  const auto again = zeroshelf_query(
      {"classify", collection, "--labels", "a, b", "--lock", file});
  BOOST_TEST(again.exit_code == 2);
  BOOST_TEST(again.out.empty());
  BOOST_TEST(again.err.find("exists already") != std::string::npos);
  BOOST_TEST(read_file(file, 1 << 20) == before);
  for (const std::string& content : {before.substr(0, before.size() / 2), std::string("{}")}) {
    write_file(file, content);
    const auto refused = verify();
    BOOST_TEST(refused.exit_code == 2);
    BOOST_TEST(refused.out.empty());
  }
  fs::remove(file);
  BOOST_TEST(verify().exit_code == 2);
}

BOOST_AUTO_TEST_CASE(another_model_is_told_without_asking_it) {
  lock();
  std::string json = read_file(file, 1 << 20);
  const std::string name = "\"fingerprint\": \"";
  json.replace(json.find(name) + name.size(), 4, "0000");
  write_file(file, json);
  const auto result = verify();
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(json_lines(result.out).front()["what"] == "model");
  BOOST_TEST(!json_lines(result.out).front()["same"].get<bool>());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::testing
