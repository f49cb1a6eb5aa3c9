// Tested by tests/util/text_test.cc.

#include "lib/util/matrix.h"

#include <cmath>

namespace zeroshelf {

void normalise(std::span<float> vector) {
  double sum = 0;
  for (float value : vector) sum += static_cast<double>(value) * value;
  if (sum <= 0) return;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& value : vector) value = static_cast<float>(value * scale);
}

}  // namespace zeroshelf
