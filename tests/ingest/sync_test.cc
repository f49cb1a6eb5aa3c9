// The indexing pipeline on pictures made here, with an encoder of plain arithmetic.

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "lib/ingest/sync.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "tests/support/draw.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/ordinary_user.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::FakeEncoder;

// A portable pixmap of one colour above another.
std::string picture(int red, int green, int size = 12) {
  std::string file = "P6\n" + std::to_string(size) + " " + std::to_string(size) + "\n255\n";
  for (int i = 0; i < size * size; ++i) {
    file += static_cast<char>(i < size * size / 2 ? red : 10);
    file += static_cast<char>(green);
    file += static_cast<char>(i < size * size / 2 ? 20 : 200);
  }
  return file;
}

struct Shelf : SyncObserver {
  Shelf() {
    options.ocr.languages = "";
    options.batch_pictures = 4;
    fs::create_directory(folder);
  }

  void put(const std::string& name, const std::string& content) {
    testing::write_file(folder / name, content);
  }

  CollectionWriter open() {
    manifest.model_name = encoder.info().name;
    manifest.model_fingerprint = encoder.info().fingerprint;
    manifest.dimension = encoder.info().dimension;
    return CollectionWriter::open_or_create(directory / "collection", manifest);
  }

  SyncReport sync_roots(const std::vector<fs::path>& roots) {
    CollectionWriter collection = open();
    const size_t before = encoder.images_encoded;
    const SyncReport report = sync(
        collection, roots, options, [&]() -> Encoder& { return encoder; }, *this, stop);
    encoded = encoder.images_encoded - before;
    check_every_row(collection);
    return report;
  }
  SyncReport sync_folder() { return sync_roots({folder}); }

  // Every path that the collection knows exists and has the vector that its content has alone.
  void check_every_row(const Collection& collection) {
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      std::error_code ignored;
      if (!fs::exists(record.file.path, ignored)) return;  // kept although it is missing
      const std::string bytes = read_file(record.file.path, 1 << 20);
      const auto decoded = decode_image(std::as_bytes(std::span(bytes)), {});
      const Image crop =
          resize_and_crop(std::get<Image>(decoded), encoder.info().preprocessing.size_px);
      const Matrix expected = FakeEncoder().encode_images(std::span(&crop, 1));
      std::vector<float> stored(FakeEncoder::kDimension);
      from_fp16(collection.image_vectors().row(row), stored);
      for (size_t i = 0; i < stored.size(); ++i) {
        BOOST_TEST_CONTEXT(record.file.path)
        BOOST_TEST(std::abs(stored[i] - expected.row(0)[i]) < 1e-3f);
      }
      BOOST_TEST(*collection.find_path(record.file.path) == row);
    });
  }

  void skipped(const SkippedFile& file) override {
    const std::string name = fs::path(file.file.path).filename().string();
    skips[name] = file.skip.reason;
    details[name] = file.skip.detail;
  }
  void committed(uint64_t) override {
    if (stop_after_commits > 0 && --stop_after_commits == 0) stop = true;
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  FakeEncoder encoder;
  Manifest manifest;
  SyncOptions options;
  std::atomic<bool> stop{false};
  int stop_after_commits = 0;
  size_t encoded = 0;
  std::map<std::string, SkipReason> skips;
  std::map<std::string, std::string> details;
};

BOOST_FIXTURE_TEST_SUITE(synchronising, Shelf)

BOOST_AUTO_TEST_CASE(known_texts_are_taken_in_place_of_reading) {
  options.ocr.languages = "eng";
  put("known.ppm", picture(10, 100));
  put("other.ppm", picture(90, 30));
  const std::string bytes = picture(10, 100);
  const ContentHash known = content_hash(std::as_bytes(std::span(bytes)));
  std::atomic<int> asked{0};
  options.known_texts = [&](const ContentHash& hash) -> std::optional<PictureText> {
    ++asked;
    if (hash != known) return std::nullopt;
    return PictureText{{{"nowhere", 0.9f, {1, 2, 8, 4}}, {"written", 0.8f, {1, 7, 8, 4}}}, 90, "Greek"};
  };
  BOOST_TEST(sync_folder().with_text == 1u);
  BOOST_TEST(asked == 2);
  const Collection collection = Collection::open(directory / "collection");
  const Row row = collection.find_path((folder / "known.ppm").string()).value();
  const std::vector<Word> words = collection.words(row);
  BOOST_REQUIRE(words.size() == 2u);
  BOOST_TEST(words[0].text == "nowhere");
  BOOST_TEST(words[1].box.y == 7);
  BOOST_TEST(collection.record(row).turned_degrees == 90);
  BOOST_TEST(collection.record(row).unread_script == "Greek");
  BOOST_TEST(collection.record(row).word_count == 2u);
  const Row other = collection.find_path((folder / "other.ppm").string()).value();
  BOOST_TEST(collection.words(other).empty());
}

