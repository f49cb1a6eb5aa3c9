// Tests lib/image/find_files.h.

#include "lib/files/find_files.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;
using testing::write_file;
using Names = std::vector<std::string>;

struct Walked {
  std::vector<FoundFile> files;
  std::vector<SkippedPath> skipped;
};

Walked walk(const std::vector<fs::path>& roots, const fs::path& excluded = {},
            const FindOptions& options = {}) {
  Walked walked;
  const auto visit = [&](std::variant<FoundFile, SkippedPath> item) {
    if (auto* file = std::get_if<FoundFile>(&item)) walked.files.push_back(std::move(*file));
    if (auto* skip = std::get_if<SkippedPath>(&item)) walked.skipped.push_back(std::move(*skip));
  };
  find_files(roots, excluded, visit, options);
  return walked;
}

std::string relative(const std::string& path, const fs::path& root) {
  return path.substr(root.string().size() + 1);
}

// The found paths below root, in order.
Names names(const Walked& walked, const fs::path& root) {
  Names result;
  for (const FoundFile& file : walked.files) result.push_back(relative(file.path, root));
  return result;
}

void check_names(const Walked& walked, const fs::path& root, const Names& expected) {
  BOOST_TEST(names(walked, root) == expected, boost::test_tools::per_element());
}

FoundFile only_file(const fs::path& path) {
  const Walked walked = walk({path});
  BOOST_REQUIRE(walked.files.size() == 1);
  return walked.files[0];
}

SkipReason reason_of(const std::variant<std::string, Skip>& result) {
  BOOST_REQUIRE(std::holds_alternative<Skip>(result));
  return std::get<Skip>(result).reason;
}

// Reading must come back: a FIFO that is opened to wait would hold the test for ever.
SkipReason reason_in_time(const FoundFile& file) {
  auto reading = std::async(std::launch::async, [file] { return read_found_file(file, 100); });
  if (reading.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    BOOST_TEST_MESSAGE("reading hangs");
    std::abort();
  }
  return reason_of(reading.get());
}

}  // namespace

BOOST_AUTO_TEST_CASE(walks_depth_first_in_byte_order) {
  const TemporaryDirectory folder;
  for (const char* name :
       {"b.jpg", "a/2.jpg", "a/1.jpg", "a.jpg", "Z.jpg", "c/x/y.jpg", "c/a.jpg"}) {
    write_file(folder / name, "x");
  }
  check_names(walk({folder.path()}), folder.path(),
              {"Z.jpg", "a/1.jpg", "a/2.jpg", "a.jpg", "b.jpg", "c/a.jpg", "c/x/y.jpg"});
}

