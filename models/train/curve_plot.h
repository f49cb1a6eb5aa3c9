#pragma once

// The course of a training as a picture.

#include <filesystem>

namespace zeroshelf::train {

// Reads a run's curve.csv and writes an SVG: loss and its parts over the pictures seen, and where
// it was measured the held-out accuracy. A file without a complete line gives an empty plot. Throws
// Io.
void write_curve_plot(const std::filesystem::path& csv, const std::filesystem::path& svg);

}  // namespace zeroshelf::train
