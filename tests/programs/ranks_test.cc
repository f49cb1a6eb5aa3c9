// Several processes that mpirun starts answer as one: the same bytes on standard output, nothing
// twice, and no answer that looks whole when one of them fails. Skipped where there is no mpirun,
// or zeroshelf was built without libopenmpi-dev.

#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lib/util/file.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kMpirun = "/usr/bin/mpirun";
const Words kLabels = {"--labels", "Doom, Animal Crossing"};

Words joined(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Drawn memes in five shards, and a set of them.
struct Shards {
  Shards() {
    const auto drawn =
        run_program({ZEROSHELF_DRAW_PROGRAM, "memes", pictures, "--count", "30", "--seed", "77"});
    BOOST_REQUIRE_EQUAL(drawn.exit_code, 0);
    std::ofstream list(set);
    for (int i = 0; i < 5; ++i) {
      parts.push_back((directory / ("part" + std::to_string(i))).string());
      const auto added =
          zeroshelf_index({"add", parts.back(), pictures, "--shard", std::to_string(i) + "/5"});
      BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
      list << "part" << i << "\n";
    }
  }

  TemporaryDirectory directory;
  std::string pictures = (directory / "memes").string();
  std::string set = (directory / "all.set").string();
  Words parts;
};

const Shards& shards() {
  static const Shards all;
  return all;
}

constexpr int kProcesses = 4;

// On this machine alone, in fewer cores than there are processes, by root as well.
void set_launcher() {
  const std::pair<const char*, const char*> settings[] = {
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      {"OMPI_MCA_mpi_yield_when_idle", "1"},
      {"OMPI_MCA_pml", "ob1"},
      {"OMPI_MCA_coll", "basic,libnbc,self"},
      {"OMPI_MCA_btl", "self,vader,tcp"},
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"},
      {"OMPI_MCA_btl_tcp_if_include", "lo"},
      {"OMPI_MCA_oob_tcp_if_include", "lo"},
      {"OMPI_MCA_plm", "isolated"},
      {"PMIX_MCA_gds", "hash"},
  };
  for (const auto& [name, value] : settings) ::setenv(name, value, 1);
}

ProgramResult ask(const Words& words) {
  const Words command = {kMpirun, "-n", std::to_string(kProcesses), ZEROSHELF_QUERY_PROGRAM};
  return run_program(joined(command, words));
}

size_t times(const std::string& what, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// What the processes say of the parts, beside one alone.
void expect_same(const std::string& command, const Words& behind) {
  const Words words = joined({command, shards().set}, behind);
  const ProgramResult alone = zeroshelf_query(words);
  BOOST_TEST(alone.exit_code <= 1, alone.err);
  const ProgramResult together = ask(words);
  BOOST_TEST_CONTEXT(command << " " << (behind.empty() ? "" : behind.back())) {
    BOOST_TEST(together.exit_code == alone.exit_code, together.err);
    BOOST_TEST((together.out == alone.out), "alone:\n"
                                                << alone.out.substr(0, 1500) << "together:\n"
                                                << together.out.substr(0, 1500));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(several_processes)

BOOST_AUTO_TEST_CASE(labels_are_those_of_one) {
  expect_same("classify", joined(kLabels, {"--format", "jsonl"}));
  expect_same("classify", joined(kLabels, {"--multi", "--only", "Doom"}));
  expect_same("classify", joined(kLabels, {"--none", "--threshold", "0.6", "--summary"}));
}

BOOST_AUTO_TEST_CASE(labels_with_vetoes_and_levels_are_those_of_one) {
  TemporaryDirectory directory;
  const std::string labels = (directory / "labels.txt").string();
  std::ofstream(labels) << "game/shooter/Doom: Doom | - a village\n"
                        << "game/Animal Crossing\nfood\n";
  expect_same("classify", {"--labels-file", labels, "--depth", "2", "--format", "jsonl"});
}

BOOST_AUTO_TEST_CASE(what_needs_all_parts_is_answered_by_one) {
  TemporaryDirectory directory;
  const std::string labels = (directory / "labels.txt").string();
  const std::string picture =
      json_lines(
          zeroshelf_query({"search", shards().set, "demon", "--all", "--format", "jsonl"}).out)
          .front()["path"];
  std::ofstream(labels) << "Doom: Doom | @" << picture << "\nAnimal Crossing\n";
  expect_same("classify", {"--labels-file", labels, "--format", "csv"});
  const auto exported = ask({"export", shards().set, "--labels-file", labels, "--to",
                             (directory / "by a picture").string()});
  BOOST_TEST(exported.exit_code == 0, exported.err);
  const std::string lock = (directory / "labels.lock").string();
  const auto locked = ask(joined({"classify", shards().set, "--summary", "--lock", lock}, kLabels));
  BOOST_TEST(locked.exit_code == 0, locked.err);
  BOOST_TEST(times("the work of one process", locked.err) == 1u, locked.err);
  BOOST_TEST(zeroshelf_query({"verify", shards().set, "--lock", lock}).exit_code == 0);
  const auto refused = ask({"classify", shards().set, "--labels-file", labels, "--lock", lock});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times(lock, refused.err) == 1u, refused.err);
}

BOOST_AUTO_TEST_CASE(hits_are_those_of_one) {
  expect_same("search", {"rip and tear", "--all", "--format", "jsonl", "-k", "60"});
  expect_same("search", {"skull and fire", "--all", "-k", "60"});
  const std::string path =
      json_lines(
          zeroshelf_query({"search", shards().set, "demon", "--all", "--format", "jsonl"}).out)
          .front()["path"];
  expect_same("search", {"--like", fs::path(path).filename().string(), "--all", "--group",
                         "--format", "jsonl"});
}

BOOST_AUTO_TEST_CASE(a_run_is_kept_as_one_process_keeps_it) {
  const auto words = [](const std::string& name) {
    return joined({"classify", shards().set}, joined(kLabels, {"--save", name, "--summary"}));
  };
  BOOST_TEST(zeroshelf_query(words("alone")).exit_code == 0);
  BOOST_TEST(ask(words("together")).exit_code == 0);
  const auto changes =
      zeroshelf_query({"diff", shards().set, "alone", "together", "--format", "jsonl"});
  BOOST_TEST(changes.exit_code <= 1, changes.err);
  const auto of_run = [](const std::string& name) {
    return zeroshelf_query(
        {"search", shards().set, "demon", "--all", "--run", name, "--label", "Doom"});
  };
  BOOST_TEST((of_run("alone").out == of_run("together").out));
  BOOST_TEST(!of_run("together").out.empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_gain_is_answered_by_the_first_and_said_once) {
  TemporaryDirectory directory;
  const auto words = [&](const std::string& name) {
    return joined({"export", shards().set, "--to", (directory / name).string()}, kLabels);
  };
  const auto exported = ask(words("four.csv"));
  BOOST_TEST(exported.exit_code == 0, exported.err);
  BOOST_TEST(times("pictures exported to", exported.err) == 1u, exported.err);
  BOOST_TEST(times("--format csv is the work of one process", exported.err) == 1u, exported.err);
  BOOST_TEST(zeroshelf_query(words("one.csv")).exit_code == 0);
  BOOST_TEST(read_file(directory / "four.csv", 1 << 24) ==
             read_file(directory / "one.csv", 1 << 24));
}

// --- export --------------------------------------------------------------------------------------

// Pictures in two folders, of the same names in both, in five shards.
struct Twins {
  static constexpr int kPictures = 40;

  Twins() {
    std::ofstream list(set);
    for (int i = 0; i < kPictures; ++i) {
      const std::string name = "p" + std::to_string(100 + i / 2) + ".ppm";
      write_file(fs::path(pictures) / (i % 2 == 0 ? "one" : "two") / name, tinted_pixmap(i));
    }
    for (int i = 0; i < 5; ++i) {
      parts.push_back((directory / ("part" + std::to_string(i))).string());
      const auto added = zeroshelf_index(
          {"add", parts.back(), pictures, "--shard", std::to_string(i) + "/5", "--no-ocr"});
      BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
      list << "part" << i << std::endl;
    }
    before = files_below(pictures);
    answers(set);  // the model is asked, and what is to be said of it said, before
  }

  // What classify says of them, path by path.
  std::vector<nlohmann::json> answers(const std::string& collection) const {
    return json_lines(
        zeroshelf_query({"classify", collection, "--labels", kColours, "--format", "jsonl"}).out);
  }
  Words exporting(const fs::path& target, const Words& more) const {
    return joined({"export", set, "--labels", kColours, "--to", target.string()}, more);
  }

  static constexpr const char* kColours = "red, green, blue";
  TemporaryDirectory directory;
  std::string pictures = (directory / "pictures").string();
  std::string set = (directory / "all.set").string();
  Words parts;
  std::vector<std::pair<std::string, std::string>> before;
};

const Twins& twins() {
  static const Twins all;
  return all;
}

// Everything below the folder but the journals: files with their bytes and second names, links with
// where they lead.
Words made_in(const fs::path& folder) {
  Words made;
  if (!fs::exists(folder)) return made;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (name.ends_with(".journal") || entry.is_directory()) continue;
    made.push_back(name + (entry.is_symlink()
                               ? " -> " + fs::read_symlink(entry.path()).string()
                               : " " + std::to_string(fs::hard_link_count(entry.path())) + " " +
                                     read_file(entry.path(), 1 << 24)));
  }
  std::ranges::sort(made);
  return made;
}

// All that is told but how long it took, and what the launcher says.
std::string told(const ProgramResult& result) {
  std::string text;
  std::istringstream stream(result.err);
  for (std::string line; std::getline(stream, line) && !line.starts_with("-----");) {
    if (line.find(" pictures labelled with ") == std::string::npos) text += line + "\n";
  }
  return text;
}

// One process exports, and then four do, to the same places.
void expect_same_export(const Words& more, int exit_code = 0) {
  TemporaryDirectory directory;
  const fs::path target = directory / "out";
  const fs::path unsure = directory / "unsure";
  const Words words = joined(twins().exporting(target, {"--unsure-to", unsure.string()}), more);
  const ProgramResult alone = zeroshelf_query(words);
  BOOST_TEST(alone.exit_code == exit_code, alone.err);
  const auto made = std::pair(made_in(target), made_in(unsure));
  BOOST_TEST(made.first.size() > 2u);
  const auto take_back = [&] {
    for (const fs::path& folder : {target, unsure}) {
      if (fs::exists(folder / "moves.journal")) {
        const auto undone = zeroshelf_query({"undo", folder.string()});
        BOOST_TEST(undone.exit_code == 0, undone.err);
      }
      fs::remove_all(folder);
    }
    BOOST_TEST((files_below(twins().pictures) == twins().before));
  };
  take_back();
  const ProgramResult together = ask(words);
  BOOST_TEST_CONTEXT(more.back()) {
    BOOST_TEST(together.exit_code == exit_code, together.err);
    BOOST_TEST(told(together) == told(alone));
    BOOST_TEST(made_in(target) == made.first, boost::test_tools::per_element());
    BOOST_TEST(made_in(unsure) == made.second, boost::test_tools::per_element());
  }
  take_back();
}

BOOST_AUTO_TEST_CASE(an_export_is_that_of_one) {
  expect_same_export(
      {"--only", "red", "--only", "blue", "--min-score", "0.4", "--mode", "hardlink"});
}

BOOST_AUTO_TEST_CASE(an_export_that_rests_on_all_answers_is_that_of_one) {
  expect_same_export(
      {"--format", "imagefolder", "--validation", "0.3", "--max-per-label", "7", "--mode", "copy"});
  std::string judged = "path,label\n";
  int wrong = 4;
  for (const nlohmann::json& line : twins().answers(twins().set)) {
    judged += line["path"].get<std::string>() + "," +
              (wrong-- > 0 ? "purple" : line["label"].get<std::string>()) + "\n";
  }
  write_file(twins().directory / "judged.csv", judged);
  expect_same_export({"--at-most-wrong", "2%", "--truth",
                      (twins().directory / "judged.csv").string(), "--mode", "move"});
}

BOOST_AUTO_TEST_CASE(pictures_that_cannot_be_exported_are_told_as_one_tells_them) {
  TemporaryDirectory away;
  for (const int i : {103, 107, 111, 112, 115})
    fs::rename(fs::path(twins().pictures) / "two" / ("p" + std::to_string(i) + ".ppm"),
               away / std::to_string(i));
  const fs::path target = away / "out";
  const Words words = twins().exporting(target, {"--min-score", "0.4", "--mode", "symlink"});
  const ProgramResult alone = zeroshelf_query(words);
  const Words made = made_in(target);
  fs::remove_all(target);
  const ProgramResult together = ask(words);
  BOOST_TEST(alone.exit_code == 2);
  BOOST_TEST(together.exit_code == 2);
  BOOST_TEST(told(together) == told(alone));
  BOOST_TEST(times("2 more could not be exported", told(together)) == 1u, together.err);
  BOOST_TEST(made_in(target) == made, boost::test_tools::per_element());
  for (const int i : {103, 107, 111, 112, 115})
    fs::rename(away / std::to_string(i),
               fs::path(twins().pictures) / "two" / ("p" + std::to_string(i) + ".ppm"));
}

// Of a part's pictures one in the middle.
std::string in_the_middle_of(const std::string& part) {
  const auto answers = twins().answers(part);
  BOOST_REQUIRE(answers.size() >= 3u);
  return answers[answers.size() / 2]["path"];
}

// Something happens to the process that is about to move that picture, or to the launcher; see
// hanging_open.cc.
ProgramResult ask_and_end(const Words& words, const std::string& picture, const char* by) {
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_DYING", picture.c_str(), 1);
  if (by != nullptr) ::setenv("ZEROSHELF_DYING_BY", by, 1);
  const auto ended = ask(words);
  for (const char* name : {"ZEROSHELF_DYING_BY", "ZEROSHELF_DYING", "LD_PRELOAD"}) ::unsetenv(name);
  return ended;
}

// No answer of the moves that were ended looks whole, no process goes on with them, and undo puts
// back what was moved.
void expect_undone(const fs::path& target, const ProgramResult& ended) {
  BOOST_TEST(ended.exit_code != 0);
  BOOST_TEST(times("pictures exported to", ended.err) == 0u, ended.err);
  BOOST_TEST(!fs::exists(target / "manifest.jsonl"));
  ProgramResult undone;
  for (int i = 0; i < 600; ++i) {
    undone = zeroshelf_query({"undo", target.string()});
    if (times("still running", undone.err) == 0) break;  // the launcher waits for nobody's end
    ::usleep(100'000);
  }
  BOOST_REQUIRE_MESSAGE(undone.exit_code == 0, undone.err);
  BOOST_TEST(!undone.err.starts_with("0 files put back"), undone.err);
  BOOST_TEST((files_below(twins().pictures) == twins().before));
  BOOST_TEST(!fs::exists(target));
}

BOOST_AUTO_TEST_CASE(a_launcher_that_is_killed_leaves_nobody_moving) {
  TemporaryDirectory directory;
  const fs::path target = directory / "sorted";
  const Words words = twins().exporting(target, {"--mode", "move"});
  const auto ended = ask_and_end(words, in_the_middle_of(twins().parts[2]), "LAUNCHER");
  BOOST_TEST(ended.exit_code == 128 + SIGKILL);
  expect_undone(target, ended);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_told_to_end_ends_all) {
  for (const size_t part : {0, 2}) {
    TemporaryDirectory directory;
    const fs::path target = directory / "sorted";
    const Words words = twins().exporting(target, {"--mode", "move"});
    const auto ended = ask_and_end(words, in_the_middle_of(twins().parts[part]), "SIGTERM");
    // By the first process, or by the launcher where that was faster.
    BOOST_TEST(times("ended by the launcher", ended.err) + times("Terminated", ended.err) >= 1u,
               ended.err);
    BOOST_TEST(ended.exit_code == 128 + SIGTERM);
    expect_undone(target, ended);
  }
}

BOOST_AUTO_TEST_CASE(a_process_that_dies_while_it_moves_loses_no_file_of_any) {
  TemporaryDirectory directory;
  const fs::path target = directory / "sorted";
  const Words words = twins().exporting(target, {"--mode", "move"});
  const std::string dying = in_the_middle_of(twins().parts[2]);
  const auto killed = ask_and_end(words, dying, nullptr);
  BOOST_TEST(killed.exit_code == 128 + SIGKILL);
  BOOST_TEST(fs::exists(dying));
  const auto refused = zeroshelf_query(words);
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times("zeroshelf-query undo puts back", refused.err) == 1u, refused.err);
  expect_undone(target, killed);

  // Once more: what is moved is found in its new place, and what is put back in its old one.
  const auto again = ask(words);
  BOOST_REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  BOOST_TEST(times("could not be told", again.err) == 0u, again.err);
  const auto there = twins().answers(twins().set);
  BOOST_TEST(there.size() == size_t{Twins::kPictures});
  for (const nlohmann::json& line : there)
    BOOST_TEST(line["path"].get<std::string>().starts_with(target.string()));
  fs::rename(target / "moves-00002-of-00004.journal", directory / "away");
  const auto missing = zeroshelf_query({"undo", target.string()});
  BOOST_TEST(missing.exit_code == 2);
  BOOST_TEST(times("moves-00002-of-00004.journal", missing.err) == 1u, missing.err);
  BOOST_TEST(times("no line of it names", missing.err) == 0u, missing.err);
  fs::rename(directory / "away", target / "moves-00002-of-00004.journal");
  BOOST_TEST(zeroshelf_query({"undo", target.string()}).exit_code == 0);
  BOOST_TEST((files_below(twins().pictures) == twins().before));
  for (const nlohmann::json& line : twins().answers(twins().set))
    BOOST_TEST(line["path"].get<std::string>().starts_with(twins().pictures));
}

// --- answers of each process ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(each_process_writes_a_part_of_the_answers) {
  TemporaryDirectory directory;
  const std::string folder = (directory / "answers").string();
  const Words words =
      joined({"classify", shards().set, "--format", "jsonl", "--to", folder}, kLabels);
  const auto written = ask(words);
  BOOST_TEST(written.exit_code == 0, written.err);
  BOOST_TEST(times("pictures labelled with", written.err) == 1u, written.err);
  BOOST_TEST(written.out.empty());
  Words names;
  Words lines;
  for (const auto& [path, bytes] : files_below(folder)) {
    names.push_back(fs::path(path).filename().string());
    std::istringstream stream(bytes);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
  }
  BOOST_TEST((names == Words{"answers-00000-of-00004.jsonl", "answers-00001-of-00004.jsonl",
                             "answers-00002-of-00004.jsonl", "answers-00003-of-00004.jsonl"}));
  const auto alone =
      zeroshelf_query(joined({"classify", shards().set, "--format", "jsonl"}, kLabels));
  Words wanted;
  std::istringstream stream(alone.out);
  for (std::string line; std::getline(stream, line);) wanted.push_back(line);
  std::ranges::sort(lines);
  std::ranges::sort(wanted);
  BOOST_TEST((lines == wanted));
  const auto again = ask(words);
  BOOST_TEST(again.exit_code == 2);
  BOOST_TEST(times("answers-00000-of-00004.jsonl", again.err) == 1u, again.err);
  BOOST_TEST(times("name a new or empty folder", again.err) == 1u, again.err);
}

BOOST_AUTO_TEST_CASE(no_answers_get_their_names_where_those_of_one_cannot_be_written) {
  TemporaryDirectory directory;
  const Words words =
      joined({"classify", shards().set, "--to", (directory / "answers").string()}, kLabels);
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_FULL", "answers-00002-of-00004.txt.unfinished", 1);
  const auto full = ask(words);
  ::unsetenv("ZEROSHELF_FULL");
  ::unsetenv("LD_PRELOAD");
  BOOST_TEST(full.exit_code == 2);
  BOOST_TEST(times("no space left on device", full.err) == 1u, full.err);
  BOOST_TEST(times("pictures labelled with", full.err) == 0u, full.err);
  BOOST_TEST(files_below(directory / "answers").empty());
  BOOST_TEST(ask(words).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(who_is_told_to_end_when_the_answers_have_their_names_tells_of_no_loss) {
  TemporaryDirectory directory;
  const fs::path folder = directory / "answers";
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_ANSWERED", "1", 1);
  const auto ended = ask(joined({"classify", shards().set, "--to", folder.string()}, kLabels));
  ::unsetenv("ZEROSHELF_ANSWERED");
  ::unsetenv("LD_PRELOAD");
  BOOST_TEST(ended.exit_code == 128 + SIGTERM);
  BOOST_TEST(times("pictures labelled with", ended.err) == 1u, ended.err);
  BOOST_TEST(times("before all processes had answered", ended.err) == 0u, ended.err);
  size_t lines = 0;
  for (const auto& [path, bytes] : files_below(folder)) {
    BOOST_TEST(fs::path(path).extension() == ".txt");
    lines += times("\n", bytes);
  }
  const auto alone = zeroshelf_query(joined({"classify", shards().set}, kLabels));
  BOOST_TEST(lines >= 30u);
  BOOST_TEST(lines >= times("\n", alone.out));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_for_the_answers_is_told_with_its_cause) {
  TemporaryDirectory directory;
  write_file(directory / "file", "kept");
  const std::pair<std::string, std::string> refused[] = {
      {(directory / "file").string(), ": not a folder; "},
      {(directory / "file" / "below").string(), ": cannot make the folder: not a directory"},
      {"/proc/zeroshelf/answers", ": cannot make the folder: "},
      {shards().parts[1] + "/answers", "it lies in the folder of the collection "},
      {shards().parts[1], "it lies in the folder of the collection "}};
  for (const auto& [folder, cause] : refused) {
    const Words words = joined({"classify", shards().set, "--to", folder}, kLabels);
    for (const ProgramResult& result : {zeroshelf_query(words), ask(words)}) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(times(cause, result.err) == 1u, result.err);
      BOOST_TEST(times("make it first", result.err) == 0u, result.err);
    }
  }
  for (const std::string& part : shards().parts)
    BOOST_TEST(zeroshelf_index({"verify", part}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_lost_part_ends_all_and_leaves_no_answer) {
  TemporaryDirectory directory;
  Words parts;
  for (const std::string& part : shards().parts) {
    parts.push_back((directory / fs::path(part).filename().string()).string());
    fs::copy(part, parts.back(), fs::copy_options::recursive);
  }
  const auto words = [&](const Words& behind) {
    return joined(joined({"classify"}, parts), joined(kLabels, behind));
  };
  fs::remove_all(parts[3]);
  const auto refused = ask(words({"--to", (directory / "answers").string()}));
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times("zeroshelf-query: " + parts[3] + ": ", refused.err) == 1u, refused.err);
  BOOST_TEST(files_below(directory / "answers").empty());
  const Words query = {"a village", "--all", "--format", "jsonl", "--partial"};
  const auto partial = ask(joined(joined({"search"}, parts), query));
  BOOST_TEST(partial.exit_code == 3);
  BOOST_TEST(times("coverage: 4/5", partial.err) == 1u, partial.err);
  BOOST_TEST((partial.out == zeroshelf_query(joined(joined({"search"}, parts), query)).out));
  BOOST_TEST(files_below(directory / "answers").empty());
}

BOOST_AUTO_TEST_CASE(a_part_that_does_not_open_in_time_ends_all_or_is_left_out) {
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_HANGING", shards().parts[3].c_str(), 1);
  const Words words = joined({"classify", shards().set, "--deadline", "4", "--summary"}, kLabels);
  const auto late = ask(words);
  const auto alone = zeroshelf_query(words);
  const auto partial = ask({"search", shards().set, "demon", "--partial", "--deadline", "4"});
  ::unsetenv("ZEROSHELF_HANGING");
  ::unsetenv("LD_PRELOAD");
  for (const auto* result : {&late, &alone}) {
    BOOST_TEST(result->exit_code == 2);
    BOOST_TEST(times("part3: has not opened within 4 s", result->err) == 1u, result->err);
  }
  BOOST_TEST(partial.exit_code == 3, partial.err);
  BOOST_TEST(times("coverage: 4/5", partial.err) == 1u, partial.err);
}

// Not even what is there can be asked; the other parts answer, however they are named.
BOOST_AUTO_TEST_CASE(a_part_whose_folder_does_not_answer_is_the_one_that_is_told) {
  const std::string& dead = shards().parts[3];
  Words dead_first = {dead};
  for (const std::string& part : shards().parts) {
    if (part != dead) dead_first.push_back(part);
  }
  const Words dead_last(dead_first.rbegin(), dead_first.rend());
  const std::string folder = fs::path(dead).parent_path().string();
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_DEAD", dead.c_str(), 1);
  std::vector<std::pair<std::string, ProgramResult>> partial;
  const Words query = {"demon", "--partial", "--deadline", "4", "--all"};
  const Words list = joined(joined({"search"}, dead_first), query);
  partial.emplace_back("list, one", zeroshelf_query(list));
  partial.emplace_back("list, four", ask(list));
  partial.emplace_back("set", zeroshelf_query(joined({"search", shards().set}, query)));
  partial.emplace_back("folder", zeroshelf_query(joined({"search", folder}, query)));
  // Is the last one a text?
  partial.emplace_back("last",
                       ask(joined(joined({"search"}, dead_last),
                                  {"--plus", "demon", "--partial", "--deadline", "4", "--all"})));
  const ProgramResult refused =
      ask(joined({"classify", shards().set, "--deadline", "4", "--summary"}, kLabels));
  ::unsetenv("ZEROSHELF_DEAD");
  ::unsetenv("LD_PRELOAD");
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times(dead + ": has not opened within 4 s", refused.err) == 1u, refused.err);
  for (const auto& [what, result] : partial) {
    BOOST_TEST_CONTEXT(what) {
      BOOST_TEST(result.exit_code == 3);
      BOOST_TEST(times(dead + ": has not opened within 4 s", result.err) == 1u, result.err);
      BOOST_TEST(times("coverage: 4/5", result.err) == 1u, result.err);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_program_that_was_started_alone_loads_no_mpi) {
  ::setenv("LD_DEBUG", "files", 1);
  const auto alone = zeroshelf_query(joined({"classify", shards().set, "--summary"}, kLabels));
  ::unsetenv("LD_DEBUG");
  BOOST_TEST(alone.exit_code == 0);
  BOOST_TEST(times("libc.so", alone.err) > 0u);
  for (const char* library : {"libmpi", "libpmix", "zeroshelf_mpi_part"})
    BOOST_TEST(times(library, alone.err) == 0u);
}

BOOST_AUTO_TEST_CASE(without_mpi_several_processes_of_srun_are_refused) {
  const auto as_task = [](const char* rank, const Words& words) {
    ::setenv("SLURM_PROCID", rank, 1);
    ::setenv("SLURM_STEP_NUM_TASKS", "2", 1);
    const auto result = zeroshelf_query(words);
    ::unsetenv("SLURM_PROCID");
    ::unsetenv("SLURM_STEP_NUM_TASKS");
    return result;
  };
  const Words words = joined({"classify", shards().set, "--summary"}, kLabels);
  const auto first = as_task("0", words);
  BOOST_TEST(first.exit_code == 2);
  BOOST_TEST(times("srun --mpi=pmix", first.err) == 1u, first.err);
  const auto second = as_task("1", words);
  BOOST_TEST(second.exit_code == 0);
  BOOST_TEST(second.err.empty());
  BOOST_TEST(as_task("1", {"runs", shards().set}).out.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing

int main(int argc, char** argv) {
  if (::access(zeroshelf::testing::kMpirun, X_OK) != 0 ||
      !std::filesystem::exists(ZEROSHELF_MPI_PART)) {
    std::puts(
        "skipped: no mpirun, or built without MPI (apt-get install libopenmpi-dev openmpi-bin)");
    return 77;
  }
  zeroshelf::testing::set_launcher();
  if (zeroshelf::testing::run_program({zeroshelf::testing::kMpirun, "-n", "4", "/bin/true"})
          .exit_code != 0) {
    std::puts("skipped: mpirun cannot start four processes of another program here");
    return 77;
  }
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
