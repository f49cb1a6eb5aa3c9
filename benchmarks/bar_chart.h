#pragma once

// Shares with their intervals as a picture.

#include <string>
#include <vector>

namespace zeroshelf::bench {

struct Bar {
  std::string name;
  double share = 0;  // 0 to 1, as are low and high
  double low = 0;
  double high = 0;
};

// A self-contained SVG. Names are escaped.
std::string bar_chart(const std::string& title, const std::vector<Bar>& bars);

}  // namespace zeroshelf::bench
