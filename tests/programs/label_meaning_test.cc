// Vetoes, pictures as labels and levels on true CLIP vectors, through the real program.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "lib/files/npy.h"
#include "tests/programs/programs.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::json_lines;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    std::erase(line, '\r');
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// 500 small pictures of ten things, as an imported collection.
struct TenThings {
  TenThings() {
    const ProgramResult made =
        zeroshelf_index({"import", at("shelf"), "--npy", (folder / "image_vectors.npy").string(),
                         "--paths", (folder / "paths.txt").string(), "--allow-missing"});
    BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    names = lines_of(folder / "labels.txt");
    const std::vector<std::string> rows = lines_of(folder / "truth.csv");
    for (size_t i = 1; i < rows.size(); ++i) {
      const size_t comma = rows[i].find(',');
      truth[rows[i].substr(0, comma)] = rows[i].substr(comma + 1);
    }
  }

  std::string at(const std::string& name) const { return (directory / name).string(); }

  // The vectors of these names, in their order.
  void write_vectors(const std::vector<std::string>& wanted) const {
    const testing::NpyArray all = testing::read_npy(folder / "label_vectors.npy");
    Matrix vectors(wanted.size(), all.shape[1]);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto place = static_cast<size_t>(std::ranges::find(names, wanted[i]) - names.begin());
      std::copy_n(all.values.begin() + static_cast<std::ptrdiff_t>(place * all.shape[1]),
                  all.shape[1], vectors.row(i).begin());
    }
    fs::remove(directory / "labels.npy");
    NpyWriter writer(directory / "labels.npy", vectors.columns());
    writer.append(vectors);
    writer.finish();
  }

  // What each picture is called, by the file's name.
  std::map<std::string, std::string> answers(const std::string& labels,
                                             std::vector<std::string> flags = {}) const {
    testing::write_file(directory / "labels.txt", labels);
    flags.insert(flags.begin(),
                 {"classify", at("shelf"), "--labels-file", at("labels.txt"), "--format", "jsonl"});
    const ProgramResult result = zeroshelf_query(flags);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    std::map<std::string, std::string> by_name;
    for (const json& line : json_lines(result.out)) {
      const auto path = line["path"].get<std::string>();
      const std::string name = fs::path(path).filename();
      paths[name] = path;
      by_name[name] = line["label"].is_null() ? "" : line["label"].get<std::string>();
    }
    return by_name;
  }

  // Of the pictures of that thing, the share that is called so.
  double share(const std::map<std::string, std::string>& answers, const std::string& thing,
               const std::string& called) const {
    double all = 0;
    double so = 0;
    for (const auto& [picture, answer] : answers) {
      if (truth.at(picture) != thing) continue;
      ++all;
      so += answer == called;
    }
    return so / all;
  }

  fs::path folder = testing::shared_directory() / "true_clip" / "cifar10";
  testing::TemporaryDirectory directory;
  std::vector<std::string> names;
  std::map<std::string, std::string> truth;
  mutable std::map<std::string, std::string> paths;  // as answers have told them
};

BOOST_FIXTURE_TEST_SUITE(label_meaning, TenThings)

BOOST_AUTO_TEST_CASE(a_veto_keeps_dogs_from_being_cats) {
  std::vector<std::string> wanted = names;
  std::erase(wanted, "dog");
  std::string plain;
  std::string vetoed;
  for (const std::string& name : wanted) {
    plain += name + "\n";
    vetoed += name == "cat" ? "cat: a cat | - a dog\n" : name + "\n";
  }
  const std::vector<std::string> vectors = {"--label-vectors", at("labels.npy")};
  write_vectors(wanted);
  const auto without = answers(plain, vectors);
  wanted.push_back("dog");
  write_vectors(wanted);
  const auto with = answers(vetoed, vectors);
  BOOST_TEST(share(without, "dog", "cat") > 0.35);
  BOOST_TEST(share(with, "dog", "cat") < 0.12);
  BOOST_TEST(share(with, "cat", "cat") > share(without, "cat", "cat") - 0.15);
  for (const char* other : {"ship", "frog", "horse"})
    BOOST_TEST(share(with, other, other) >= share(without, other, other));
}

BOOST_AUTO_TEST_CASE(ten_pictures_say_nearly_what_a_name_says) {
  std::map<std::string, std::vector<std::string>> examples;
  for (const auto& [picture, thing] : truth) {
    if (examples[thing].size() < 10) examples[thing].push_back(picture);
  }
  const auto right = [&](const std::map<std::string, std::string>& answers) {
    double all = 0;
    double good = 0;
    for (const auto& [picture, answer] : answers) {
      if (std::ranges::count(examples.at(truth.at(picture)), picture) > 0) continue;
      ++all;
      good += answer == truth.at(picture);
    }
    return good / all;
  };
  write_vectors(names);
  std::string named;
  for (const std::string& name : names) named += name + "\n";
  answers(named, {"--label-vectors", at("labels.npy")});  // tells the paths
  const auto prompts = [&](const std::string& thing) {
    std::string text;
    for (const std::string& picture : examples.at(thing)) text += " | @" + paths.at(picture);
    return text;
  };
  std::string alone;
  std::string both;
  std::string halves;
  std::vector<std::string> texts;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string of_pictures = names[i] + ":" + prompts(names[i]).substr(2) + "\n";
    alone += of_pictures;
    both += names[i] + ": a text" + prompts(names[i]) + "\n";
    halves += i % 2 == 0 ? names[i] + "\n" : of_pictures;
    if (i % 2 == 0) texts.push_back(names[i]);
  }
  BOOST_TEST(right(answers(alone)) > 0.78);  // and no model is there
  BOOST_TEST(right(answers(both, {"--label-vectors", at("labels.npy")})) > 0.9);
  write_vectors(texts);
  BOOST_TEST(right(answers(halves, {"--label-vectors", at("labels.npy")})) > 0.75);
}

BOOST_AUTO_TEST_CASE(levels_are_surer_than_their_labels) {
  std::string labels;
  std::string flat;
  for (const std::string& name : names) {
    const bool is_vehicle =
        name == "airplane" || name == "automobile" || name == "ship" || name == "truck";
    labels += (is_vehicle ? "vehicle/" : "animal/") + name + "\n";
    flat += name + "\n";
  }
  write_vectors(names);
  const auto told = answers(labels, {"--label-vectors", at("labels.npy"), "--fusion", "image"});
  const auto by_label = answers(flat, {"--label-vectors", at("labels.npy"), "--fusion", "image"});
  double stopped = 0;
  double stopped_right = 0;
  double wrong = 0;
  double flat_wrong = 0;
  for (const auto& [picture, answer] : told) {
    const std::string& thing = truth.at(picture);
    flat_wrong += by_label.at(picture) != thing;
    const bool is_level = answer == "animal" || answer == "vehicle";
    const bool is_vehicle =
        thing == "airplane" || thing == "automobile" || thing == "ship" || thing == "truck";
    if (is_level) {
      ++stopped;
      stopped_right += answer == (is_vehicle ? "vehicle" : "animal");
    } else {
      wrong += answer.substr(answer.find('/') + 1) != thing;
    }
  }
  BOOST_TEST(stopped > 5);
  BOOST_TEST(stopped_right / stopped > 0.85);
  BOOST_TEST(wrong < flat_wrong);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
