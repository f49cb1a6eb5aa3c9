// Groups of a collection's pictures, and their names.

#include "lib/labelling/suggest.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "lib/util/random.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 32;
constexpr size_t kThings = 5;

// Pictures of five things, of which the last one's also have a word in common; a vocabulary with a
// name near each of the first four and many that are near nothing.
struct Things {
  Things() {
    directions = Matrix(kThings, kDimension);
    for (size_t k = 0; k < kThings; ++k) fill(directions.row(k));
    vocabulary.vectors = Matrix(kNames, kDimension);
    for (size_t k = 0; k < kNames; ++k) {
      fill(vocabulary.vectors.row(k));
      const std::string name = k < 4 ? "thing " + std::to_string(k) : "name" + std::to_string(k);
      vocabulary.names.push_back({name, {name}});
      if (k >= 4) continue;
      for (size_t d = 0; d < kDimension; ++d)
        vocabulary.vectors.row(k)[d] = 0.7f * directions.row(k)[d] + 0.3f * vocabulary.vectors.row(k)[d];
      normalise(vocabulary.vectors.row(k));
    }
  }

  void fill(std::span<float> vector) {
    for (float& value : vector) value = static_cast<float>(random.uniform(-1, 1));
    normalise(vector);
  }

  NewPicture picture(size_t number) {
    const size_t thing = number % kThings;
    NewPicture picture;
    picture.record.file.path = folder + "/" + std::to_string(thing) + "/" + std::to_string(number);
    picture.record.content_hash[0] = static_cast<uint8_t>(number * 37);
    picture.record.content_hash[1] = static_cast<uint8_t>(number);
    picture.record.content_hash[2] = static_cast<uint8_t>(number >> 8);
    std::vector<float> vector(kDimension);
    Random own(number + 100);
    for (size_t d = 0; d < kDimension; ++d)
      vector[d] = directions.row(thing)[d] + static_cast<float>(own.uniform(-0.12, 0.12));
    normalise(vector);
    picture.image_vector = vector;
    if (thing == 4) {
      picture.words = {{"receipt", 0.9f, {}}, {"the", 0.9f, {}}};
      picture.record.word_count = 2;
      picture.text_vector = vector;
    }
    return picture;
  }

  // The pictures [0, count), the part-th of so many.
  std::filesystem::path write(const std::string& name, size_t count, size_t part = 0,
                              size_t parts = 1) {
    Manifest manifest;
    manifest.model_name = "things";
    manifest.model_fingerprint = "things";
    manifest.dimension = kDimension;
    manifest.logit_scale = 20;
    manifest.ocr_languages = "eng";
    const std::filesystem::path path = directory / name;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (size_t i = 0; i < count; ++i) {
      if (i / 7 % parts == part) batch.added.push_back(picture(i));
    }
    writer.commit(batch);
    return path;
  }

  static constexpr size_t kNames = 60;
  std::string folder;  // of the pictures' folders
  testing::TemporaryDirectory directory;
  Random random{5};
  Matrix directions;
  NameVocabulary vocabulary;
};

std::map<std::string, uint64_t> sizes_of(const Suggestion& suggestion) {
  std::map<std::string, uint64_t> sizes;
  for (const SuggestedGroup& group : suggestion.groups) sizes[group.name] = group.pictures;
  return sizes;
}

BOOST_FIXTURE_TEST_SUITE(suggesting, Things)

BOOST_AUTO_TEST_CASE(each_thing_is_a_group_with_its_name_or_its_word) {
  const View collection = View::open(write("all", 200));
  const Suggestion found = suggest(collection, vocabulary);
  const auto sizes = sizes_of(found);
  BOOST_TEST(sizes.size() == kThings);
  for (const std::string name : {"thing 0", "thing 1", "thing 2", "thing 3", "receipt"})
    BOOST_TEST(sizes.at(name) == 40u, name);
  BOOST_TEST(found.alone == 0u);
  BOOST_TEST(found.pictures == 200u);
  for (const SuggestedGroup& group : found.groups) {
    BOOST_TEST(group.typical.size() == 5u);
    BOOST_TEST(group.from.has_value() == (group.name != "receipt"));
    if (group.name != "receipt") continue;
    BOOST_REQUIRE(group.words.size() == 1u);  // "the" says nothing
    BOOST_TEST(group.words.front().share == 1.0);
  }
  for (Row row = 0; row < 200; ++row) {
    const std::string& name = found.groups[found.of_row[row]].name;
    BOOST_TEST(name == (row % 5 == 4 ? "receipt" : "thing " + std::to_string(row % 5)));
  }
}