BOOST_AUTO_TEST_CASE(new_changed_and_deleted_files_are_taken_up) {
  for (int i = 0; i < 10; ++i) put("p" + std::to_string(i) + ".ppm", picture(20 * i, 100));
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 10u);
  BOOST_TEST(encoded == 10u);

  report = sync_folder();
  BOOST_TEST(report.unchanged == 10u);
  BOOST_TEST(report.added + report.moved + report.removed + encoded == 0u);

  put("p3.ppm", picture(33, 250, 14));
  put("new.ppm", picture(1, 2));
  fs::remove(folder / "p7.ppm");
  report = sync_folder();
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.removed == 1u);
  BOOST_TEST(report.unchanged == 8u);
  BOOST_TEST(open().counts().pictures == 10u);
}

BOOST_AUTO_TEST_CASE(pictures_with_words_get_a_vector_without_them) {
  Image image = testing::plain_image(300, 200, {200, 90, 40});
  put("plain.png", testing::png_bytes(image));
  testing::draw_text(image, "WRITTEN", 30, 120, 40, {255, 255, 255});
  put("written.png", testing::png_bytes(image));
  manifest.mask_text = options.mask_text = true;
  options.ocr.languages = "eng";
  BOOST_TEST(sync_folder().with_text == 1u);
  BOOST_TEST(encoded == 3u);
  const CollectionWriter collection = open();
  const Row plain = *collection.find_path((folder / "plain.png").string());
  const Row written = *collection.find_path((folder / "written.png").string());
  std::vector<float> seen(FakeEncoder::kDimension);
  std::vector<float> masked(FakeEncoder::kDimension);
  from_fp16(collection.image_vectors().row(plain), seen);
  from_fp16(*collection.masked_vector(written), masked);
  for (size_t i = 0; i < seen.size(); ++i) BOOST_TEST(std::abs(seen[i] - masked[i]) < 0.01f);
  from_fp16(collection.image_vectors().row(written), masked);
  BOOST_TEST(std::abs(seen[2] - masked[2]) > 0.02f);  // the words are in the picture's own vector
}

BOOST_AUTO_TEST_CASE(moved_and_touched_files_are_kept_without_encoding) {
  put("a.ppm", picture(1, 1));
  put("b.ppm", picture(2, 2));
  put("c.ppm", picture(3, 3));
  sync_folder();
  fs::rename(folder / "a.ppm", folder / "z.ppm");
  fs::last_write_time(folder / "b.ppm", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const SyncReport report = sync_folder();
  BOOST_TEST(report.moved == 2u);
  BOOST_TEST(report.removed + report.added + encoded == 0u);
  BOOST_TEST(open().find_path((folder / "z.ppm").string()).has_value());
  BOOST_TEST(!open().find_path((folder / "a.ppm").string()).has_value());
}

BOOST_AUTO_TEST_CASE(one_content_under_two_names_is_encoded_once) {
  put("a.ppm", picture(1, 1));
  put("b.ppm", picture(1, 1));
  put("c/d.ppm", picture(1, 1));
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 1u);
  BOOST_TEST(report.copied == 2u);
  BOOST_TEST(encoded == 1u);
  put("later.ppm", picture(1, 1));
  report = sync_folder();
  BOOST_TEST(report.copied == 1u);
  BOOST_TEST(encoded == 0u);
  fs::remove(folder / "a.ppm");
  BOOST_TEST(sync_folder().removed == 1u);
  BOOST_TEST(open().counts().pictures == 3u);
}

