// A collection that is kept up to date with its folders: real folders, an encoder of arithmetic.

#include "lib/ingest/watcher.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "lib/ingest/sync.h"
#include "lib/util/error.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::FakeEncoder;
using testing::write_file;

constexpr std::chrono::seconds kPatience{120};

// A pixmap that no other number has.
std::string pixmap(int number) {
  std::string file = "P6\n4 4\n255\n";
  for (int i = 0; i < 4 * 4 * 3; ++i)
    file += static_cast<char>(i < 3 ? number >> (8 * i) : (number * (i + 1)) % 251);
  return file;
}

// Keeps a collection up to date in a thread of its own.
class Kept {
 public:
  explicit Kept(size_t most_folders = SIZE_MAX) {
    fs::create_directories(folder);
    options.quiet.quiet = milliseconds(100);
    options.quiet.most_wait = milliseconds(1'000);
    options.quiet.writing = std::chrono::minutes(30);  // however busy the machine is
    options.absent_every = milliseconds(50);
    options.try_again = milliseconds(100);
    options.blind_every = milliseconds(200);
    options.most_folders = most_folders;
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
  }
  ~Kept() {
    end();
    ::close(ends[0]);
    ::close(ends[1]);
  }

  void start() {
    thread = std::thread([this] {
      Watcher watcher({folder.string()}, options);
      watcher.run([&] { return look(watcher); }, ends[0], stop);
    });
    wait_for([this] { return looks > 0; });
  }
  void end() {
    if (!thread.joinable()) return;
    stop = true;
    [[maybe_unused]] const ssize_t written = ::write(ends[1], "x", 1);
    thread.join();
  }

  uint64_t pictures() const { return Collection::open(directory / "collection").counts().pictures; }
  bool has(const fs::path& path) const {
    return Collection::open(directory / "collection").find_path(path.string()).has_value();
  }

  // Until it is so; fails when it is not after a long time.
  static void wait_for(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!is_so() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(20));
    BOOST_TEST_REQUIRE(is_so());
  }
  void wait_for_pictures(uint64_t count) {
    wait_for([&] { return pictures() == count; });
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  WatcherOptions options;
  std::atomic<bool> fails{false};
  std::atomic<int> looks{0};
  std::atomic<uint64_t> skipped{0};
  FakeEncoder encoder;

 private:
  Watcher::Look look(Watcher& watcher) {
    if (!fails) take_up(watcher);
    ++looks;
    return fails ? Watcher::Look::Failed : Watcher::Look::Done;
  }

  void take_up(Watcher& watcher) {
    Manifest manifest;
    manifest.model_name = encoder.info().name;
    manifest.model_fingerprint = encoder.info().fingerprint;
    manifest.dimension = encoder.info().dimension;
    CollectionWriter collection =
        CollectionWriter::open_or_create(directory / "collection", manifest);
    SyncOptions sync_with;
    sync_with.ocr.languages = "";
    sync_with.batch_pictures = 1000;
    sync_with.find.bad_roots = BadRoots::Report;
    watcher.prepare(sync_with);
    SyncObserver observer;
    const SyncReport report = sync(
        collection, {folder}, sync_with, [&]() -> Encoder& { return encoder; }, observer, stop);
    skipped = report.skipped;
  }

  std::array<int, 2> ends{};
  std::atomic<bool> stop{false};
  std::thread thread;
};

BOOST_AUTO_TEST_SUITE(watcher)

BOOST_AUTO_TEST_CASE(ten_thousand_files_in_a_burst_are_all_taken_up) {
  Kept kept;
  kept.start();
  constexpr int kFiles = 10'000;
  for (int i = 0; i < kFiles; ++i) {
    const fs::path sub = kept.folder / std::to_string(i / 500) / std::to_string(i % 2);
    if (i % 500 < 2) fs::create_directories(sub);
    const std::string path = sub / (std::to_string(i) + ".ppm");
    const std::string content = pixmap(i);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    BOOST_REQUIRE(::write(file, content.data(), content.size()) ==
                  static_cast<ssize_t>(content.size()));
    ::close(file);
  }
  kept.wait_for_pictures(kFiles);
  BOOST_TEST(kept.encoder.images_encoded == size_t{kFiles});
  BOOST_TEST(kept.skipped == 0u);
}

BOOST_AUTO_TEST_CASE(a_tree_of_new_folders_is_taken_up_and_watched) {
  Kept kept;
  kept.start();
  const fs::path deep = kept.folder / "a" / "b" / "c" / "d";
  fs::create_directories(deep);
  write_file(deep / "1.ppm", pixmap(1));
  kept.wait_for_pictures(1);
  write_file(deep / "2.ppm", pixmap(2));
  kept.wait_for_pictures(2);
}

BOOST_AUTO_TEST_CASE(a_renamed_folder_is_followed_without_encoding_and_what_comes_into_it_is_seen) {
  Kept kept;
  for (int i = 0; i < 20; ++i)
    write_file(kept.folder / "old" / (std::to_string(i) + ".ppm"), pixmap(i));
  kept.start();
  kept.wait_for_pictures(20);
  fs::rename(kept.folder / "old", kept.folder / "new");
  Kept::wait_for([&] { return kept.has(kept.folder / "new" / "7.ppm"); });
  BOOST_TEST(kept.pictures() == 20u);
  BOOST_TEST(kept.encoder.images_encoded == 20u);
  write_file(kept.folder / "new" / "20.ppm", pixmap(20));
  Kept::wait_for([&] { return kept.has(kept.folder / "new" / "20.ppm"); });
  fs::remove(kept.folder / "new" / "3.ppm");
  kept.wait_for_pictures(20);
  fs::rename(kept.folder / "new" / "4.ppm", kept.folder / "renamed.ppm");
  Kept::wait_for([&] { return kept.has(kept.folder / "renamed.ppm"); });
  BOOST_TEST(kept.encoder.images_encoded == 21u);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_written_slowly_is_taken_up_once_it_is_closed) {
  Kept kept;
  kept.start();
  const std::string content = pixmap(1);
  const int file = ::open((kept.folder / "slow.ppm").c_str(), O_WRONLY | O_CREAT, 0600);
  BOOST_REQUIRE(::write(file, content.data(), 20) == 20);
  write_file(kept.folder / "other.ppm", pixmap(2));  // which is looked at meanwhile
  kept.wait_for_pictures(1);
  BOOST_TEST(kept.skipped == 0u);
  BOOST_TEST(!kept.has(kept.folder / "slow.ppm"));
  BOOST_REQUIRE(::write(file, content.data() + 20, content.size() - 20) > 0);
  ::close(file);
  kept.wait_for_pictures(2);
  BOOST_TEST(kept.skipped == 0u);
}

BOOST_AUTO_TEST_CASE(a_root_that_goes_away_loses_nothing_and_is_seen_when_it_is_back) {
  Kept kept;
  for (int i = 0; i < 5; ++i)
    write_file(kept.folder / (std::to_string(i) + ".ppm"), pixmap(i));
  kept.start();
  kept.wait_for_pictures(5);
  const int before = kept.looks;
  fs::rename(kept.folder, kept.directory / "away");
  Kept::wait_for([&] { return kept.looks > before; });
  write_file(kept.directory / "away" / "5.ppm", pixmap(5));
  BOOST_TEST(kept.pictures() == 5u);
  fs::rename(kept.directory / "away", kept.folder);
  kept.wait_for_pictures(6);
  write_file(kept.folder / "6.ppm", pixmap(6));  // watched again
  kept.wait_for_pictures(7);
}

BOOST_AUTO_TEST_CASE(without_watches_folders_are_looked_at_now_and_then) {
  Kept kept(0);
  kept.start();
  write_file(kept.folder / "1.ppm", pixmap(1));
  kept.wait_for_pictures(1);
}

BOOST_AUTO_TEST_CASE(a_look_that_failed_is_made_again) {
  Kept kept;
  kept.start();
  kept.fails = true;
  const int before = kept.looks;
  write_file(kept.folder / "1.ppm", pixmap(1));
  Kept::wait_for([&] { return kept.looks > before + 1; });
  kept.fails = false;
  kept.wait_for_pictures(1);
}

BOOST_AUTO_TEST_CASE(what_ended_and_begins_again_sees_what_came_meanwhile) {
  Kept kept;
  kept.start();
  kept.end();
  write_file(kept.folder / "1.ppm", pixmap(1));
  // Another one on the same folder and collection, as after a kill.
  Manifest manifest;
  manifest.model_name = kept.encoder.info().name;
  manifest.model_fingerprint = kept.encoder.info().fingerprint;
  manifest.dimension = kept.encoder.info().dimension;
  std::atomic<bool> stop{false};
  Watcher watcher({kept.folder.string()}, kept.options);
  watcher.run(
      [&] {
        CollectionWriter collection =
            CollectionWriter::open_or_create(kept.directory / "collection", manifest);
        SyncOptions sync_with;
        watcher.prepare(sync_with);
        SyncObserver observer;
        sync(collection, {kept.folder}, sync_with, [&]() -> Encoder& { return kept.encoder; },
             observer, stop);
        stop = true;
        return Watcher::Look::Done;
      },
      -1, stop);
  BOOST_TEST(kept.pictures() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