BOOST_AUTO_TEST_CASE(parts_and_threads_change_nothing) {
  const View one = View::open(write("one", 150));
  const std::vector<std::filesystem::path> parts = {write("a", 150, 1, 2), write("b", 150, 0, 2)};
  const View union_of_both = View::open(parts);
  const auto told = [&](const View& view, unsigned threads) {
    const Suggestion found = suggest(view, vocabulary, {{}, threads});
    std::map<std::string, std::string> of_path;
    view.for_each_record([&](Row row, const PictureRecord& record) {
      const uint32_t group = found.of_row[row];
      of_path[record.file.path] = group == kNoGroup ? "-" : found.groups[group].name;
    });
    for (const SuggestedGroup& group : found.groups) {
      for (const Row row : group.typical) of_path["typical"] += view.record(row).file.path + " ";
    }
    return of_path;
  };
  const auto expected = told(one, 1);
  BOOST_TEST((told(one, 4) == expected));
  BOOST_TEST((told(union_of_both, 1) == expected));
  BOOST_TEST((told(union_of_both, 3) == expected));
}

BOOST_AUTO_TEST_CASE(without_a_vocabulary_there_are_groups_without_names) {
  const View collection = View::open(write("all", 100));
  const Suggestion found = suggest(collection, {});
  BOOST_TEST(found.groups.size() == kThings);
  BOOST_TEST(std::ranges::count(found.groups, "", &SuggestedGroup::name) == 4);
}

BOOST_AUTO_TEST_CASE(keywords_in_the_files_name_groups_that_no_name_fits_and_are_told_of_others) {
  folder = (directory / "pictures").string();
  const auto path = write("all", 200);
  for (size_t i = 0; i < 200; ++i) {
    const std::string file = picture(i).record.file.path;
    testing::write_file(file, "bytes");
    const std::string keyword = i % 5 == 0 ? "places" : i % 5 == 3 ? "Trips" : "receipts of mine";
    if (i % 5 != 1 && i % 5 != 2 && i % 4 != 0)
      testing::write_file(
          file + ".xmp",
          R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>)" +
              keyword +
              "</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>");
  }
  vocabulary.names[3].name = "trips";
  const View collection = View::open(path);
  const auto found = suggest(collection, vocabulary);
  std::map<std::string, std::string> keywords;
  for (const SuggestedGroup& group : found.groups)
    keywords[group.name] = group.keywords.empty() ? "" : group.keywords.front().word;
  const std::map<std::string, std::string> expected = {{"thing 0", "places"},
                                                       {"thing 1", ""},
                                                       {"thing 2", ""},
                                                       {"trips", "Trips"},
                                                       {"receipts of mine", "receipts of mine"}};
  BOOST_TEST((keywords == expected));
  // Without names the others are called by their keywords.
  const auto sizes = sizes_of(suggest(collection, {}));
  for (const char* name : {"places", "Trips", "receipts of mine"}) BOOST_TEST(sizes.contains(name));
}

BOOST_AUTO_TEST_CASE(more_groups_than_names_become_one_by_their_name) {
  const View collection = View::open(write("all", 200));
  const Suggestion found = suggest(collection, vocabulary, {8, 0});
  std::map<std::string, int> times;
  for (const SuggestedGroup& group : found.groups) {
    if (!group.name.empty()) BOOST_TEST(++times[group.name] == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_name_gives_way_to_a_more_general_one_that_fits_as_well) {
  vocabulary.names[0] = {"red thing 0, whatsit", {"x"}};
  vocabulary.names[10] = {"thing 0", {"x"}};
  std::ranges::copy(vocabulary.vectors.row(0), vocabulary.vectors.row(10).begin());
  vocabulary.vectors.row(10)[3] += 0.01f;
  normalise(vocabulary.vectors.row(10));
  const View collection = View::open(write("all", 200));
  const auto sizes = sizes_of(suggest(collection, vocabulary));
  BOOST_TEST(sizes.contains("thing 0"));
  BOOST_TEST(!sizes.contains("red thing 0, whatsit"));
}

BOOST_AUTO_TEST_CASE(few_pictures_and_removed_ones_are_no_trouble) {
  for (const size_t count : {1u, 2u, 3u, 9u}) {
    const View collection = View::open(write("few" + std::to_string(count), count));
    const Suggestion found = suggest(collection, vocabulary);
    uint64_t all = found.alone;
    for (const SuggestedGroup& group : found.groups) all += group.pictures;
    BOOST_TEST(all == count);
  }
  const auto path = write("removed", 40);
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, View::open(path).manifest());
    Batch batch;
    for (Row row = 0; row < 40; row += 2) batch.removed.push_back(row);
    writer.commit(batch);
  }
  const Suggestion found = suggest(View::open(path), vocabulary);
  BOOST_TEST(found.pictures == 20u);
  BOOST_TEST(found.of_row[0] == kNoGroup);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