BOOST_AUTO_TEST_CASE(files_that_exchange_their_names_keep_their_own_vectors) {
  put("a.ppm", picture(1, 1));
  put("b.ppm", picture(200, 200, 14));
  sync_folder();
  fs::rename(folder / "a.ppm", folder / "t");
  fs::rename(folder / "b.ppm", folder / "a.ppm");
  fs::rename(folder / "t", folder / "b.ppm");
  const SyncReport report = sync_folder();
  BOOST_TEST(report.copied == 2u);
  BOOST_TEST(encoded == 0u);
  BOOST_TEST(open().counts().pictures == 2u);
}

BOOST_AUTO_TEST_CASE(only_paths_under_the_roots_count_as_missing) {
  put("one/a.ppm", picture(1, 1));
  put("one-more/b.ppm", picture(2, 2));
  sync_folder();
  fs::remove(folder / "one" / "a.ppm");
  fs::remove(folder / "one-more" / "b.ppm");
  options.missing_files = MissingFiles::RemoveAll;
  BOOST_TEST(sync_roots({folder / "one"}).removed == 1u);
  options.missing_files = MissingFiles::Keep;
  BOOST_TEST(sync_folder().removed == 0u);
  options.missing_files = MissingFiles::RemoveAll;
  BOOST_TEST(sync_folder().removed == 1u);
}

BOOST_AUTO_TEST_CASE(a_root_that_yields_nothing_or_little_keeps_its_pictures_until_that_is_confirmed) {
  for (int i = 0; i < 6; ++i) put("nas/p" + std::to_string(i) + ".ppm", picture(20 * i, 100));
  put("nas/broken.ppm", "no picture");
  put("local/a.ppm", picture(7, 7));
  const std::vector<fs::path> roots = {folder / "nas", folder / "local"};
  sync_roots(roots);
  fs::rename(folder / "nas", directory / "away");
  fs::create_directory(folder / "nas");  // a mount point without its share
  put("local/b.ppm", picture(8, 8));
  SyncReport report = sync_roots(roots);
  BOOST_TEST(report.added == 1u);
  BOOST_TEST(report.removed == 0u);
  BOOST_REQUIRE(report.doubtful.size() == 1u);
  BOOST_TEST(report.doubtful[0].place.path == (folder / "nas").string());
  BOOST_TEST(report.doubtful[0].gone == 6u);
  BOOST_TEST(report.doubtful[0].place.pictures == 6u);
  BOOST_TEST((report.doubtful[0].place.state == RootPlace::State::There));
  BOOST_TEST(open().counts().skips == 1u);

  fs::remove(folder / "nas");
  report = sync_roots(roots);  // not even a folder
  BOOST_REQUIRE(report.doubtful.size() == 1u);
  BOOST_TEST((report.doubtful[0].place.state == RootPlace::State::Absent));

  fs::rename(directory / "away", folder / "nas");
  for (int i = 0; i < 4; ++i) fs::remove(folder / "nas" / ("p" + std::to_string(i) + ".ppm"));
  report = sync_roots(roots);  // most
  BOOST_TEST(report.removed == 0u);
  BOOST_TEST(report.doubtful.size() == 1u);
  put("nas/p3.ppm", picture(60, 100));
  report = sync_roots(roots);  // half
  BOOST_TEST(report.removed == 3u);
  BOOST_TEST(report.doubtful.empty());

  fs::remove_all(folder / "nas");
  options.missing_files = MissingFiles::RemoveAll;
  report = sync_roots(roots);
  BOOST_TEST(report.removed == 3u);
  BOOST_TEST(open().counts().pictures == 2u);
  BOOST_TEST(open().counts().skips == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_removed_comes_back_without_being_encoded_until_compaction) {
  for (int i = 0; i < 6; ++i) put("p" + std::to_string(i) + ".ppm", picture(20 * i, 100));
  put("copy of p2.ppm", picture(40, 100));
  sync_folder();
  fs::rename(folder, directory / "away");
  fs::create_directory(folder);
  options.missing_files = MissingFiles::RemoveAll;
  BOOST_TEST(sync_folder().removed == 7u);
  fs::remove(folder);
  fs::rename(directory / "away", folder);
  SyncReport report = sync_folder();
  BOOST_TEST(report.restored == 6u);
  BOOST_TEST(report.copied == 1u);
  BOOST_TEST(report.added + encoded == 0u);
  BOOST_TEST(open().counts().pictures == 7u);

  fs::remove(folder / "p0.ppm");
  sync_folder();
  open().compact();
  put("p0.ppm", picture(0, 100));
  report = sync_folder();
  BOOST_TEST(report.restored == 0u);
  BOOST_TEST(encoded == 1u);
}

BOOST_AUTO_TEST_CASE(a_renamed_folder_is_a_move_whichever_of_its_names_is_given) {
  for (int i = 0; i < 6; ++i) put("pics/p" + std::to_string(i) + ".ppm", picture(20 * i, 100));
  put("pics/again.ppm", picture(40, 100));
  sync_roots({folder / "pics"});
  fs::rename(folder / "pics", folder / "photos");
  SyncReport report = sync_roots({folder / "photos"});
  BOOST_TEST(report.moved == 7u);
  BOOST_TEST(report.added + report.copied + encoded == 0u);
  BOOST_TEST(open().counts().pictures == 7u);
  BOOST_TEST(!open().find_path((folder / "pics" / "p0.ppm").string()).has_value());
  // The old name says nothing any more.
  BOOST_CHECK_THROW(sync_roots({folder / "pics"}), Error);

  fs::rename(folder / "photos", folder / "pics");
  report = sync_roots({folder / "photos", folder / "pics"});
  BOOST_TEST(report.moved == 7u);
  BOOST_TEST(report.doubtful.empty());
  put("pics/copy.ppm", picture(0, 100));
  report = sync_roots({folder / "pics"});  // its original is there
  BOOST_TEST(report.copied == 1u);
}

BOOST_AUTO_TEST_CASE(a_change_that_size_and_time_do_not_show_is_found) {
  put("a.ppm", picture(1, 1));
  put("broken.ppm", std::string(picture(1, 1).size(), 'x'));
  put("same.ppm", picture(9, 9));
  sync_folder();
  const auto replace = [&](const char* name, const std::string& content) {
    const auto time = fs::last_write_time(folder / name);
    put(name, content);
    fs::last_write_time(folder / name, time);
  };
  replace("a.ppm", picture(200, 200));
  replace("broken.ppm", picture(100, 1));
  BOOST_REQUIRE(::chmod((folder / "same.ppm").c_str(), 0600) == 0);
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.unchanged == 1u);
  BOOST_TEST(report.moved == 0u);
  BOOST_TEST(report.skipped == 0u);
  report = sync_folder();
  BOOST_TEST(report.unchanged == 3u);
  options.known_files = KnownFiles::Reread;
  report = sync_folder();
  BOOST_TEST(report.unchanged == 3u);
  BOOST_TEST(report.added + report.moved + encoded == 0u);
}

