#pragma once

// What runs, calibrations and classifiers have in common: names, model, time, version.

#include <string>
#include <string_view>

#include "lib/collection/view.h"
#include "lib/fusion/fusion.h"
#include "lib/util/error.h"

namespace zeroshelf {

// The attachment of that kind and name. Throws NotFound, naming those that there are or the command
// that makes one; InvalidArgument for what cannot be a name; Corruption.
std::string load_kept(const View& collection, std::string_view kind, const std::string& name,
                      const std::string& made_by);

// Throws Incompatible unless it is the collection's.
void check_fingerprint(const View& collection, const std::string& fingerprint,
                       const std::string& subject);

// Incompatible: kept by another version.
Error other_version(const std::string& subject);

// The settings as one JSON object, e.g. {"alpha":1.0,...}, and back. Throws Corruption unless every
// number is there and one that settings may have.
std::string settings_json(const FusionSettings& settings);
FusionSettings parse_settings(std::string_view json, const std::string& subject);

}  // namespace zeroshelf