BOOST_AUTO_TEST_CASE(tells_size_and_time) {
  const TemporaryDirectory folder;
  write_file(folder / "a.jpg", "12345");
  const timespec times[2] = {{1, 2}, {1'700'000'000, 123'456'789}};
  BOOST_REQUIRE(::utimensat(AT_FDCWD, (folder / "a.jpg").c_str(), times, 0) == 0);
  const FoundFile file = only_file(folder / "a.jpg");
  BOOST_TEST(file.size_bytes == 5u);
  BOOST_TEST(file.mtime_ns == 1'700'000'000'123'456'789);
  BOOST_TEST(file.path == (folder / "a.jpg").string());
}

BOOST_AUTO_TEST_CASE(overlapping_roots_give_each_path_once) {
  const TemporaryDirectory folder;
  for (const char* name : {"a/b/1.jpg", "a/2.jpg", "a/b/3.jpg"}) write_file(folder / name, "x");
  const fs::path a = folder / "a";
  const Names all = {"a/2.jpg", "a/b/1.jpg", "a/b/3.jpg"};
  const std::vector<std::vector<fs::path>> choices = {{a, a / "b"},
                                                      {a / "b", a},
                                                      {a, a},
                                                      {a / "b" / "..", a / "."},
                                                      {a, a / "b" / "1.jpg"},
                                                      {a / "2.jpg", a / "b" / "1.jpg", a}};
  for (const auto& roots : choices) {
    Names found = names(walk(roots), folder.path());
    std::ranges::sort(found);
    BOOST_TEST(found == all, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(hidden_names_are_passed_over_unless_roots) {
  const TemporaryDirectory folder;
  for (const char* name : {".h/1.jpg", ".2.jpg", "3.jpg"}) write_file(folder / name, "x");
  check_names(walk({folder.path()}), folder.path(), {"3.jpg"});
  check_names(walk({folder / ".h", folder / ".2.jpg"}), folder.path(), {".2.jpg", ".h/1.jpg"});
}

BOOST_AUTO_TEST_CASE(excluded_folder_is_passed_over_by_any_path) {
  const TemporaryDirectory folder;
  for (const char* name : {"keep/1.jpg", "index/2.jpg"}) write_file(folder / name, "x");
  fs::create_directory_symlink(folder / "index", folder / "link");
  check_names(walk({folder.path()}, folder / "index"), folder.path(), {"keep/1.jpg"});
  check_names(walk({folder.path()}, folder / "index", {BadRoots::Refuse, LinkedFolders::Follow}),
              folder.path(), {"keep/1.jpg"});
  BOOST_TEST(walk({folder.path()}, folder / "index").skipped.empty());
  BOOST_TEST(walk({folder / "index"}, folder / "index").files.empty());
}

BOOST_AUTO_TEST_CASE(links_to_folders_are_not_followed_and_told_unless_the_walk_gets_there) {
  const TemporaryDirectory folder;
  const TemporaryDirectory outside;
  write_file(folder / "root/a/1.jpg", "x");
  write_file(folder / "beside/2.jpg", "x");
  write_file(outside / "3.jpg", "x");
  const fs::path root = folder / "root";
  fs::create_directory_symlink("..", root / "up");   // the folder above the root
  fs::create_directory_symlink(".", root / "self");  // walked anyway
  fs::create_directory_symlink("../../root", root / "a/loop");
  fs::create_directory_symlink(outside.path(), root / "out");
  fs::create_symlink("1.jpg", root / "a/same.jpg");  // links to files count as files
  fs::create_symlink(outside / "3.jpg", root / "a/three.jpg");
  const Walked walked = walk({root});
  check_names(walked, root, {"a/1.jpg", "a/same.jpg", "a/three.jpg"});
  BOOST_REQUIRE(walked.skipped.size() == 2u);
  BOOST_TEST(walked.skipped[0].path == (root / "out").string());
  BOOST_TEST(walked.skipped[1].path == (root / "up").string());
  BOOST_TEST((walked.skipped[1].skip.reason == SkipReason::LinkedFolder));
  BOOST_TEST(walked.skipped[1].skip.detail.find("--follow-links") != std::string::npos);

  // Named as a root, it is walked, by a link too.
  const Walked both = walk({root, root / "out"});
  BOOST_TEST(both.files.size() == 4u);
  BOOST_TEST(both.skipped.size() == 1u);
  check_names(walk({root / "out"}), root, {"out/3.jpg"});
}

BOOST_AUTO_TEST_CASE(link_loops_end_where_links_are_followed) {
  const TemporaryDirectory folder;
  const TemporaryDirectory outside;
  write_file(folder / "a/1.jpg", "x");
  write_file(outside / "2.jpg", "x");
  fs::create_directory_symlink(folder.path(), folder / "a/loop");
  fs::create_directory_symlink(outside.path(), folder / "b");
  fs::create_directory_symlink(outside.path(), folder / "c");
  fs::create_symlink("1.jpg", folder / "a/same.jpg");
  const Walked walked = walk({folder.path()}, {}, {BadRoots::Refuse, LinkedFolders::Follow});
  check_names(walked, folder.path(), {"a/1.jpg", "a/same.jpg", "b/2.jpg"});
  BOOST_TEST(walked.skipped.empty());
}

BOOST_AUTO_TEST_CASE(links_to_nothing_are_reported) {
  const TemporaryDirectory folder;
  fs::create_symlink("nowhere", folder / "broken.jpg");
  fs::create_symlink("self.jpg", folder / "self.jpg");
  const Walked walked = walk({folder.path()});
  BOOST_REQUIRE(walked.skipped.size() == 2);
  BOOST_TEST((walked.skipped[0].skip.reason == SkipReason::Vanished));
  BOOST_TEST((walked.skipped[1].skip.reason == SkipReason::Unreadable));
}

// Both contents would have one time otherwise, and the second one would never be looked at.
BOOST_AUTO_TEST_CASE(a_file_rewritten_right_after_reading_has_another_time) {
  const TemporaryDirectory folder;
  const fs::path path = folder / "1.jpg";
  for (int i = 0; i < 20; ++i) {
    write_file(path, "first");
    const FoundFile file = only_file(path);
    const auto content = read_found_file(file, 100);
    write_file(path, "other");
    BOOST_REQUIRE(std::holds_alternative<std::string>(content));
    BOOST_TEST(std::get<std::string>(content) == "first");
    BOOST_TEST(only_file(path).mtime_ns != file.mtime_ns);
  }
}

BOOST_AUTO_TEST_CASE(pipes_and_sockets_are_reported_and_never_opened) {
  const TemporaryDirectory folder;
  BOOST_REQUIRE(::mkfifo((folder / "pipe.jpg").c_str(), 0600) == 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket.jpg").string().copy(address.sun_path, sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const Walked walked = walk({folder.path(), folder / "pipe.jpg", "/dev/null"});
  BOOST_REQUIRE(walked.skipped.size() == 3);
  for (const SkippedPath& skipped : walked.skipped) {
    BOOST_TEST((skipped.skip.reason == SkipReason::NotRegularFile));
  }
  ::close(fd);
}

BOOST_AUTO_TEST_CASE(odd_names_keep_their_bytes) {
  const TemporaryDirectory folder;
  const Names odd = {
      "\x01.jpg",    "a\nb.jpg", "a b'\"$.jpg", "\xc3\xa9.jpg", "\xd7\x90\xe2\x80\xaegpj.jpg",
      "\xff\xfe.jpg"};
  for (const std::string& name : odd) write_file(folder / name, "x");
  check_names(walk({folder.path()}), folder.path(),
              {"\x01.jpg", "a\nb.jpg", "a b'\"$.jpg", "\xc3\xa9.jpg", "\xd7\x90\xe2\x80\xaegpj.jpg",
               "\xff\xfe.jpg"});
}

BOOST_AUTO_TEST_CASE(missing_roots_end_before_anything_is_visited) {
  const TemporaryDirectory folder;
  write_file(folder / "1.jpg", "x");
  const auto visit = [](auto) { BOOST_ERROR("visited"); };
  BOOST_CHECK_EXCEPTION(find_files({folder.path(), folder / "absent"}, {}, visit), Error,
                        [](const Error& e) { return e.code() == ErrorCode::NotFound; });
}

BOOST_AUTO_TEST_CASE(unreadable_folders_are_reported_and_the_walk_goes_on) {
  if (::geteuid() == 0) return;  // root may read everything
  const TemporaryDirectory folder;
  write_file(folder / "a/1.jpg", "x");
  write_file(folder / "b/2.jpg", "x");
  fs::permissions(folder / "a", fs::perms::none);
  const Walked walked = walk({folder.path()});
  fs::permissions(folder / "a", fs::perms::owner_all);
  check_names(walked, folder.path(), {"b/2.jpg"});
  BOOST_REQUIRE(walked.skipped.size() == 1);
  BOOST_TEST((walked.skipped[0].skip.reason == SkipReason::Unreadable));
}

BOOST_AUTO_TEST_CASE(trees_deeper_than_a_path_may_be_are_reported) {
  const TemporaryDirectory folder;
  const std::string name(200, 'd');
  int at = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 60; ++depth) {
    BOOST_REQUIRE(::mkdirat(at, name.c_str(), 0700) == 0);
    const int below = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = below;
  }
  ::close(at);
  const Walked walked = walk({folder.path()});
  BOOST_REQUIRE(walked.skipped.size() == 1);
  BOOST_TEST((walked.skipped[0].skip.reason == SkipReason::Unreadable));
}

BOOST_AUTO_TEST_CASE(deep_trees_need_neither_stack_nor_descriptors) {
  const TemporaryDirectory folder;
  std::string path;
  for (int depth = 0; depth < 900; ++depth) path += "d/";
  write_file(folder / (path + "1.jpg"), "x");
  BOOST_TEST(walk({folder.path()}).files.size() == 1u);
}

BOOST_AUTO_TEST_CASE(many_files_are_found_quickly) {
  const TemporaryDirectory folder;
  for (int i = 0; i < 20'000; ++i) {
    ::close(::open((folder / (std::to_string(i) + ".jpg")).c_str(), O_CREAT | O_WRONLY, 0600));
  }
  const auto start = std::chrono::steady_clock::now();
  const Walked walked = walk({folder.path()});
  const auto time = std::chrono::steady_clock::now() - start;
  BOOST_TEST(walked.files.size() == 20'000u);
  BOOST_TEST(std::ranges::is_sorted(walked.files, {}, &FoundFile::path));
  BOOST_TEST_MESSAGE(std::chrono::duration<double>(time).count() << " s");
  BOOST_TEST((time < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(found_files_are_read) {
  const TemporaryDirectory folder;
  const std::string content("bytes\0more", 10);
  write_file(folder / "1.jpg", content);
  write_file(folder / "2.jpg", "");
  BOOST_TEST(std::get<std::string>(read_found_file(only_file(folder / "1.jpg"), 10)) == content);
  BOOST_TEST(std::get<std::string>(read_found_file(only_file(folder / "2.jpg"), 10)).empty());
  BOOST_TEST(
      (reason_of(read_found_file(only_file(folder / "1.jpg"), 9)) == SkipReason::TooManyBytes));
}

BOOST_AUTO_TEST_CASE(what_is_no_longer_the_file_found_is_skipped) {
  const TemporaryDirectory folder;
  const fs::path path = folder / "1.jpg";
  write_file(path, "before");
  const FoundFile file = only_file(path);
  write_file(path, "longer than before");
  BOOST_TEST((reason_in_time(file) == SkipReason::Changed));
  fs::remove(path);
  BOOST_TEST((reason_in_time(file) == SkipReason::Vanished));
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  BOOST_TEST((reason_in_time(file) == SkipReason::NotRegularFile));
  fs::remove(path);
  fs::create_directory(path);
  BOOST_TEST((reason_in_time(file) == SkipReason::NotRegularFile));
}

BOOST_AUTO_TEST_CASE(each_folder_is_told_before_it_is_listed) {
  const TemporaryDirectory directory;
  for (const char* name : {"a/1.jpg", "b/2.jpg", ".hidden/3.jpg", "own/4.jpg", "out/5.jpg"})
    write_file(directory / name, "x");
  write_file(directory / "out/manifest.jsonl", R"({"type":"exported","path":"x"})");
  Names told;
  FindOptions options;
  options.pass_over = [](Neighbour, const std::string&) {};
  options.on_folder = [&](FolderStep step, const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    told.push_back((step == FolderStep::Entered ? "+" : "-") + name);
    if (name == "a") write_file(fs::path(path) / "late.jpg", "x");
  };
  const Walked walked = walk({directory.path()}, directory / "own", options);
  check_names(walked, directory.path(), {"a/1.jpg", "a/late.jpg", "b/2.jpg"});
  told.erase(told.begin());  // the root
  BOOST_TEST(told == (Names{"+a", "+b", "+out", "-out"}), boost::test_tools::per_element());
}

}  // namespace zeroshelf
