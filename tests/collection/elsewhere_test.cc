// Ranks with some parts each, as threads, beside one process with all parts.

#include "lib/collection/elsewhere.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/collection/open_view.h"
#include "lib/collection/settings.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/util/error.h"
#include "tests/collection/shelf.h"
#include "tests/support/thread_ranks.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

// Pictures in parts of different sizes, some removed, the same contents in several.
struct Parts {
  explicit Parts(size_t count) {
    for (size_t part = 0; part < count; ++part) {
      all.push_back(directory / ("part" + std::to_string(part)));
      CollectionWriter writer = CollectionWriter::open_or_create(all.back(), test_manifest());
      const auto first = static_cast<uint32_t>(part * 40);
      Shelf::add(writer, first, first + 30 + static_cast<uint32_t>(part));
      Batch batch;
      // A content of the part before.
      batch.added.push_back(picture("/again" + std::to_string(part), first == 0 ? 5 : first - 40));
      batch.removed = {3, 4};
      writer.commit(batch);
    }
  }

  TemporaryDirectory directory;
  std::vector<fs::path> all;
};

Matrix labels() {
  Matrix vectors(4, kDimension);
  for (size_t k = 0; k < vectors.rows(); ++k) {
    for (size_t i = 0; i < kDimension; ++i)
      vectors.row(k)[i] = static_cast<float>((i * (k + 2)) % 5) - 2;
    normalise(vectors.row(k));
  }
  return vectors;
}

// Everything of the whole that does not name a row.
std::string description(const View& view) {
  std::string text = view.name() + " " + view.manifest().model_name + " " +
                     view.directory().string() + " " + std::to_string(view.pictures()) + " " +
                     std::to_string(view.live_texts()) + "\n";
  const auto append = [&](const auto& values) {
    for (const auto value : values) text += std::to_string(value) + ",";
    text += "\n";
  };
  append(view.mean_image_vector());
  append(view.mean_text_vector());
  const ViewVectors pictures = ViewVectors::pictures(view);
  const ViewVectors texts = ViewVectors::texts(view);
  for (const Row row : pictures.sample(ViewVectors::kMostSampled)) {
    append(pictures.row(row));
    const auto own = view.text_index(row);
    if (!own) continue;
    append(texts.row(*own));
    text += std::to_string(view.text_evidence(*own).word_count) + " " +
            std::to_string(view.text_evidence(*own).confidence);
  }
  for (const Row row : texts.sample(50)) append(texts.row(row));
  const LabelVectors adapted = adapt_labels(view, LabelVectors(labels()), 1);
  for (size_t k = 0; k < adapted.labels(); ++k) {
    append(adapted.image.row(k));
    append(adapted.text.row(k));
  }
  std::vector<float> products(7 * 4);
  pictures.inner_products(pictures.sample(9).front(), 7, labels(), products);
  if (view.elsewhere() != nullptr) append(products);
  return text;
}

std::vector<std::string> descriptions(const Parts& parts, size_t ranks_count) {
  std::vector<std::string> texts(ranks_count);
  run_ranks(ranks_count, [&](Ranks& ranks) {
    try {
      const OpenedView opened = open_view(parts.all, OpenOptions{.ranks = &ranks});
      texts[ranks.rank()] = description(opened.view);
    } catch (const std::exception& error) {
      texts[ranks.rank()] = error.what();
    }
  });
  return texts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parts_of_others)

BOOST_AUTO_TEST_CASE(every_rank_knows_what_one_process_with_all_parts_knows) {
  for (const size_t count : {1u, 3u, 5u}) {
    const Parts parts(count);
    const View whole = View::open(parts.all);
    for (const size_t ranks : {1u, 2u, 4u, 7u}) {
      const std::vector<std::string> texts = descriptions(parts, ranks);
      for (const std::string& text : texts) {
        BOOST_TEST((text.starts_with(description(whole))), text.substr(0, 200));
        BOOST_TEST(text == texts.front());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(each_rank_has_a_run_of_the_parts) {
  const Parts parts(5);
  std::vector<std::string> paths(3);
  run_ranks(3, [&](Ranks& ranks) {
    const OpenedView opened = open_view(parts.all, OpenOptions{.ranks = &ranks});
    for (const View::Part& part : opened.view.parts())
      paths[ranks.rank()] += part.collection.directory().filename().string();
  });
  BOOST_TEST(paths[0] == "part0");
  BOOST_TEST(paths[1] == "part1part2");
  BOOST_TEST(paths[2] == "part3part4");
}

BOOST_AUTO_TEST_CASE(a_lost_part_is_told_by_the_first_rank_or_left_out) {
  const Parts parts(5);
  fs::remove_all(parts.all[3]);
  BOOST_TEST(descriptions(parts, 4)[0].starts_with(parts.all[3].string()));
  size_t lost = 0;
  std::vector<uint64_t> pictures(4);
  run_ranks(4, [&](Ranks& ranks) {
    const OpenedView opened =
        open_view(parts.all, OpenOptions{.lost = LostParts::LeaveOut, .ranks = &ranks});
    pictures[ranks.rank()] = opened.view.pictures();
    if (ranks.is_first()) lost = opened.lost.size();
  });
  BOOST_TEST(lost == 1u);
  for (const uint64_t count : pictures)
    BOOST_TEST(count == open_view(parts.all, LostParts::LeaveOut).view.pictures());
}

BOOST_AUTO_TEST_CASE(a_shard_that_a_folder_lacks_is_told_once_or_left_out) {
  const Parts parts(4);
  for (size_t i = 0; i < parts.all.size(); ++i)
    Settings(parts.all[i]).remember_shard(std::to_string(i) + "/4");
  const std::vector<fs::path> folder = {parts.directory.path()};
  for (const bool is_link : {false, true}) {
    fs::remove_all(parts.all[2]);
    if (is_link) fs::create_symlink(parts.directory / "away" / "part2", parts.all[2]);
    const std::string words = is_link ? "leads nowhere" : "part 2 of 4 is missing";
    std::vector<std::string> errors(3);
    std::vector<Error> lost;
    size_t count = 0;
    run_ranks(3, [&](Ranks& ranks) {
      try {
        open_view(folder, OpenOptions{.ranks = &ranks});
      } catch (const std::exception& error) {
        errors[ranks.rank()] = error.what();
      }
    });
    run_ranks(3, [&](Ranks& ranks) {
      OpenedView opened =
          open_view(folder, OpenOptions{.lost = LostParts::LeaveOut, .ranks = &ranks});
      if (!ranks.is_first()) return;
      count = opened.parts;
      lost = std::move(opened.lost);
    });
    BOOST_TEST(errors.front().find(words) != std::string::npos, errors.front());
    BOOST_TEST(count == 4u);
    BOOST_REQUIRE(lost.size() == 1u);
    BOOST_TEST(std::string(lost.front().what()).find(words) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(another_model_is_refused_by_its_part) {
  Parts parts(2);
  parts.all.push_back(parts.directory / "other");
  CollectionWriter writer =
      CollectionWriter::open_or_create(parts.all.back(), test_manifest("another"));
  Shelf::add(writer, 0, 3);
  for (const size_t ranks : {1u, 2u, 3u})
    BOOST_TEST(descriptions(parts, ranks)[0].starts_with(parts.all.back().string()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
