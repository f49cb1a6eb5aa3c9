// watch through the real program, with the bundled model and real folders.

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/files/descriptor.h"
#include "lib/util/file.h"
#include "tests/programs/programs.h"
#include "tests/support/ordinary_user.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{120};

// How often a folder is opened, as every look does it.
class Openings {
 public:
  explicit Openings(const fs::path& folder) : events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    BOOST_REQUIRE(::inotify_add_watch(events_.get(), folder.c_str(), IN_OPEN | IN_ONLYDIR) >= 0);
  }

  // Since the last call.
  size_t count() const {
    size_t openings = 0;
    alignas(inotify_event) std::array<char, 4096> buffer;
    for (ssize_t bytes = 0; (bytes = ::read(events_.get(), buffer.data(), buffer.size())) > 0;) {
      for (const char* at = buffer.data(); at < buffer.data() + bytes;) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        openings += (event->mask & IN_ISDIR) != 0 && event->len == 0;
        at += sizeof(inotify_event) + event->len;
      }
    }
    return openings;
  }

 private:
  Descriptor events_;
};

struct Watched {
  Watched() { fs::create_directories(folder); }
  ~Watched() {
    if (child > 0) end(SIGKILL);
  }

  // Until everything was looked at once.
  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {ZEROSHELF_INDEX_PROGRAM, "watch",    collection,
                                      folder.string(),         "--no-ocr", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    write_file(out, "");
    write_file(err, "");
    child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      const bool ready = ::dup2(::open(out.c_str(), O_WRONLY | O_APPEND), STDOUT_FILENO) >= 0 &&
                         ::dup2(::open(err.c_str(), O_WRONLY | O_APPEND), STDERR_FILENO) >= 0;
      if (ready) ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    wait_for([&] { return !lines("watching").empty(); });
  }

