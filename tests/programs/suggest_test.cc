// suggest through the real program, on vectors that a real model gave: groups, names, the label file.

#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/labels/labels.h"
#include "lib/util/file.h"
#include "lib/util/matrix.h"
#include "tests/programs/programs.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::zeroshelf_query;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    while (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

void write_npy(const fs::path& path, const std::vector<float>& values, size_t columns) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(values.size() / columns) + ", " + std::to_string(columns) +
                       "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  testing::write_file(path, file);
}

// Adjusted for chance (Vinh, Epps and Bailey 2010), by the mean of both entropies.
double adjusted_mutual_information(const std::vector<std::string>& a,
                                   const std::vector<std::string>& b) {
  const double n = static_cast<double>(a.size());
  std::map<std::string, double> of_a;
  std::map<std::string, double> of_b;
  std::map<std::pair<std::string, std::string>, double> both;
  for (size_t i = 0; i < a.size(); ++i) {
    ++of_a[a[i]];
    ++of_b[b[i]];
    ++both[{a[i], b[i]}];
  }
  double information = 0;
  for (const auto& [pair, count] : both)
    information += count / n * std::log(n * count / (of_a[pair.first] * of_b[pair.second]));
  const auto entropy = [&](const std::map<std::string, double>& counts) {
    double sum = 0;
    for (const auto& [name, count] : counts) sum -= count / n * std::log(count / n);
    return sum;
  };
  const auto fact = [](double x) { return std::lgamma(x + 1); };
  double expected = 0;
  for (const auto& [name_a, x] : of_a) {
    for (const auto& [name_b, y] : of_b) {
      for (double k = std::max(1.0, x + y - n); k <= std::min(x, y); ++k)
        expected += k / n * std::log(n * k / (x * y)) *
                    std::exp(fact(x) + fact(y) + fact(n - x) + fact(n - y) - fact(n) - fact(k) -
                             fact(x - k) - fact(y - k) - fact(n - x - y + k));
    }
  }
  return (information - expected) / ((entropy(of_a) + entropy(of_b)) / 2 - expected);
}

// A set of true vectors as a collection, with the names of ImageNet and its own as vocabulary.
struct TrueSet {
  explicit TrueSet(const std::string& name) {
    const fs::path shared = testing::shared_directory() / "true_clip";
    const fs::path folder = shared / name;
    labels = lines_of(folder / "labels.txt");
    for (const std::string& line : lines_of(folder / "truth.csv")) {
      if (line != "path,label") truth.push_back(line.substr(line.find(',') + 1));
    }
    const ProgramResult imported = testing::zeroshelf_index(
        {"import", collection, "--npy", (folder / "image_vectors.npy").string(), "--paths",
         (folder / "paths.txt").string(), "--allow-missing"});
    BOOST_REQUIRE_MESSAGE(imported.exit_code == 0, imported.err);
    std::string names;
    std::vector<float> vectors;
    std::set<std::string> known;
    const auto add = [&](const std::vector<std::string>& some, const fs::path& npy) {
      const testing::NpyArray array = testing::read_npy(npy);
      for (size_t i = 0; i < some.size(); ++i) {
        if (!known.insert(some[i]).second) continue;
        names += some[i] + "\n";
        vectors.insert(vectors.end(), array.values.begin() + static_cast<ptrdiff_t>(i * 512),
                       array.values.begin() + static_cast<ptrdiff_t>((i + 1) * 512));
      }
    };
    add(lines_of(shared / "imagenet_names/names.txt"), shared / "imagenet_names/text_vectors.npy");
    add(labels, folder / "label_vectors.npy");
    testing::write_file(vocabulary, names);
    write_npy(vocabulary_vectors, vectors, 512);
  }

  ProgramResult suggest(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"suggest",      collection,
                                          "--vocabulary", vocabulary.string(),
                                          "--vocabulary-vectors", vocabulary_vectors.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }

  // What each picture's group is called, in the order of the truth.
  std::vector<std::string> groups(const std::string& name) const {
    const fs::path file = directory / name;
    const ProgramResult said = suggest({"--pictures-to", file.string()});
    BOOST_REQUIRE_MESSAGE(said.exit_code == 0, said.err);
    std::map<std::string, std::string> of_picture;
    for (const std::string& line : lines_of(file)) {
      const fs::path path = line.substr(0, line.find(','));
      // path,label,path_base64: a label with commas is quoted.
      std::string rest = line.substr(line.find(',') + 1);
      of_picture[path.filename().string()] = rest;
    }
    std::vector<std::string> found;
    for (size_t i = 0; i < truth.size(); ++i)
      found.push_back(of_picture.at(fmt::format("{:04}.jpg", i)));
    return found;
  }

