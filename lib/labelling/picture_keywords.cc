// Tested by tests/labelling/keyword_truth_test.cc.

#include "lib/labelling/picture_keywords.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "lib/files/descriptor.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/file.h"
#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

const KeywordPath kOwnRoot = {"zeroshelf"};

// Waits for nothing, whatever has the name.
Descriptor open_to_read(const fs::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

std::vector<KeywordPath> keywords_in_sidecar(const fs::path& path) {
  const Descriptor file = open_to_read(path);
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const std::string packet = read_open_file(file.get(), static_cast<uint64_t>(status.st_size),
                                            kMostPacketBytes, path);
  return others_keywords(packet, kOwnRoot);
}

std::vector<KeywordPath> keywords_in_picture(const fs::path& path) {
  const Descriptor file = open_to_read(path);
  if (!file.is_open()) return {};
  const PictureBytes bytes = PictureBytes::of_file(file.get());
  if (bytes.size == 0) return {};
  const auto packet = packet_in(bytes);
  return packet ? others_keywords(*packet, kOwnRoot) : std::vector<KeywordPath>();
}

// A flat list repeats what hierarchies say: "bird", and with some programs "animal" too, beside
// "animal/bird".
void leave_out_repeated(std::vector<KeywordPath>& keywords) {
  std::set<std::string> parts;
  for (const KeywordPath& path : keywords) {
    if (path.size() > 1) parts.insert(path.begin(), path.end());
  }
  std::erase_if(keywords, [&](const KeywordPath& path) {
    return path.size() == 1 && parts.contains(path.front());
  });
  std::ranges::sort(keywords);
  drop_repeated(keywords);
}

}  // namespace

std::vector<KeywordPath> PictureKeywords::of(const fs::path& picture) {
  std::vector<KeywordPath> keywords;
  const auto read = [&](const fs::path& path, const auto& keywords_in) {
    try {
      for (KeywordPath& keyword : keywords_in(path)) keywords.push_back(std::move(keyword));
    } catch (const Error& error) {
      on_unreadable_(Error(error.code(), path.string(), error.cause(), error.cure()));
    }
  };
  read(sidecars_.of(picture), keywords_in_sidecar);
  read(picture, keywords_in_picture);
  leave_out_repeated(keywords);
  return keywords;
}

}  // namespace zeroshelf