BOOST_AUTO_TEST_CASE(text_that_was_not_read_is_read_later) {
  Image image = testing::plain_image(300, 200, {200, 90, 40});
  put("plain.png", testing::png_bytes(image));
  testing::draw_text(image, "WRITTEN", 30, 120, 40, {255, 255, 255});
  put("written.png", testing::png_bytes(image));
  put("copy.png", testing::png_bytes(image));
  BOOST_TEST(sync_folder().with_text == 0u);
  BOOST_TEST(sync_folder().unchanged == 3u);
  options.ocr.languages = "eng";
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.copied == 1u);
  BOOST_TEST(open().counts().with_text == 2u);
  BOOST_TEST(open().counts().pictures == 3u);
  BOOST_TEST(sync_folder().unchanged == 3u);
  options.ocr.languages = "";  // what was read stays read
  BOOST_TEST(sync_folder().unchanged == 3u);
}

BOOST_AUTO_TEST_CASE(what_stands_beside_pictures_is_counted_and_is_no_skip) {
  put("a.ppm", picture(1, 1));
  for (const char* name : {"a.ppm.json", "a.xmp", "a.txt", "Thumbs.db", "clip.MOV"}) put(name, "x");
  put("other.txt", "x");
  for (const char* name : {"MANIFEST.json", "CURRENT", "LOCK", "records-1/x"})
    put(std::string("shelf/") + name, "x");
  put("sorted/manifest.jsonl", "{\"type\":\"exported\",\"path\":\"/a\"}\n");
  put("sorted/cat/a.ppm", picture(1, 1));
  put("moved/manifest.jsonl", "{\"type\":\"exported\",\"path\":\"/b\"}\n");
  put("moved/moves.journal", "zeroshelf-moves 1\n");
  put("moved/cat/b.ppm", picture(2, 2));
  const SyncReport report = sync_folder();
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.skipped == 1u);
  BOOST_TEST((skips["other.txt"] == SkipReason::NotAPicture));
  const NeighbourCounts expected = {6, 1, 1, 1};
  BOOST_TEST(report.neighbours == expected, boost::test_tools::per_element());
  BOOST_TEST(sync_roots({folder / "sorted"}).copied == 1u);  // named
}