  // Labels of the truth that a group is called, whose pictures mostly have that label.
  size_t named_rightly(const std::vector<std::string>& groups) const {
    std::map<std::string, std::map<std::string, int>> counts;
    for (size_t i = 0; i < truth.size(); ++i) ++counts[groups[i]][truth[i]];
    std::set<std::string> right;
    for (const auto& [group, of_label] : counts) {
      const auto most = std::max_element(of_label.begin(), of_label.end(), [](auto& a, auto& b) {
        return a.second < b.second;
      });
      if (group == most->first + ",") right.insert(most->first);
    }
    return right.size();
  }

  testing::TemporaryDirectory directory;
  std::string collection = (directory / "set.shelf").string();
  fs::path vocabulary = directory / "names.txt";
  fs::path vocabulary_vectors = directory / "names.npy";
  std::vector<std::string> labels;
  std::vector<std::string> truth;
};

BOOST_AUTO_TEST_SUITE(suggestions)

BOOST_AUTO_TEST_CASE(ten_things_are_found_and_named) {
  const TrueSet set("cifar10");
  const std::vector<std::string> groups = set.groups("groups.csv");
  const double information = adjusted_mutual_information(groups, set.truth);
  const size_t right = set.named_rightly(groups);
  BOOST_TEST_MESSAGE("cifar10: AMI " << information << ", named rightly " << right);
  BOOST_TEST(information >= 0.7);
  BOOST_TEST(right >= 8u);

  // The label file is read as it is, and has what the lines have.
  const fs::path file = set.directory / "labels.txt";
  const ProgramResult said = set.suggest({"--to", file.string(), "--format", "jsonl"});
  BOOST_REQUIRE_MESSAGE(said.exit_code == 0, said.err);
  std::vector<std::string> names;
  uint64_t pictures = 0;
  for (const auto& line : testing::json_lines(said.out)) {
    if (line["type"] == "group") {
      pictures += line["pictures"].get<uint64_t>();
      if (!line["label"].is_null()) names.push_back(line["label"]);
    }
    if (line["type"] == "alone") pictures += line["pictures"].get<uint64_t>();
  }
  BOOST_TEST(pictures == 500u);
  std::vector<std::string> read;
  for (const Label& label : read_label_file(file, {"{}"})) read.push_back(label.name);
  BOOST_TEST(read == names, boost::test_tools::per_element());
  BOOST_TEST(set.suggest({"--to", "-"}).out == read_file(file, 1 << 20));
  BOOST_TEST(set.suggest({"--to", file.string()}).exit_code == 2);  // never overwritten
  BOOST_TEST(set.suggest({"--threads", "1"}).out == set.suggest({"--threads", "3"}).out);
  BOOST_TEST(set.suggest({}).out.find("LABEL") == 0u);
  BOOST_TEST(set.suggest({"--format", "csv"}).out.starts_with("label,pictures,share,also,words,keywords\r\n"));
}

BOOST_AUTO_TEST_CASE(it_is_made_for_no_set) {
  const std::map<std::string, double> least = {{"food", 0.9}, {"pet_breeds", 0.7}, {"pets", 0.25}};
  for (const auto& [name, information] : least) {
    const TrueSet set(name);
    const std::vector<std::string> groups = set.groups("groups.csv");
    const double found = adjusted_mutual_information(groups, set.truth);
    BOOST_TEST_MESSAGE(name << ": AMI " << found << ", named rightly "
                            << set.named_rightly(groups) << " of " << set.labels.size() << ", "
                            << std::set(groups.begin(), groups.end()).size() << " groups");
    BOOST_TEST(found >= information, name);
  }
}

BOOST_AUTO_TEST_CASE(without_a_model_there_are_groups_and_a_warning) {
  const TrueSet set("food");
  const ProgramResult said = zeroshelf_query({"suggest", set.collection, "--format", "jsonl"});
  BOOST_TEST(said.exit_code == 1);
  BOOST_TEST(said.err.find("no names without the model") != std::string::npos);
  BOOST_TEST(testing::json_lines(said.out).back()["groups"].get<int>() >= 4);
  const ProgramResult named =
      zeroshelf_query({"suggest", set.collection, "--vocabulary", set.vocabulary.string()});
  BOOST_TEST(named.exit_code == 2);
  BOOST_TEST(zeroshelf_query({"suggest", set.collection, "--vocabulary-vectors",
                              set.vocabulary_vectors.string()})
                 .exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
