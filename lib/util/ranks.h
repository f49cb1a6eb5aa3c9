#pragma once

// Several processes that answer one question together, each from its share of the parts.
//
// Every process (a rank) runs the same program with the same arguments. What they do together is
// done by all of them in the same order; what one has to tell another is bytes. How the bytes
// travel is another class's matter (lib/cluster has MPI; tests have threads), so that whatever adds
// up what parts have knows no library.
//
// Threads: one at a time, always the same.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf {

// What errors call bytes that come from another rank.
inline constexpr const char* kRanksMessage = "a message between processes";

class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual size_t rank() const = 0;  // of this process, below size()
  virtual size_t size() const = 0;  // at least 1
  bool is_first() const { return rank() == 0; }

  // To one other process, and from one, in the order in which they are sent. Both may wait for the
  // other. Throw Unavailable, naming what that process has, when it does not answer in time.
  virtual void send(size_t to, std::string_view bytes) = 0;
  virtual std::string receive(size_t from) = 0;

  // What each rank has, for errors: its parts. Until then they are called by their numbers.
  void name(std::vector<std::string> names) { names_ = std::move(names); }
  std::string name_of(size_t rank) const;

  // --- all together -----------------------------------------------------------------------------

  // At the first rank what each has given, in their order; elsewhere nothing.
  std::vector<std::string> gather(std::string_view bytes);
  // What the first rank has given.
  std::string broadcast(std::string bytes);
  // What each has given, everywhere.
  std::vector<std::string> exchange(std::string_view bytes);
  // Adds up, element by element, everywhere; modulo 2^64, so exact in any order. As many
  // everywhere.
  void add_up(std::span<uint64_t> values);
  // The largest of all, everywhere.
  float largest(float value);

  // Waits until all have come here. Where one of them comes with an error, it ends the work of all:
  // the first rank throws that of the lowest one, all others EndedElsewhere.
  void agree(const std::optional<Error>& error);
  // Calls work and agrees on whether it threw an Error.
  void agree_after(const std::function<void()>& work);
  // The same of what the first rank alone does: its bytes, everywhere.
  std::string made_by_first(const std::function<std::string()>& make);
  // From here on each works for itself, or has nothing left to do. In all of them.
  void part() { ended_ = true; }
  // Whether they have parted, or an error ended the work of all; without that, a rank that stops
  // leaves others waiting.
  bool ended() const { return ended_; }
  // The error of one question is no longer in the way of the next. In all of them.
  void begin_anew() { ended_ = false; }

 private:
  std::vector<std::string> names_;
  bool ended_ = false;
};

// An error as it is told to another process.
std::string bytes_of_error(const Error& error);
Error error_of_bytes(std::string_view bytes);

// The first rank tells why.
class EndedElsewhere : public std::exception {
 public:
  const char* what() const noexcept override { return "another process has ended the work"; }
};

}  // namespace zeroshelf