BOOST_AUTO_TEST_CASE(broken_files_in_the_middle_of_a_batch_shift_nothing) {
  for (int i = 0; i < 12; ++i) put(std::to_string(10 + i) + ".ppm", picture(20 * i, 255 - 20 * i));
  put("11b.ppm", "no picture at all");
  put("13b.ppm", "");
  put("14b.ppm", picture(1, 1).substr(0, 100));
  BOOST_REQUIRE(::mkfifo((folder / "15b.ppm").c_str(), 0600) == 0);
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 12u);
  BOOST_TEST(report.skipped == 4u);
  BOOST_TEST((skips["11b.ppm"] == SkipReason::NotAPicture));
  BOOST_TEST((skips["13b.ppm"] == SkipReason::Empty));
  BOOST_TEST((skips["14b.ppm"] == SkipReason::Damaged));
  BOOST_TEST((skips["15b.ppm"] == SkipReason::NotRegularFile));

  // Known skips are passed over until the file changes or it is asked for.
  skips.clear();
  report = sync_folder();
  BOOST_TEST(report.skipped == 4u);
  BOOST_TEST(skips.empty());
  options.known_skips = KnownSkips::TryAgain;
  sync_folder();
  BOOST_TEST(skips.size() == 4u);
  options.known_skips = KnownSkips::PassOver;
  put("13b.ppm", picture(7, 7));
  fs::remove(folder / "15b.ppm");
  report = sync_folder();
  BOOST_TEST(report.added == 1u);
  BOOST_TEST(open().counts().skips == 2u);
}

// Not a change of the file: its size and time stay.
BOOST_AUTO_TEST_CASE(what_was_skipped_is_tried_again_when_the_reason_may_be_gone) {
  put("large.ppm", picture(1, 1, 40));
  put("wide.ppm", picture(2, 2, 30));
  put("small.ppm", picture(3, 3));
  const uint64_t bytes = fs::file_size(folder / "large.ppm");
  options.limits.max_bytes = bytes - 1;
  options.limits.max_pixels = 200;
  sync_folder();
  BOOST_TEST((skips["large.ppm"] == SkipReason::TooManyBytes));
  BOOST_TEST((skips["wide.ppm"] == SkipReason::TooManyPixels));
  skips.clear();
  sync_folder();
  BOOST_TEST(skips.empty());
  options.limits.max_bytes = bytes;  // and now it has too many pixels
  BOOST_TEST(sync_folder().skipped == 2u);
  BOOST_TEST((skips["large.ppm"] == SkipReason::TooManyPixels));
  options.limits.max_pixels = DecodeLimits{}.max_pixels + 1;
  const SyncReport report = sync_folder();
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.skipped == 0u);
}

BOOST_AUTO_TEST_CASE(a_picture_that_takes_too_long_to_read_is_skipped_until_there_is_more_time) {
  Image image = testing::plain_image(900, 400, {255, 255, 255});
  for (int line = 0; line < 6; ++line)
    testing::draw_text(image, "MANY WORDS TO READ", 30, 60 + 60 * line, 30, {});
  put("written.png", testing::png_bytes(image));
  put("plain.ppm", picture(1, 1));
  options.ocr.languages = "eng";
  options.ocr.timeout_ms = 1;
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 1u);
  BOOST_TEST(report.skipped == 1u);
  BOOST_TEST((skips["written.png"] == SkipReason::TextUnreadable));
  BOOST_TEST(
      details["written.png"] ==
      "not done after 0.001 s of processor time; give it more with --ocr-timeout, or index it "
      "with --no-ocr");
  options.ocr.timeout_ms = 10 * TextReaderOptions{}.timeout_ms;
  report = sync_folder();
  BOOST_TEST(report.with_text == 1u);
  BOOST_TEST(report.skipped == 0u);
}

