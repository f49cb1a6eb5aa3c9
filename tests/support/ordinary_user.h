#pragma once

// Root may read everything, so what permissions refuse can only be tried as somebody else.

#include <unistd.h>

namespace zeroshelf::testing {

// While it lives, this process has the rights of the user `nobody` where it was started by root.
// What root has made before is root's: make folders after it. Programs that are started meanwhile
// have the same rights.
class OrdinaryUser {
 public:
  OrdinaryUser() : was_root_(::geteuid() == 0) {
    if (was_root_) dropped_ = ::setegid(kNobody) == 0 && ::seteuid(kNobody) == 0;
  }
  ~OrdinaryUser() {
    if (!was_root_) return;
    [[maybe_unused]] const int user = ::seteuid(0);
    [[maybe_unused]] const int group = ::setegid(0);
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

  // False: this process still has root's rights, so there is nothing to try.
  bool is_ordinary() const { return !was_root_ || dropped_; }

 private:
  static constexpr unsigned kNobody = 65534;

  bool was_root_;
  bool dropped_ = false;
};

}  // namespace zeroshelf::testing
