// Parts answer as one collection of the same files: the same bytes for every command and rule,
// whatever the parts are.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/programs/memes.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const Words kLabels = {"--labels", "Doom, Animal Crossing"};

Words joined(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The memes again in so many shards, once in a folder and once in a set file.
struct Shards {
  explicit Shards(int count) {
    fs::create_directories(folder);
    std::ofstream list(set);
    list << "# all shards\n";
    for (int i = 0; i < count; ++i) {
      const std::string part = (folder / ("part" + std::to_string(i))).string();
      const auto added = zeroshelf_index({"add", part, memes().folder, "--shard",
                                          std::to_string(i) + "/" + std::to_string(count)});
      BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
      parts.push_back(part);
      list << "shards/part" << i << "\n";
    }
  }

  TemporaryDirectory directory;
  fs::path folder = directory / "shards";
  std::string set = (directory / "all.set").string();
  Words parts;
};

const Shards& shards(int count) {
  static std::map<int, Shards> all;
  const auto found = all.find(count);
  return found != all.end() ? found->second
                            : all.emplace(std::piecewise_construct, std::forward_as_tuple(count),
                                          std::forward_as_tuple(count))
                                  .first->second;
}

ProgramResult ask(const std::string& command, const Words& collections, const Words& behind) {
  return zeroshelf_query(joined(joined({command}, collections), behind));
}

// The command's answer of the whole, which those of parts must equal to the byte.
void expect_same(const std::string& command, const Words& behind) {
  const ProgramResult whole = ask(command, {memes().collection}, behind);
  BOOST_TEST(whole.exit_code <= 1, whole.err);
  for (const int count : {2, 3, 8}) {
    const ProgramResult many = ask(command, {shards(count).set}, behind);
    BOOST_TEST_CONTEXT(command << " of " << count << " parts") {
      BOOST_TEST(many.exit_code == whole.exit_code, many.err);
      BOOST_TEST((many.out == whole.out));
      if (many.out != whole.out) {
        BOOST_TEST_MESSAGE("whole:\n" << whole.out.substr(0, 2000));
        BOOST_TEST_MESSAGE("parts:\n" << many.out.substr(0, 2000));
      }
    }
  }
}

// What a command makes, by the name that is given behind --to or another flag.
using Files = std::vector<std::pair<std::string, std::string>>;

void expect_same_files(const std::string& command, const Words& behind, const Words& flags) {
  const auto made_of = [&](const std::string& collection) {
    TemporaryDirectory made;
    Words words = behind;
    for (const std::string& flag : flags) {
      words.push_back(flag);
      words.push_back((made / flag.substr(2)).string());
    }
    const ProgramResult result = ask(command, {collection}, words);
    BOOST_TEST(result.exit_code == 0, result.err);
    Files files = files_below(made / "");
    const std::string own = (made / "").string();
    for (auto& [name, bytes] : files) {
      for (std::string* text : {&name, &bytes}) {
        for (size_t at; (at = text->find(own)) != std::string::npos;) text->erase(at, own.size());
      }
    }
    return files;
  };
  const Files whole = made_of(memes().collection);
  BOOST_TEST(!whole.empty());
  for (const int count : {2, 3, 8}) {
    BOOST_TEST_CONTEXT(command << " of " << count << " parts")
    BOOST_TEST((made_of(shards(count).set) == whole));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(union_of_parts)

BOOST_AUTO_TEST_CASE(each_part_has_its_files_and_each_file_a_part) {
  for (const int count : {2, 3, 8}) {
    int pictures = 0;
    for (const std::string& part : shards(count).parts) {
      const auto stats = json_lines(zeroshelf_index({"stats", part, "--json"}).out);
      pictures += stats.front()["pictures"].get<int>();
      BOOST_TEST(stats.front()["shard"].get<std::string>().ends_with("/" + std::to_string(count)));
    }
    BOOST_TEST(pictures == 60);
    const auto all = json_lines(zeroshelf_index({"stats", shards(count).set, "--json"}).out);
    BOOST_TEST(all.front()["pictures"].get<int>() == 60);
    BOOST_TEST(all.front()["parts"].get<int>() == count);
    BOOST_TEST(zeroshelf_index({"verify", shards(count).set, "--files"}).exit_code == 0);
  }
}

BOOST_AUTO_TEST_CASE(labels_are_the_same_by_every_rule) {
  for (const char* rule : {"image", "text", "max", "mix"})
    expect_same("classify", joined(kLabels, {"--fusion", rule, "--format", "jsonl"}));
  expect_same("classify", joined(kLabels, {"--none", "--threshold", "0.6", "--format", "csv"}));
  expect_same("classify", joined(kLabels, {"--multi", "--format", "jsonl"}));
  expect_same("classify", joined(kLabels, {"--summary", "--format", "jsonl"}));
  expect_same("classify", joined(kLabels, {"--only", "Doom", "-0"}));
}

BOOST_AUTO_TEST_CASE(a_list_of_parts_and_their_folder_are_the_set) {
  const Words flags = joined(kLabels, {"--format", "jsonl"});
  const std::string whole = ask("classify", {memes().collection}, flags).out;
  Words parts = shards(3).parts;
  BOOST_TEST((ask("classify", parts, flags).out == whole));
  BOOST_TEST((ask("classify", {shards(3).folder.string()}, flags).out == whole));
  std::ranges::reverse(parts);
  BOOST_TEST((ask("classify", parts, flags).out == whole));
}

BOOST_AUTO_TEST_CASE(hits_are_the_same) {
  for (const Words& query : std::vector<Words>{{"a village"},
                                               {"doom"},
                                               {"the", "--in", "text", "--all"},
                                               {"demon", "--in", "picture", "--all"},
                                               {"rip and tear", "--all"}})
    expect_same("search", joined(query, {"--format", "jsonl", "-k", "60"}));
  expect_same("search", {"skull and fire", "--all", "-k", "60"});
  expect_same("search", {"a demon", "--minus", "a village", "--all", "-k", "7"});
  const std::string path =
      json_lines(ask("search", {memes().collection}, {"demon", "--all", "--format", "jsonl"}).out)
          .front()["path"];
  expect_same("search", {"--like", path, "--all", "--group", "--format", "jsonl"});
  expect_same("search", {"--image", path, "--all", "--format", "jsonl"});
  expect_same("search", {"--all", "--minus", "a village", "--has-text", "-k", "9"});
}

BOOST_AUTO_TEST_CASE(what_is_exported_is_the_same) {
  const Words few = joined(kLabels, {"--max-per-label", "5", "--min-score", "0.5"});
  expect_same_files("export", joined(kLabels, {"--mode", "copy"}), {"--to", "--unsure-to"});
  expect_same_files("export", joined(few, {"--mode", "copy"}), {"--to"});
  for (const char* format : {"imagefolder", "fiftyone"})
    expect_same_files("export", joined(kLabels, {"--mode", "copy", "--format", format}), {"--to"});
  for (const char* format : {"jsonl", "csv", "labelstudio", "coco"})
    expect_same_files("export", joined(few, {"--format", format}), {"--to"});
}

BOOST_AUTO_TEST_CASE(a_move_is_followed_by_the_parts_and_taken_back) {
  TemporaryDirectory directory;
  const std::string pictures = (directory / "pictures").string();
  fs::copy(memes().folder, pictures, fs::copy_options::recursive);
  Words parts;
  for (const char* shard : {"0/2", "1/2"}) {
    parts.push_back((directory / std::to_string(parts.size())).string());
    BOOST_REQUIRE(
        zeroshelf_index({"add", parts.back(), pictures, "--no-ocr", "--shard", shard}).exit_code ==
        0);
  }
  const Files before = files_below(pictures);
  const std::string target = (directory / "sorted").string();
  BOOST_TEST(ask("export", parts, joined(kLabels, {"--to", target, "--mode", "move"})).exit_code ==
             0);
  for (const auto& [path, bytes] : files_below(pictures)) BOOST_TEST(fs::is_directory(path));
  BOOST_TEST(zeroshelf_index({"verify", parts[0], parts[1], "--files"}).exit_code == 0);
  BOOST_TEST(zeroshelf_query({"undo", target}).exit_code == 0);
  BOOST_TEST((files_below(pictures) == before));
  BOOST_TEST(zeroshelf_index({"verify", parts[0], parts[1], "--files"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(judging_and_what_is_kept_are_the_same) {
  const Words truth = {"--truth", memes().folder + ".csv", "--format", "jsonl"};
  expect_same("evaluate", joined(kLabels, truth));
  expect_same("train", joined(truth, {"--save", "worlds"}));
  expect_same("evaluate", joined({"--classifier", "worlds"}, truth));
  const auto calibrated = [&](const std::string& collection) {
    return ask("calibrate", {collection}, joined(joined(kLabels, truth), {"--save", "mine"})).out;
  };
  for (const int count : {2, 3, 8})
    BOOST_TEST((calibrated(shards(count).set) == calibrated(memes().collection)));

  for (const auto& [name, rule] : {std::pair("by_image", "image"), std::pair("by_text", "text")})
    expect_same("classify", joined(kLabels, {"--fusion", rule, "--save", name, "--summary"}));
  expect_same("diff", {"by_image", "by_text", "--format", "jsonl"});
  expect_same("review", {"by_image", "-k", "12", "--format", "jsonl"});
  expect_same("review", joined(kLabels, {"--by", "disagreement", "--format", "csv"}));
  expect_same("search", {"demon", "--all", "--run", "by_image", "--label", "Doom"});
  const auto kept = json_lines(ask("runs", {shards(3).set}, {"--format", "jsonl"}).out);
  BOOST_TEST(kept.size() == 2u);
  BOOST_TEST(kept.front()["pictures"] == 60);
}

BOOST_AUTO_TEST_CASE(duplicates_and_vectors_are_the_same) {
  expect_same("duplicates", {"--cosine", "0.9", "--format", "jsonl"});
  expect_same("duplicates", {"--cosine", "0.9", "-0", "--omit-first"});
  expect_same_files("vectors", {}, {"--npy", "--text-npy", "--paths", "--metadata"});
}

BOOST_AUTO_TEST_CASE(a_lost_part_is_an_error_that_names_it_and_a_search_may_go_without) {
  TemporaryDirectory directory;
  const fs::path folder = directory / "shards";
  fs::copy(shards(8).folder, folder, fs::copy_options::recursive);
  const std::string set = (directory / "all.set").string();
  fs::copy_file(shards(8).set, set);
  fs::remove_all(folder / "part3");
  const Words query = {"a village", "--all", "--format", "jsonl"};
  const auto refused = ask("search", {set}, query);
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.find("part3") != std::string::npos);
  const auto partial = ask("search", {set}, joined(query, {"--partial"}));
  BOOST_TEST(partial.exit_code == 3);
  BOOST_TEST(partial.err.find("coverage: 7/8") != std::string::npos);
  BOOST_TEST(json_lines(partial.out).size() == 10u);
  BOOST_TEST(ask("search", {shards(8).set}, joined(query, {"--partial"})).exit_code == 0);
  const auto exported =
      ask("export", {set}, joined(kLabels, {"--to", (directory / "out").string()}));
  BOOST_TEST(exported.exit_code == 2);
  BOOST_TEST(!fs::exists(directory / "out"));
  std::ofstream(folder / "part5" / "MANIFEST.json") << "{";
  BOOST_TEST(
      ask("search", {folder.string()}, joined(query, {"--partial"})).err.find("coverage: 6/8") !=
      std::string::npos);
  const auto faults = zeroshelf_index({"verify", set});
  BOOST_TEST(faults.exit_code == 2);
  for (const char* part : {"part3", "part5"})
    BOOST_TEST(faults.out.find(part) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_folder_of_parts_answers_for_all_of_them_or_says_which_are_away) {
  TemporaryDirectory directory;
  const fs::path folder = directory / "shards";
  fs::copy(shards(3).folder, folder, fs::copy_options::recursive);
  const fs::path part = folder / "part1";
  const Words query = {"a village", "--all", "--format", "jsonl"};
  for (const bool is_link : {false, true}) {
    fs::remove_all(part);
    if (is_link) {
      fs::create_directory_symlink(directory / "away" / "part1", part);
    } else {
      fs::create_directory(part);  // where it is mounted otherwise
    }
    const std::string words = is_link ? part.string() + ": a link that leads nowhere"
                                      : folder.string() + ": part 1 of 3 is missing";
    const auto refused = [&](const ProgramResult& result) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.find(words) != std::string::npos, result.err);
    };
    const std::string named = folder.string();
    refused(ask("classify", {named}, joined({"--summary"}, kLabels)));
    refused(ask("search", {named}, query));
    refused(ask("serve", {named}, {"--listen", "127.0.0.1:0"}));
    refused(zeroshelf_index({"stats", named}));
    refused(ask("export", {named}, joined(kLabels, {"--to", (directory / "out").string()})));
    BOOST_TEST(!fs::exists(directory / "out"));
    const auto partial = ask("search", {named}, joined(query, {"--partial"}));
    BOOST_TEST(partial.exit_code == 3);
    BOOST_TEST(partial.err.find(words) != std::string::npos);
    BOOST_TEST(partial.err.find("coverage: 2/3") != std::string::npos);
    const auto faults = zeroshelf_index({"verify", named});
    BOOST_TEST(faults.exit_code == 2);
    BOOST_TEST(faults.out.find(words) != std::string::npos, faults.out);
  }
  const Words two = {(folder / "part0").string(), (folder / "part2").string()};
  BOOST_TEST(ask("classify", two, joined({"--summary"}, kLabels)).exit_code == 0);
  const auto chosen = zeroshelf_index(joined({"verify"}, two));
  BOOST_TEST(chosen.exit_code == 2);
  BOOST_TEST(chosen.out == "2 shards of 3: not among them: 1/3\n", chosen.out);
}

BOOST_AUTO_TEST_CASE(a_part_that_was_killed_says_so_and_knows_its_shard) {
  TemporaryDirectory directory;
  const std::string killed = (directory / "part0").string();
  // As soon as it is a collection.
  const auto shell = run_program({"/bin/sh", "-c",
                                  R"("$0" add "$1" "$2" --shard 0/2 --quiet & pid=$!
while [ ! -e "$1/MANIFEST.json" ]; do kill -0 $pid || exit 9; done
kill -9 $pid; wait $pid; exit 0)",
                                  ZEROSHELF_INDEX_PROGRAM, killed, memes().folder});
  BOOST_REQUIRE(shell.exit_code == 0);
  const Words both = {killed, shards(2).parts[1]};
  const auto tells = [&](const std::string& text) {
    return text.find(killed + ": indexing it was stopped before its end") != std::string::npos &&
           text.find("run zeroshelf-index add " + killed + " again") != std::string::npos;
  };
  const Words labels = joined({"--summary"}, kLabels);
  const auto answered = ask("classify", both, labels);
  BOOST_TEST(answered.exit_code == 0);
  BOOST_TEST(tells(answered.err), answered.err);
  BOOST_TEST(tells(ask("runs", both, {}).err));
  BOOST_TEST(tells(zeroshelf_index({"verify", killed}).err));
  const auto stats = zeroshelf_index({"stats", killed, "--json"});
  BOOST_TEST(tells(stats.err));
  BOOST_TEST(json_lines(stats.out).front()["unfinished"].get<int>() == 1);
  BOOST_TEST(json_lines(stats.out).front()["shard"].get<std::string>() == "0/2");
  BOOST_TEST(zeroshelf_index({"stats", killed}).out.find("unfinished") != std::string::npos);

  BOOST_TEST(zeroshelf_index({"add", killed}).exit_code == 0);
  const auto whole = ask("classify", both, labels);
  BOOST_TEST(whole.out == ask("classify", {memes().collection}, labels).out);
  BOOST_TEST(!tells(whole.err), whole.err);
  const auto done = json_lines(zeroshelf_index({"stats", killed, "--json"}).out).front();
  BOOST_TEST(done["unfinished"].get<int>() == 0);
}

BOOST_AUTO_TEST_CASE(a_picture_in_two_parts_is_a_fault) {
  const auto both = zeroshelf_index({"verify", memes().collection, shards(2).parts[0]});
  BOOST_TEST(both.exit_code == 2);
  BOOST_TEST(both.out.find("is also in") != std::string::npos);
  BOOST_TEST(both.err.find("zeroshelf-index forget takes") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

// ulimit: how the shell is told.
ProgramResult summary_with_files(const std::string& ulimit) {
  const Words program = {"/bin/sh", "-c", ulimit + R"( && exec "$0" "$@")",
                         ZEROSHELF_QUERY_PROGRAM};
  return run_program(joined(program, joined({"classify", shards(8).set, "--summary"}, kLabels)));
}

BOOST_AUTO_TEST_CASE(many_parts_need_no_raised_limit_of_open_files) {
  const std::string expected =
      ask("classify", {memes().collection}, joined({"--summary"}, kLabels)).out;
  const ProgramResult few = summary_with_files("ulimit -S -n 24");
  BOOST_TEST(few.exit_code == 0, few.err);
  BOOST_TEST(few.out == expected);
  // Where the system allows no more, the message names the limit and, from some number on, a part.
  // How many files are open at once differs from machine to machine.
  constexpr int kNotLoaded = 127;
  bool a_part_was_named = false;
  for (int files = 40; files >= 4; --files) {
    const ProgramResult none = summary_with_files("ulimit -n " + std::to_string(files));
    BOOST_TEST_CONTEXT(files << " files: " << none.err) {
      if (none.exit_code == 0) BOOST_TEST(none.out == expected);
      if (none.exit_code == 0 || none.exit_code == kNotLoaded) continue;
      BOOST_TEST(none.exit_code == 2);
      BOOST_TEST(none.err.find("ulimit -n") != std::string::npos);
      if (none.err.find("shards/part") != std::string::npos) a_part_was_named = true;
    }
  }
  BOOST_TEST(a_part_was_named);
}

BOOST_AUTO_TEST_SUITE(shards_of_files)

BOOST_AUTO_TEST_CASE(running_again_changes_nothing_and_another_shard_is_refused) {
  const std::string& part = shards(3).parts[1];
  const auto summary = [&](const Words& behind) {
    return json_lines(zeroshelf_index(joined({"add", part}, behind)).out).back();
  };
  const auto again = summary({memes().folder, "--shard", "1/3", "--json"});
  BOOST_TEST(again["added"] == 0);
  BOOST_TEST(again["removed"] == 0);
  BOOST_TEST(again["skipped"] == 0);
  // The collection remembers it.
  const auto remembered = summary({"--json"});
  BOOST_TEST(remembered["added"] == 0);
  BOOST_TEST(remembered["unchanged"] == again["unchanged"]);
  for (const char* other : {"2/3", "1/4", "3"})
    BOOST_TEST(zeroshelf_index({"add", part, memes().folder, "--shard", other}).exit_code == 2);
  BOOST_TEST(
      zeroshelf_index({"add", memes().collection, memes().folder, "--shard", "1/3"}).exit_code ==
      2);
}

BOOST_AUTO_TEST_CASE(what_is_removed_leaves_its_own_shard_alone) {
  TemporaryDirectory directory;
  const fs::path pictures = directory / "pictures";
  for (int i = 0; i < 40; ++i) write_file(pictures / (std::to_string(i) + ".ppm"), noise_pixmap(i));
  write_file(pictures / "no picture.txt", "a text");
  const auto add = [&](int part) {
    const std::string number = std::to_string(part);
    return json_lines(zeroshelf_index({"add", (directory / number).string(), pictures.string(),
                                       "--no-ocr", "--json", "--shard", number + "/3"})
                          .out)
        .back();
  };
  std::vector<int> had;
  int skipped = 0;
  for (int part = 0; part < 3; ++part) {
    const auto summary = add(part);
    had.push_back(summary["added"].get<int>());
    skipped += summary["skipped"].get<int>();
  }
  BOOST_TEST(had[0] + had[1] + had[2] == 40);
  BOOST_TEST(skipped == 1);
  for (const char* gone : {"3.ppm", "17.ppm", "29.ppm"}) fs::remove(pictures / gone);
  int removed = 0;
  for (int part = 0; part < 3; ++part) {
    const auto summary = add(part);
    removed += summary["removed"].get<int>();
    BOOST_TEST(summary["added"] == 0);
  }
  BOOST_TEST(removed == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
