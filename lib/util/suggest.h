#pragma once

// "Did you mean ...?": which of the known names a mistyped one was meant to be.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zeroshelf {

// The known name that is nearest to the one that was written, without regard to ASCII case, if it
// is near enough to have been meant: one edit for each three characters, rounded up, and never the
// whole name. The first of equally near ones. Long texts (above 200 bytes) are never near.
std::optional<std::string> nearest_name(std::string_view written,
                                        std::span<const std::string> known);

// "; did you mean 'cat'?", or nothing: to be added to the cause of an error. The name is shown as
// it is; Error makes it printable.
std::string did_you_mean(std::string_view written, std::span<const std::string> known);

}  // namespace zeroshelf
