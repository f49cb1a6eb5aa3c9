#pragma once

// The flag of how long reading one picture's text may take, for every command that reads.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

namespace zeroshelf {

// timeout_ms: what it is without the flag; must live as long as the command.
inline void add_ocr_timeout(CLI::App* command, int& timeout_ms) {
  constexpr double kLeastSeconds = 0.001;
  constexpr double kMostSeconds = 86'400;
  command
      ->add_option_function<double>(
          "--ocr-timeout",
          [&timeout_ms](double seconds) {
            timeout_ms = static_cast<int>(std::lround(1000 * seconds));
          },
          "Skip a picture when reading its text takes longer than this (CPU seconds)")
      ->check(CLI::Range(kLeastSeconds, kMostSeconds))
      ->default_str(fmt::format("{:g}", timeout_ms / 1000.0))
      ->type_name("SECONDS");
}

}  // namespace zeroshelf
