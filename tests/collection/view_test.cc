#include "lib/collection/view.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "lib/labelling/classify.h"
#include "lib/search/search.h"
#include "lib/util/error.h"
#include "tests/collection/shelf.h"
#include "tests/support/asked.h"

namespace zeroshelf::testing {
namespace {

// The same 90 pictures in one collection and, cut at these numbers, in parts; some are removed from
// both.
struct CutShelf {
  static constexpr uint32_t kPictures = 90;

  explicit CutShelf(const std::vector<uint32_t>& cuts) {
    fill(directory / "whole", 0, kPictures);
    uint32_t first = 0;
    for (const uint32_t end : cuts) {
      parts.push_back(directory / ("part" + std::to_string(end)));
      fill(parts.back(), first, end);
      first = end;
    }
  }

  static void fill(const std::filesystem::path& path, uint32_t first, uint32_t end) {
    CollectionWriter writer = CollectionWriter::open_or_create(path, test_manifest());
    Shelf::add(writer, first, end);
    Batch batch;
    for (uint32_t number = first; number < end; ++number) {
      if (number % 7 == 0) batch.removed.push_back(number - first);
    }
    writer.commit(batch);
  }

  View whole() const { return View::open(directory / "whole"); }
  View cut() const { return View::open(parts); }

  TemporaryDirectory directory;
  std::vector<std::filesystem::path> parts;
};

Labelling three_labels() {
  Matrix vectors(3, kDimension);
  for (size_t k = 0; k < 3; ++k) {
    for (size_t i = 0; i < kDimension; ++i)
      vectors.row(k)[i] = static_cast<float>((i * (k + 2)) % 5) - 2;
    normalise(vectors.row(k));
  }
  return labelling_of(LabelVectors(vectors), {&fusion_rule("mix"), {}});
}

// Everything that the view says of its rows.
std::string description(const View& view) {
  std::string text = std::to_string(view.rows()) + " " + std::to_string(view.texts()) + "\n";
  const ViewVectors pictures = ViewVectors::pictures(view);
  const ViewVectors texts = ViewVectors::texts(view);
  const auto append = [&](std::span<const uint16_t> vector) {
    for (const uint16_t half : vector) text += std::to_string(half) + ",";
  };
  view.for_each_record([&](Row row, const PictureRecord& record) {
    text += std::to_string(row) + " " + record.file.path + " ";
    append(pictures.row(row));
    if (const auto of_row = view.text_index(row)) {
      text += " " + std::to_string(*of_row) + " " + std::to_string(view.text_owner(*of_row)) + " ";
      append(texts.row(*of_row));
      text += std::to_string(view.text_evidence(*of_row).word_count);
    }
    for (const Word& word : view.words(row)) text += " " + word.text;
    text += "\n";
  });
  view.for_each_words(10, 80, [&](Row row, const std::vector<Word>& words) {
    text += std::to_string(row) + " " + std::to_string(words.size()) + "\n";
  });
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(view)

// In the order in which samples come: from part to part, and back.
BOOST_AUTO_TEST_CASE(inner_products_of_rows_in_any_order_are_those_of_one_collection) {
  const CutShelf shelf({20, 21, 60, CutShelf::kPictures});
  const View whole = shelf.whole();
  const View cut = shelf.cut();
  std::vector<float> query(kDimension);
  for (size_t i = 0; i < query.size(); ++i) query[i] = 0.125F * static_cast<float>(i % 7) - 0.25F;
  for (const auto kind : {ViewVectors::Kind::Pictures, ViewVectors::Kind::Texts}) {
    const ViewVectors of_whole(whole, kind);
    const ViewVectors of_cut(cut, kind);
    BOOST_REQUIRE(of_whole.size() == of_cut.size());
    std::vector<Row> numbers;
    for (Row i = 0; i < of_whole.size(); ++i) numbers.push_back(i * 37 % of_whole.size());
    std::vector<float> wanted(numbers.size());
    std::vector<float> got(numbers.size());
    of_whole.inner_products_of(numbers, query, wanted);
    of_cut.inner_products_of(numbers, query, got);
    BOOST_TEST(got == wanted, boost::test_tools::per_element());
    for (size_t i = 0; i < numbers.size(); ++i) {
      float one = 0;
      of_cut.inner_products_of(std::span(numbers).subspan(i, 1), query, std::span(&one, 1));
      BOOST_TEST(one == wanted[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_answer_as_one_collection_of_the_same_pictures) {
  for (const std::vector<uint32_t>& cuts :
       {std::vector<uint32_t>{90}, {41, 90}, {1, 30, 90}, {10, 20, 30, 40, 50, 60, 89, 90}}) {
    const CutShelf shelf(cuts);
    const View whole = shelf.whole();
    const View cut = shelf.cut();
    BOOST_TEST_CONTEXT(cuts.size() << " parts") {
      BOOST_TEST(description(cut) == description(whole));
      BOOST_TEST(cut.pictures() == whole.pictures());
      BOOST_TEST(cut.counts().with_text == whole.counts().with_text);
      BOOST_TEST((cut.mean_image_vector() == whole.mean_image_vector()));
      BOOST_TEST((cut.mean_text_vector() == whole.mean_text_vector()));
      BOOST_TEST((cut.text_owners() == whole.text_owners()));
      BOOST_TEST(cut.find_path("/44").value() == whole.find_path("/44").value());
      BOOST_TEST(!cut.find_path("/nowhere"));
    }
  }
}

BOOST_AUTO_TEST_CASE(labels_and_hits_of_parts_are_those_of_one_to_the_bit) {
  const CutShelf shelf({13, 13 + 40, 90});
  const View whole = shelf.whole();
  const View cut = shelf.cut();
  const auto one = classify(whole, three_labels());
  const auto many = classify(cut, three_labels(), 2);
  BOOST_REQUIRE_EQUAL(many.size(), one.size());
  for (Row row = 0; row < one.size(); ++row) {
    if (!whole.is_live(row)) continue;
    BOOST_TEST(many[row].answer().label == one[row].answer().label);
    BOOST_TEST(many[row].answer().score == one[row].answer().score);
    BOOST_TEST(many[row].margin() == one[row].margin());
  }
  SearchQuery query = SearchQuery::of_vector(three_labels().vectors.image.row(1));
  query.lexical = lexical_query(whole.words(3).at(0).text);
  SearchLimits twenty;
  twenty.count = 20;
  const auto of_one = search(whole, query, twenty);
  const auto of_many = search(cut, query, twenty);
  BOOST_REQUIRE_EQUAL(of_one.size(), of_many.size());
  for (size_t i = 0; i < of_one.size(); ++i) {
    BOOST_TEST(of_many[i].row == of_one[i].row);
    BOOST_TEST(of_many[i].score == of_one[i].score);
    BOOST_TEST(of_many[i].lexical_nats == of_one[i].lexical_nats);
  }
}

BOOST_AUTO_TEST_CASE(parts_of_different_models_are_refused_by_name) {
  const TemporaryDirectory directory;
  CollectionWriter::open_or_create(directory / "a", test_manifest("one"));
  CollectionWriter::open_or_create(directory / "b", test_manifest("two"));
  const std::vector<std::filesystem::path> parts = {directory / "a", directory / "b"};
  BOOST_CHECK_EXCEPTION(View::open(parts), Error, [&](const Error& error) {
    return error.code() == ErrorCode::Incompatible &&
           std::string(error.what()).find((directory / "b").string()) != std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
