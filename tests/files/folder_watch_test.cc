// What happens in folders is told: real folders and the real system.

#include "lib/files/folder_watch.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using Kind = FolderEvent::Kind;
using std::chrono::milliseconds;
using testing::write_file;

struct Watched {
  Watched() {
    fs::create_directories(folder / "sub");
    watch.begin_round();
    watch.watch(folder.string());
    watch.watch((folder / "sub").string());
    watch.end_round();
  }

  // Everything that was told until nothing more came for a while.
  std::vector<FolderEvent> told() {
    std::vector<FolderEvent> all;
    for (auto some = watch.wait(milliseconds(200), -1); !some.empty();
         some = watch.wait(milliseconds(20), -1))
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }
  static bool has(const std::vector<FolderEvent>& events, Kind kind, const fs::path& path) {
    return std::ranges::any_of(events, [&](const FolderEvent& event) {
      return event.kind == kind && event.path == path.string();
    });
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  FolderWatch watch{{folder.string()}};
};

BOOST_FIXTURE_TEST_SUITE(folder_watch, Watched)

BOOST_AUTO_TEST_CASE(a_file_is_created_first_and_finished_when_it_is_closed) {
  const int file = ::open((folder / "a.jpg").c_str(), O_WRONLY | O_CREAT, 0600);
  BOOST_REQUIRE(::write(file, "x", 1) == 1);
  auto events = told();
  BOOST_TEST(has(events, Kind::Created, folder / "a.jpg"));
  BOOST_TEST(!has(events, Kind::Finished, folder / "a.jpg"));
  ::close(file);
  BOOST_TEST(has(told(), Kind::Finished, folder / "a.jpg"));
}

BOOST_AUTO_TEST_CASE(what_comes_whole_is_finished) {
  write_file(directory / "a.jpg", "x");
  write_file(directory / "b.jpg", "x");
  fs::rename(directory / "a.jpg", folder / "a.jpg");
  fs::create_hard_link(directory / "b.jpg", folder / "hard.jpg");
  fs::create_symlink(directory / "b.jpg", folder / "soft.jpg");
  const auto events = told();
  for (const char* name : {"a.jpg", "hard.jpg", "soft.jpg"}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(has(events, Kind::Finished, folder / name));
      BOOST_TEST(!has(events, Kind::Created, folder / name));
    }
  }
}

BOOST_AUTO_TEST_CASE(folders_and_what_goes_and_rights_are_changes_and_hidden_names_are_nothing) {
  write_file(folder / "a.jpg", "x");
  told();
  ::chmod((folder / "a.jpg").c_str(), 0640);
  BOOST_TEST(has(told(), Kind::Changed, folder / "a.jpg"));
  fs::remove(folder / "a.jpg");
  BOOST_TEST(has(told(), Kind::Changed, folder / "a.jpg"));
  fs::create_directory(folder / "new");
  BOOST_TEST(has(told(), Kind::Changed, folder / "new"));
  write_file(folder / ".hidden", "x");
  BOOST_TEST(told().empty());
}

BOOST_AUTO_TEST_CASE(a_renamed_folder_is_followed_when_the_next_round_names_it) {
  fs::rename(folder / "sub", folder / "other");
  BOOST_TEST(has(told(), Kind::Changed, folder / "other"));
  watch.begin_round();
  watch.watch(folder.string());
  watch.watch((folder / "other").string());
  watch.end_round();
  BOOST_TEST(watch.folders() == 2u);
  write_file(folder / "other" / "a.jpg", "x");
  BOOST_TEST(has(told(), Kind::Finished, folder / "other" / "a.jpg"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_another_one_takes_the_place_of_is_let_go) {
  fs::rename(folder / "sub", directory / "away");
  fs::create_directory(folder / "sub");
  told();
  watch.begin_round();
  watch.watch(folder.string());
  watch.watch((folder / "sub").string());
  watch.end_round();
  BOOST_TEST(watch.folders() == 2u);
  told();
  write_file(directory / "away" / "a.jpg", "x");
  BOOST_TEST(told().empty());
  write_file(folder / "sub" / "a.jpg", "x");
  BOOST_TEST(has(told(), Kind::Finished, folder / "sub" / "a.jpg"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_gone_is_told_and_no_longer_watched) {
  fs::remove_all(folder / "sub");
  const auto events = told();
  BOOST_TEST(has(events, Kind::Changed, folder / "sub"));
  BOOST_TEST(watch.folders() == 1u);
  watch.watch((folder / "sub").string());  // not there: no harm
  BOOST_TEST(watch.folders() == 1u);
  BOOST_TEST(!watch.trouble().has_value());
}

BOOST_AUTO_TEST_CASE(more_than_the_system_keeps_is_told_as_lost) {
  // Nobody reads meanwhile. The usual limit is 16,384 events.
  constexpr int kFiles = 20'000;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = folder / std::to_string(i);
    ::close(::open(path.c_str(), O_WRONLY | O_CREAT, 0600));
  }
  const auto events = told();
  const bool lost = has(events, Kind::Lost, "");
  BOOST_TEST((lost || events.size() >= size_t{kFiles}));  // where the limit is higher
}

BOOST_AUTO_TEST_CASE(more_folders_than_may_be_watched_are_told_with_the_cure) {
  FolderWatch few({folder.string()}, 1);
  few.begin_round();
  few.watch(folder.string());
  BOOST_TEST(!few.trouble().has_value());
  few.watch((folder / "sub").string());
  few.end_round();
  BOOST_REQUIRE(few.trouble().has_value());
  BOOST_TEST(std::string(few.trouble()->what()).find("sysctl fs.inotify.max_user_watches") !=
             std::string::npos);
  few.begin_round();  // fewer folders now
  few.watch(folder.string());
  few.end_round();
  BOOST_TEST(!few.trouble().has_value());
}

BOOST_AUTO_TEST_CASE(waiting_ends_when_somebody_wakes_it) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe(ends.data()) == 0);
  BOOST_REQUIRE(::write(ends[1], "x", 1) == 1);
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(watch.wait(std::chrono::minutes(10), ends[0]).empty());
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::minutes(1)));
  ::close(ends[0]);
  ::close(ends[1]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