BOOST_AUTO_TEST_CASE(what_links_lead_to_is_taken_up_on_demand_and_stays_when_it_is_not_looked_at) {
  testing::write_file(directory / "elsewhere" / "b.ppm", picture(2, 2));
  put("a.ppm", picture(1, 1));
  fs::create_directory_symlink(directory / "elsewhere", folder / "link");
  fs::create_directory_symlink("..", folder / "up");
  SyncReport report = sync_folder();
  BOOST_TEST(report.added == 1u);
  BOOST_TEST((skips["link"] == SkipReason::LinkedFolder));
  BOOST_TEST((skips["up"] == SkipReason::LinkedFolder));
  fs::remove(folder / "up");
  options.find.linked_folders = LinkedFolders::Follow;
  report = sync_folder();
  BOOST_TEST(report.added == 1u);
  BOOST_TEST(open().find_path((folder / "link" / "b.ppm").string()).has_value());
  options.find.linked_folders = LinkedFolders::Report;
  report = sync_folder();
  BOOST_TEST(report.removed == 0u);
  BOOST_TEST(open().counts().pictures == 2u);
}

BOOST_AUTO_TEST_CASE(many_copies_of_a_broken_file_cost_few_commits) {
  for (int i = 0; i < 1500; ++i) put(std::to_string(i) + ".ppm", "broken");
  BOOST_TEST(sync_folder().skipped == 1500u);
  BOOST_TEST(open().counts().commits < 10u);
  BOOST_TEST(open().counts().skips == 1500u);
}

BOOST_AUTO_TEST_CASE(a_picture_that_breaks_leaves_and_one_content_breaks_twice) {
  put("a.ppm", picture(1, 1));
  sync_folder();
  put("a.ppm", "broken now");
  put("b.ppm", "broken now");
  const SyncReport report = sync_folder();
  BOOST_TEST(report.skipped == 2u);
  BOOST_TEST(open().counts().pictures == 0u);
  BOOST_TEST(open().counts().skips == 2u);
}

BOOST_AUTO_TEST_CASE(an_interrupted_run_goes_on_where_it_stopped) {
  for (int i = 0; i < 20; ++i) put(std::to_string(10 + i) + ".ppm", picture(10 * i, 100));
  stop_after_commits = 2;
  SyncReport report = sync_folder();
  BOOST_TEST(report.interrupted);
  BOOST_TEST(report.added >= 8u);
  BOOST_TEST(report.added < 20u);
  stop = false;
  const uint64_t first = report.added;
  report = sync_folder();
  BOOST_TEST(!report.interrupted);
  BOOST_TEST(report.added == 20u - first);
}

BOOST_AUTO_TEST_CASE(the_collection_inside_its_own_root_is_not_indexed) {
  put("a.ppm", picture(1, 1));
  sync_roots({directory.path()});
  const SyncReport report = sync_roots({directory.path()});
  BOOST_TEST(report.unchanged == 1u);
  BOOST_TEST(report.skipped == 0u);
}

BOOST_AUTO_TEST_CASE(a_root_that_is_absent_ends_the_run_and_changes_nothing) {
  put("a.ppm", picture(1, 1));
  sync_folder();
  BOOST_CHECK_EXCEPTION(sync_roots({folder / "none"}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::NotFound; });
  BOOST_TEST(open().counts().pictures == 1u);
}

BOOST_AUTO_TEST_CASE(of_a_list_of_paths_the_gone_ones_are_missing_and_the_unknown_ones_told) {
  for (const char* name : {"a.ppm", "b.ppm", "c.ppm"}) put(name, picture(name[0], 1));
  options.find.bad_roots = BadRoots::Report;
  const std::vector<fs::path> list = {folder / "a.ppm", folder / "b.ppm", folder / "never.ppm"};
  SyncReport report = sync_roots(list);
  BOOST_TEST(report.added == 2u);
  BOOST_TEST(report.skipped == 1u);
  BOOST_TEST((skips["never.ppm"] == SkipReason::Vanished));

  sync_folder();  // c too
  fs::remove(folder / "b.ppm");
  fs::remove(folder / "c.ppm");  // not in the list
  report = sync_roots(list);
  BOOST_TEST(report.removed == 1u);
  BOOST_TEST(report.unchanged == 1u);
  BOOST_TEST(open().counts().pictures == 2u);
}

