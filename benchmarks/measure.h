#pragma once

// What the benchmarks share: taking time, the bound of reading rows, and pictures that cost
// nothing.

#include <functional>
#include <string>
#include <vector>

#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// The wall-clock time of one call.
double seconds_of(const std::function<void()>& body);

// The upper median; values must not be empty.
double median(std::vector<double> values);

// Of so many calls; repeats is at least 1.
double median_seconds(int repeats, const std::function<void()>& body);

// Reads every byte of the rows once, with every core: no scan can be faster.
void stream(const VectorRows& rows);

// A picture file (PPM, 8 x 8 pixels) for each number.
std::string small_pixmap(int number);

}  // namespace zeroshelf