  // The exit code, or 128 and the signal.
  int end(int signal = SIGTERM) {
    int status = 0;
    ::kill(child, signal);
    ::waitpid(child, &status, 0);
    child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  // What it printed of that type. The last line may be incomplete.
  std::vector<nlohmann::json> lines(const std::string& type) const {
    std::string text = read_file(out, 1 << 28);
    text.resize(text.rfind('\n') + 1);
    std::vector<nlohmann::json> found;
    for (auto& line : json_lines(text))
      if (line["type"] == type) found.push_back(std::move(line));
    return found;
  }
  std::string said() const { return read_file(err, 1 << 28); }

  void wait_for(const std::function<bool()>& is_so) const {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!is_so() && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(milliseconds(50));
    BOOST_TEST_REQUIRE(is_so(), said());
  }
  uint64_t pictures() const { return Collection::open(collection).counts().pictures; }
  void wait_for_pictures(uint64_t count) const {
    wait_for([&] { return pictures() == count; });
  }
  bool has(const fs::path& path) const {
    return Collection::open(collection).find_path(path.string()).has_value();
  }
  void put(const fs::path& name, int number) const {
    write_file(folder / name, tinted_pixmap(number));
  }

  TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  std::string collection = (directory / "shelf").string();
  fs::path out = directory / "out";
  fs::path err = directory / "err";
  pid_t child = 0;
};

BOOST_FIXTURE_TEST_SUITE(watching, Watched)

BOOST_AUTO_TEST_CASE(what_comes_moves_and_goes_is_taken_up_and_a_signal_ends_it) {
  put("old/1.ppm", 1);
  put("old/2.ppm", 2);
  put("old/3.ppm", 3);
  start();
  BOOST_TEST(pictures() == 3u);
  BOOST_TEST(lines("watching").at(0)["folders"] == 2);

  constexpr int kBurst = 300;
  for (int i = 0; i < kBurst; ++i)
    put(fs::path("burst") / std::to_string(i % 7) / (std::to_string(i) + ".ppm"), 100 + i);
  wait_for_pictures(3 + kBurst);

  // The lock is free between two looks.
  const auto compacted = zeroshelf_index({"compact", collection});
  BOOST_TEST(compacted.exit_code == 0, compacted.err);
  BOOST_TEST(zeroshelf_index({"verify", collection}).exit_code == 0);

  fs::rename(folder / "old", folder / "new");
  wait_for([&] { return has(folder / "new" / "2.ppm"); });
  BOOST_TEST(pictures() == 3u + kBurst);
  fs::remove(folder / "new" / "1.ppm");
  wait_for_pictures(2 + kBurst);
  BOOST_TEST(end() == 0);
  uint64_t added = 0;
  for (const auto& line : lines("summary")) added += line["added"].get<uint64_t>();
  BOOST_TEST(added == 3u + kBurst);
  BOOST_TEST(lines("skip").empty());
}

BOOST_AUTO_TEST_CASE(after_a_kill_it_goes_on_with_what_came_meanwhile) {
  put("1.ppm", 1);
  start();
  put("2.ppm", 2);
  wait_for_pictures(2);
  for (int i = 0; i < 40; ++i) put(std::to_string(10 + i) + ".ppm", 10 + i);
  std::this_thread::sleep_for(milliseconds(1100));  // about when it begins with them
  BOOST_TEST(end(SIGKILL) == 128 + SIGKILL);
  put("3.ppm", 3);
  start();  // with the folders that it is told, and nothing repaired
  wait_for_pictures(43);
  BOOST_TEST(end(SIGINT) == 0);
  BOOST_TEST(zeroshelf_index({"verify", collection}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(most_of_a_folder_is_not_believed_to_be_gone) {
  for (int i = 0; i < 4; ++i) put(std::to_string(i) + ".ppm", i);
  start();
  fs::rename(folder, directory / "away");
  wait_for([&] {
    return said().find("confirm with zeroshelf-index add --confirm-missing") != std::string::npos;
  });
  BOOST_TEST(pictures() == 4u);
  fs::rename(directory / "away", folder);
  put("5.ppm", 5);
  wait_for_pictures(5);
  BOOST_TEST(end() == 0);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_kept_current_labels_prints_and_exports_what_comes) {
  for (int i = 0; i < 6; ++i) put(std::to_string(i) + ".ppm", i);
  start();
  const auto query = [&](std::vector<std::string> words) {
    words.insert(words.begin() + 1, collection);
    return zeroshelf_query(words);
  };
  BOOST_REQUIRE(
      query({"classify", "--labels", "red, blue", "--summary", "--save", "colours"}).exit_code ==
      0);
  const std::string sorted = (directory / "sorted").string();
  const auto kept =
      query({"runs", "--keep-current", "colours", "--export-to", sorted, "--mode", "copy"});
  BOOST_TEST(kept.exit_code == 0, kept.err);
  BOOST_TEST(query({"runs"}).out.find("kept current") != std::string::npos);
  put("6.ppm", 6);
  put("7.ppm", 7);
  wait_for([&] { return lines("prediction").size() >= 2; });
  wait_for([&] {
    return query({"runs", "--format", "jsonl"}).out.find("\"pictures\":8") != std::string::npos;
  });
  std::map<std::string, std::string> answers;
  for (const auto& line : lines("prediction")) {
    BOOST_TEST(line["run"] == "colours");
    answers[line["path"].get<std::string>()] = line["label"].get<std::string>();
  }
  BOOST_TEST(answers.size() == 2u);
  for (const auto& [path, label] : answers) {
    const std::string name = fs::path(path).filename().string();
    size_t found = 0;
    for (const auto& entry : fs::recursive_directory_iterator(sorted))
      found += entry.path().filename() == name && entry.path().parent_path().filename() == label;
    BOOST_TEST(found == 1u, path);
  }
  BOOST_TEST(query({"runs", "--not-current", "colours"}).exit_code == 0);
  BOOST_TEST(query({"runs", "--not-current", "colours"}).exit_code == 2);
  put("8.ppm", 8);
  wait_for_pictures(9);
  BOOST_TEST(end() == 0);
  BOOST_TEST(lines("prediction").size() == 2u);
}

BOOST_AUTO_TEST_CASE(
    a_run_that_is_kept_current_writes_keywords_beside_what_comes_and_nothing_else) {
  for (int i = 0; i < 6; ++i) put(std::to_string(i) + ".ppm", i);
  start();
  const auto query = [&](std::vector<std::string> words) {
    words.insert(words.begin() + 1, collection);
    return zeroshelf_query(words);
  };
  for (const char* run : {"colours", "others"})
    BOOST_REQUIRE(
        query({"classify", "--labels", "red, blue", "--summary", "--save", run}).exit_code == 0);
  // What the pictures have that are there is no business of what comes.
  BOOST_REQUIRE(query({"export", "--labels", "red, blue", "--format", "xmp"}).exit_code == 0);
  const auto sidecar = [&](int i) { return folder / (std::to_string(i) + ".ppm.xmp"); };
  std::map<int, std::pair<std::string, fs::file_time_type>> before;
  for (int i = 0; i < 6; ++i)
    before[i] = {read_file(sidecar(i), 1 << 20), fs::last_write_time(sidecar(i))};
  const auto kept = query({"runs", "--keep-current", "colours", "--keywords"});
  BOOST_TEST(kept.exit_code == 0, kept.err);
  const auto same_root = query({"runs", "--keep-current", "others", "--keywords"});
  BOOST_TEST(same_root.exit_code == 2);
  BOOST_TEST(same_root.err.find("run colours") != std::string::npos);

  put("6.ppm", 6);
  put("7.ppm", 7);
  const Openings looks(folder);
  wait_for([&] {
    return query({"runs", "--format", "jsonl"}).out.find("\"pictures\":8") != std::string::npos;
  });
  std::map<std::string, std::string> answers;
  for (const auto& line : lines("prediction"))
    answers[fs::path(line["path"].get<std::string>()).filename().string()] =
        line["label"].get<std::string>();
  for (const int i : {6, 7}) {
    const std::string text = read_file(sidecar(i), 1 << 20);
    BOOST_TEST(
        text.find("zeroshelf/" + answers.at(std::to_string(i) + ".ppm")) != std::string::npos,
        text);
  }
  // Sidecars are looked at, and no look leads to another one for ever.
  auto last = std::chrono::steady_clock::now();
  wait_for([&] {
    const auto now = std::chrono::steady_clock::now();
    if (looks.count() > 0) last = now;
    return now - last > std::chrono::seconds(4);
  });
  BOOST_TEST(end() == 0);
  for (const auto& [i, was] : before) {
    BOOST_TEST(read_file(sidecar(i), 1 << 20) == was.first);
    BOOST_TEST((fs::last_write_time(sidecar(i)) == was.second));
  }

  std::vector<std::string> journals;
  for (const auto& entry : fs::directory_iterator(collection + "-watch-keywords"))
    journals.push_back(entry.path().string());
  BOOST_TEST((journals.size() == 1 || journals.size() == 2));  // as they came
  std::ranges::sort(journals, std::ranges::greater());
  for (const std::string& journal : journals)
    BOOST_TEST(zeroshelf_query({"undo", journal}).exit_code == 0);
  BOOST_TEST((!fs::exists(sidecar(6)) && !fs::exists(sidecar(7))));
  for (const auto& [i, was] : before) BOOST_TEST(read_file(sidecar(i), 1 << 20) == was.first);
}

BOOST_AUTO_TEST_CASE(a_collection_that_may_not_be_written_is_told_at_once) {
  put("1.ppm", 1);
  BOOST_REQUIRE(zeroshelf_index({"add", collection, folder.string(), "--no-ocr"}).exit_code == 0);
  const OrdinaryUser user;
  if (!user.is_ordinary()) return;
  const auto refused = zeroshelf_index({"watch", collection, folder.string(), "--no-ocr"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(!refused.err.empty());
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_at_once) {
  const auto nothing = zeroshelf_index({"watch", collection});
  BOOST_TEST(nothing.exit_code == 2);
  BOOST_TEST(nothing.err.find("no such collection") != std::string::npos, nothing.err);
  BOOST_TEST(nothing.err.find("--files0-from") == std::string::npos, nothing.err);  // no flag of it
  BOOST_TEST(zeroshelf_index({"watch", collection, (directory / "none").string()}).exit_code == 2);
  put("1.ppm", 1);
  BOOST_REQUIRE(zeroshelf_index({"add", collection, folder.string(), "--no-ocr"}).exit_code == 0);
  const auto unsaved = zeroshelf_query({"runs", collection, "--keep-current", "none"});
  BOOST_TEST(unsaved.exit_code == 2);
  BOOST_TEST(zeroshelf_query({"runs", collection, "--export-to", "x"}).exit_code == 2);
  BOOST_TEST(zeroshelf_query({"runs", collection, "--keywords"}).exit_code == 2);
  BOOST_TEST(
      zeroshelf_query({"runs", collection, "--keep-current", "none", "--root", "x"}).exit_code ==
      2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::testing
