// Tested by tests/labelling/keyword_truth_test.cc.

#include "lib/labelling/keyword_truth.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "lib/collection/path_order.h"
#include "lib/files/descriptor.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet.h"
#include "lib/xmp/sidecar_names.h"

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
  const auto same = std::ranges::unique(keywords);
  keywords.erase(same.begin(), same.end());
}

class LabelNames {
 public:
  explicit LabelNames(const std::vector<Label>& labels) {
    for (const Label& label : labels)
      names_.emplace(compared(split_keyword(label.name, '/'), 0), label.name);
  }

  bool are_given() const { return !names_.empty(); }

  // The label with the most of the keyword's last parts.
  std::optional<std::string> find(const KeywordPath& keyword) const {
    if (!are_given()) return is_utf8(with_slashes(keyword)) ? std::optional(with_slashes(keyword))
                                                            : std::nullopt;
    for (size_t first = 0; first < keyword.size(); ++first) {
      if (const auto name = names_.find(compared(keyword, first)); name != names_.end())
        return name->second;
    }
    return std::nullopt;
  }

 private:
  static std::vector<std::string> compared(const KeywordPath& path, size_t first) {
    std::vector<std::string> parts;
    for (size_t i = first; i < path.size(); ++i) parts.push_back(compared_name(path[i]));
    return parts;
  }

  std::map<std::vector<std::string>, std::string> names_;
};

}  // namespace

KeywordTruth truth_from_keywords(const View& collection, const std::vector<Label>& labels,
                                 const std::function<void(const Error&)>& on_unreadable) {
  const LabelNames names(labels);
  SidecarNames sidecars;
  KeywordTruth found;
  const auto read = [&](const fs::path& path, const auto& keywords_in,
                        std::vector<KeywordPath>& keywords) {
    try {
      for (KeywordPath& keyword : keywords_in(path)) keywords.push_back(std::move(keyword));
    } catch (const Error& error) {
      ++found.unreadable;
      on_unreadable(Error(error.code(), path.string(), error.cause(), error.cure()));
    }
  };
  for_each_record_by_path(collection, [&](Row, const PictureRecord& record) {
    const fs::path picture = record.file.path;
    std::vector<KeywordPath> keywords;
    read(sidecars.of(picture), keywords_in_sidecar, keywords);
    read(picture, keywords_in_picture, keywords);
    leave_out_repeated(keywords);
    std::set<std::string> said;
    for (const KeywordPath& keyword : keywords) {
      if (auto label = names.find(keyword)) said.insert(*std::move(label));
    }
    if (said.size() == 1) {
      found.truth.emplace(record.file.path, *said.begin());
    } else {
      ++(said.empty() ? found.without : found.several);
    }
  });
  return found;
}

}  // namespace zeroshelf
