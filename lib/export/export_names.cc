// Tested by tests/export/export_names_test.cc and folder_export_test.cc.

#include "lib/export/export_names.h"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>

#include "lib/export/exported_files.h"
#include "lib/export/move_journal.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/unicode.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;  // of 255, so that " (12345)" and an ending still fit

std::string with_first_letter_escaped(const std::string& name) {
  return fmt::format("%{:02X}{}", name.front(), name.substr(1));
}

// What Windows takes for a device, with any ending.
bool is_device(const std::string& name) {
  std::string stem = folded(name.substr(0, name.find('.')));
  while (stem.ends_with(' ')) stem.pop_back();
  if (stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")))
    return stem[3] >= '1' && stem[3] <= '9';
  return stem == "con" || stem == "prn" || stem == "aux" || stem == "nul";
}

// Names of our own in DIR, which a folder must not have. (Some disks tell no case apart.)
bool is_ours(const std::string& name) {
  const std::string plain = folded(name);
  for (const std::string_view ours : {kManifestName, kMoveJournalName, "labels.json"}) {
    if (plain.starts_with(ours)) return true;
  }
  return is_share_name(plain);
}

}  // namespace

std::string safe_file_name(std::string_view name, const DiskNames& names) {
  std::string safe;
  const bool readable = is_utf8(name);
  for (size_t i = 0; i < name.size();) {
    size_t end = i + 1;  // of the character
    while (readable && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
      ++end;
    const std::string_view character = name.substr(i, end - i);
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool at_end = end == name.size();
    const bool refused =
        (!names.any_character && (std::string_view(":?\"*|<>").find(name[i]) != std::string::npos ||
                                  ((byte == '.' || byte == ' ') && at_end))) ||
        (!names.any_script && byte >= 0x80);
    const bool harmful = refused || byte == '/' || byte == '\\' || byte == '%' ||
                         (byte == '.' && i == 0) || (byte >= 0x80 && !readable) ||
                         ((byte < 0x20 || byte >= 0x7f) && legible(character) != character);
    for (const char c : character) {
      if (harmful) {
        fmt::format_to(std::back_inserter(safe), "%{:02X}", static_cast<unsigned char>(c));
      } else {
        safe += c;
      }
    }
    i = end;
  }
  if (!names.any_character && is_device(safe)) safe = with_first_letter_escaped(safe);
  if (safe.size() <= kMaxNameBytes) return safe.empty() ? "%" : safe;
  // Keep the beginning and the file's ending, whole characters only.
  const std::string ending = fs::path(safe).extension().string();
  const std::string kept = ending.size() <= 16 ? ending : "";
  const std::string mark = fmt::format("~{:016x}", checksum64(std::as_bytes(std::span(name))));
  size_t cut = kMaxNameBytes - kept.size() - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(safe[cut]) & 0xc0) == 0x80) --cut;
  return safe.substr(0, cut) + mark + kept;
}

std::string numbered_name(const std::string& name, unsigned number) {
  if (number == 1) return name;
  const fs::path path(name);
  return fmt::format("{} ({}){}", path.stem().string(), number, path.extension().string());
}

std::string ExportNames::folder_name(size_t depth, const std::string& name) {
  const auto [known, is_new] = folder_names_.try_emplace({depth, name});
  if (!is_new) return known->second;
  std::string safe = safe_file_name(name, disk_);
  if (is_ours(safe)) safe = with_first_letter_escaped(safe);
  std::string wanted = safe;
  const auto take = [&] {
    return taken_folders_.emplace(depth, disk_.tell_case ? wanted : folded(wanted)).second;
  };
  for (unsigned number = 2; !take(); ++number) wanted = fmt::format("{} ({})", safe, number);
  return known->second = wanted;
}

fs::path ExportNames::folder_of(const std::vector<std::string>& names) {
  fs::path folder;
  size_t depth = 0;
  for (const std::string& name : names) folder /= folder_name(depth++, name);
  return folder;
}

unsigned ExportNames::free_number(const fs::path& folder, const fs::path& source) {
  const std::string name = safe_file_name(source.filename().string(), disk_);
  unsigned& number = numbers_[(folder / name).string()];
  for (;;) {
    const fs::path target = folder / numbered_name(name, ++number);
    const std::string key =
        (differ_ == NamesDiffer::InStem ? folder / target.stem() : target).string();
    if (taken_.insert(disk_.tell_case ? key : folded(key)).second) return number;
  }
}

fs::path ExportNames::place_of(const fs::path& folder, const fs::path& source,
                               unsigned number) const {
  return folder / numbered_name(safe_file_name(source.filename().string(), disk_), number);
}

std::string base_of_names(const fs::path& source, const DiskNames& disk) {
  std::string base =
      fs::path(folded(safe_file_name(source.filename().string(), disk))).stem().string();
  // Without the numbers at its end: " (12)".
  for (;;) {
    size_t digits = 0;
    while (digits + 1 < base.size() && base[base.size() - 2 - digits] >= '0' &&
           base[base.size() - 2 - digits] <= '9')
      ++digits;
    const size_t number = digits + 3;
    if (!base.ends_with(')') || digits == 0 || base.size() < number ||
        base.substr(base.size() - number, 2) != " (") {
      return base;
    }
    base.resize(base.size() - number);
  }
}

}  // namespace zeroshelf
