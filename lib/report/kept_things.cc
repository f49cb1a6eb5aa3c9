// Tested through the program by tests/programs.

#include "lib/report/kept_things.h"

#include <fmt/format.h>

#include "lib/labelling/current_run.h"

namespace zeroshelf {

KeptThing kept_thing(const View& collection, std::string_view kind, const std::string& name) {
  if (kind == kCalibrationKind) {
    const KeptCalibration it = load_calibration(collection, name);
    return {"calibration",
            name,
            it.created_utc,
            it.pictures,
            it.labels.size(),
            fmt::format("image scale {:.3g}, text scale {:.3g}, alpha {:.3g}",
                        it.settings.image_scale, it.settings.text_scale, it.settings.alpha)};
  }
  if (kind == kClassifierKind) {
    const Classifier it = load_classifier(collection, name);
    return {"classifier",     name,
            it.created_utc,   it.pictures,
            it.labels.size(), fmt::format("held out {:.1f} % right", 100 * it.held_out.value())};
  }
  const Run it = load_run(collection, name);
  const bool is_current = load_current(collection, name).has_value();
  return {"run",
          name,
          it.created_utc,
          it.entries.size(),
          it.labels.size(),
          it.fusion + (is_current ? ", kept current" : "")};
}

message::KeptThing message_of(const KeptThing& kept) {
  return {kept.type, kept.name, kept.created_utc, kept.pictures, kept.labels, kept.about};
}

}  // namespace zeroshelf
