// Tested by tests/files/disk_test.cc, on file systems that can do less by
// tests/programs/poor_disk_test.cc and other_disks_test.sh.

#include "lib/files/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <string>
#include <system_error>

#include "lib/files/descriptor.h"
#include "lib/util/file.h"
#include "lib/util/unicode.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// A file in the folder, if it can be made; gone with the object.
class Trial {
 public:
  Trial(int folder, const char* name) : folder_(folder), name_(name) {
    const Descriptor file(
        ::openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    made_ = file.is_open();
    if (!made_) error_ = errno;
  }
  ~Trial() {
    if (made_) ::unlinkat(folder_, name_, 0);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  bool made() const { return made_; }
  // Each file system has its own word for a name that it does not take.
  bool refused() const {
    return !made_ && (error_ == EINVAL || error_ == ENOENT || error_ == EPERM || error_ == EILSEQ ||
                      error_ == EACCES || error_ == ENAMETOOLONG || error_ == EEXIST);
  }

 private:
  int folder_;
  const char* name_;
  bool made_ = false;
  int error_ = 0;
};

bool is_there(int folder, const char* name) {
  struct stat status {};
  return ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool means_never(int error) {
  return error == EPERM || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL ||
         error == EACCES || error == EMLINK;
}

// Whether a link can be made by such a call, which gives -1 and errno where it cannot.
template <class Make>
bool can_link(int folder, const char* name, const Make& make) {
  if (make() != 0) return !means_never(errno);
  ::unlinkat(folder, name, 0);
  return true;
}

IdentityTrust trust_in(const struct statfs& status) {
  constexpr int64_t kFat = 0x4d44;
  constexpr int64_t kExFat = 0x2011bab0;
  constexpr int64_t kFuse = 0x65735546;
  constexpr int64_t kSmb = 0x517b;
  constexpr int64_t kCifs = 0xff534d42;
  constexpr int64_t kSmb2 = 0xfe534d42;
  constexpr int64_t kPlan9 = 0x01021997;
  constexpr int64_t kOverlay = 0x794c7630;
  const int64_t type = status.f_type & 0xffffffff;
  if (type == kFat || type == kExFat) return {false, false};
  for (const int64_t other : {kFuse, kSmb, kCifs, kSmb2, kPlan9, kOverlay}) {
    if (type == other) return {false, true};
  }
  return {};
}

// With small letters for capitals and the other way round.
std::string in_other_case(std::string name) {
  for (char& c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 0x80) c = static_cast<char>(std::isupper(letter) != 0 ? std::tolower(letter) : std::toupper(letter));
  }
  return name;
}

// For a name that is there also in another case: how the folder has it.
std::string listed_name(const fs::path& folder, const std::string& name) {
  std::error_code error;
  std::string alike;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string listed = entry->path().filename().string();
    if (listed == name) return name;
    if (folded(listed) == folded(name)) alike = listed;
  }
  return alike.empty() ? name : alike;
}

}  // namespace

fs::path as_listed(const fs::path& path) {
  const fs::path given = absolute_path(path);
  fs::path listed = given.root_path();
  for (const fs::path& part : given.relative_path()) {
    const std::string name = part.string();
    const std::string other = in_other_case(name);
    std::error_code ignored;
    const bool told_apart = other == name || !fs::exists(fs::symlink_status(listed / name, ignored)) ||
                            !fs::exists(fs::symlink_status(listed / other, ignored));
    listed /= told_apart ? name : listed_name(listed, name);
  }
  return listed == given ? path : listed;
}

DiskAbilities try_disk(int folder) {
  constexpr const char* kLink = "zeroshelf-trial-link";
  DiskAbilities abilities;
  const Trial plain(folder, "zeroshelf-trial");
  if (!plain.made()) return abilities;
  abilities.names.tell_case = !is_there(folder, "Zeroshelf-Trial");
  {
    const Trial odd(folder, "zeroshelf-trial ?:\"*|<>");
    // Some take the name, and leave out what is at its end.
    const Trial dot(folder, "zeroshelf-trial-dot.");
    abilities.names.any_character = !odd.refused() && !dot.refused() &&
                                    !(dot.made() && is_there(folder, "zeroshelf-trial-dot"));
  }
  abilities.names.any_script = !Trial(folder, "zeroshelf-trial-\u00e9\u65e5").refused();
  abilities.symbolic_links = can_link(
      folder, kLink, [&] { return ::symlinkat("zeroshelf-trial", folder, kLink); });
  abilities.hard_links = can_link(
      folder, kLink, [&] { return ::linkat(folder, "zeroshelf-trial", folder, kLink, 0); });
  return abilities;
}

IdentityTrust identity_trust(const std::filesystem::path& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 ? trust_in(status) : IdentityTrust{false, false};
}

IdentityTrust identity_trust(int open_file) {
  struct statfs status {};
  return ::fstatfs(open_file, &status) == 0 ? trust_in(status) : IdentityTrust{false, false};
}

}  // namespace zeroshelf