BOOST_AUTO_TEST_CASE(a_thousand_copies_of_a_content_are_encoded_once) {
  for (int i = 0; i < 2500; ++i) put("copies/" + std::to_string(i) + ".ppm", picture(1, 1));
  const SyncReport report = sync_folder();
  BOOST_TEST(encoded == 1u);
  BOOST_TEST(report.copied == 2499u);
  BOOST_TEST(sync_folder().unchanged == 2500u);
}

// Looking at every copy for each copy would take 16 times as long; so many more files, 4 times.
BOOST_AUTO_TEST_CASE(four_times_as_many_copies_take_no_more_than_eight_times_as_long) {
  const auto clocks_for = [&](const std::string& name, int copies) {
    for (int i = 0; i < copies; ++i)
      put(name + "/" + std::to_string(i) + ".ppm", picture(1, static_cast<int>(name.size())));
    const std::clock_t start = std::clock();
    BOOST_TEST(sync_roots({folder / name}).copied == static_cast<uint64_t>(copies) - 1);
    return std::clock() - start;
  };
  clocks_for("warm", 100);
  const std::clock_t few = clocks_for("some copies", 2000);
  BOOST_TEST(clocks_for("four times as many", 8000) < 8 * few);
}

BOOST_AUTO_TEST_SUITE_END()

// As a user who may not read everything.
struct OrdinaryShelf : testing::OrdinaryUser, Shelf {
  void allow(const std::string& name, unsigned mode) const {
    BOOST_REQUIRE(::chmod((folder / name).c_str(), mode) == 0);
  }
  bool can_be_tried() const {
    if (!is_ordinary()) BOOST_TEST_MESSAGE("skipped: root's rights cannot be given up here");
    return is_ordinary();
  }
};

BOOST_FIXTURE_TEST_SUITE(permissions, OrdinaryShelf)

BOOST_AUTO_TEST_CASE(what_may_not_be_read_is_told_and_taken_up_when_it_may) {
  if (!can_be_tried()) return;
  put("a.ppm", picture(1, 1));
  put("locked.ppm", picture(2, 2));
  put("folder/c.ppm", picture(3, 3));
  allow("locked.ppm", 0);
  allow("folder", 0);
  BOOST_TEST(sync_folder().added == 1u);
  BOOST_TEST((skips["locked.ppm"] == SkipReason::Unreadable));
  BOOST_TEST((skips["folder"] == SkipReason::Unreadable));
  skips.clear();
  const SyncReport report = sync_folder();
  BOOST_TEST(report.skipped == 2u);
  BOOST_TEST(skips.empty());  // told once
  allow("locked.ppm", 0600);
  allow("folder", 0700);
  BOOST_TEST(sync_folder().added == 2u);
  BOOST_TEST(open().counts().skips == 0u);
}

BOOST_AUTO_TEST_CASE(pictures_that_may_no_longer_be_looked_at_stay_in_the_collection) {
  if (!can_be_tried()) return;
  put("folder/a.ppm", picture(1, 1));
  put("folder/b.ppm", picture(2, 2));
  BOOST_TEST(sync_folder().added == 2u);
  for (const unsigned mode : {0u, 0400u}) {  // not to be listed; to be listed but not entered
    allow("folder", mode);
    skips.clear();
    const SyncReport report = sync_folder();
    BOOST_TEST_CONTEXT("mode " << mode) {
      BOOST_TEST(report.removed == 0u);
      BOOST_TEST(report.skipped > 0u);
      BOOST_TEST(!skips.empty());
      BOOST_TEST(open().counts().pictures == 2u);
    }
  }
  allow("folder", 0700);
  const SyncReport report = sync_folder();
  BOOST_TEST(report.unchanged == 2u);
  BOOST_TEST(report.skipped == 0u);
  BOOST_TEST(open().counts().skips == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
