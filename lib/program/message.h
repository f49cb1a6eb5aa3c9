#pragma once

// Messages for people, on stderr: progress, skips, summaries, warnings, errors. They may get lost
// (stderr is closed, its disk is full, its reader or its terminal is gone), and that never ends the
// work nor changes the exit code. So nothing else writes to stderr: fmt::print throws, and streams
// and stdio keep what failed for later.

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

namespace zeroshelf {

// The text as it is, in one piece where the system takes it so. Threads: any.
void say_text(std::string_view text) noexcept;

// The formatted text, likewise. What comes from files and users is made printable() by the caller.
template <class... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) noexcept {
  try {
    fmt::memory_buffer text;  // short ones need no memory
    fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
    say_text({text.data(), text.size()});
  } catch (...) {  // no memory for it: lost
  }
}

// Opens /dev/null in the place of each of the standard descriptors that is closed, so that no file
// that is opened later becomes one of them and gets messages or results written into it. Reading
// the input or writing the output then fails, as it did before; messages get lost. To be called
// before anything is opened.
void keep_standard_descriptors() noexcept;

}  // namespace zeroshelf
