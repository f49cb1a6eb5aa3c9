#pragma once

// What is kept with a collection, as it is listed.

#include <string>
#include <string_view>

#include "lib/collection/view.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/run.h"
#include "lib/report/messages.h"

namespace zeroshelf {

struct KeptThing {
  std::string type;  // "run", "calibration" or "classifier"
  std::string name;
  std::string created_utc;
  uint64_t pictures = 0;
  size_t labels = 0;
  std::string about;
};

// kind: kRunKind, kCalibrationKind or kClassifierKind. Throws what loading it throws.
KeptThing kept_thing(const View& collection, std::string_view kind, const std::string& name);

// The thing must outlive it.
message::KeptThing message_of(const KeptThing& kept);

}  // namespace zeroshelf
