#pragma once

// What somebody asked, as it is kept: so that the same question can be asked again without them, of
// pictures that came later (runs that are kept current) or of a collection elsewhere (lock files).
//
//   {"labels": [{"name", "prompts": [...]}], "rule", "calibration", "classifier", "none",
//    "none_has_own_prompts", "several", "levels", "depth", "threshold"}
//
// Prompts are the final ones, with the templates filled in, written as prompt.h has it: vetoes and
// pictures (by their paths) are among them. A calibration or classifier stands
// there by its name. Label vectors from a file are not kept.

#include <optional>
#include <string>
#include <string_view>

#include "lib/labelling/labelling.h"

namespace zeroshelf {

// One JSON object. Throws InvalidArgument for a label or prompt that is not UTF-8.
std::string request_json(const LabellingRequest& request);

// json may be hostile: throws Corruption unless it is what request_json() gives for some request,
// with at most a million labels and each name once.
LabellingRequest parse_request(std::string_view json, const std::string& subject);

// --- kept with a collection, by the name of the run that it led to -------------------------------

inline constexpr std::string_view kRequestKind = "requests";

// In the place of an earlier one. A request with label vectors from a file is not kept, and an
// earlier one goes.
void save_request(const View& collection, const std::string& run, const LabellingRequest& request);
// Absent for runs that were saved without (by an earlier version, with label vectors from a file).
// Throws Corruption.
std::optional<LabellingRequest> load_request(const View& collection, const std::string& run);

}  // namespace zeroshelf
