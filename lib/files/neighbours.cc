// Tested by tests/files/find_files_test.cc.

#include "lib/files/neighbours.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

namespace zeroshelf {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kPictureEndings = {
    "avif"sv, "bmp"sv, "gif"sv, "heic"sv, "heif"sv, "jpe"sv,  "jpg"sv,  "jpeg"sv, "png"sv,
    "pbm"sv,  "pgm"sv, "pnm"sv, "ppm"sv,  "tif"sv,  "tiff"sv, "webp"sv, "arw"sv,  "cr2"sv,
    "cr3"sv,  "crw"sv, "dng"sv, "nef"sv,  "orf"sv,  "pef"sv,  "raf"sv,  "rw2"sv,  "srw"sv};
// Files of programs that keep their settings beside photographs, whatever else is there.
constexpr std::array kSidecarEndings = {"aae"sv, "cop"sv,  "cos"sv, "cot"sv, "dop"sv,
                                        "nks"sv, "nksc"sv, "on1"sv, "pp3"sv, "xmp"sv};
// From manifest.jsonl on of zeroshelf's own exports.
constexpr std::array kSidecarNames = {"desktop.ini"sv,  "ehthumbs.db"sv, "icon\r"sv,
                                      "picasa.ini"sv,   "thumbs.db"sv,   "manifest.jsonl"sv,
                                      "moves.journal"sv, "keywords.journal"sv,
                                      "keywords.originals"sv};
// Beside a picture of the same name.
constexpr std::array kTextEndings = {"caption"sv, "csv"sv, "htm"sv, "html"sv, "json"sv,
                                     "md"sv,      "txt"sv, "xml"sv, "yaml"sv, "yml"sv};
constexpr std::array kRecordingEndings = {
    "3g2"sv,  "3gp"sv, "aac"sv, "amr"sv,  "avi"sv, "flac"sv, "flv"sv, "insv"sv, "lrv"sv,
    "m2ts"sv, "m4a"sv, "m4v"sv, "mkv"sv,  "mov"sv, "mp3"sv,  "mp4"sv, "mpeg"sv, "mpg"sv,
    "mts"sv,  "ogg"sv, "ogv"sv, "opus"sv, "wav"sv, "webm"sv, "wmv"sv};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) {
    return static_cast<char>(c < 0x80 ? std::tolower(c) : c);
  });
  return result;
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.rfind('.'));
}

std::string ending_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : lower(name.substr(dot + 1));
}

template <class List>
bool contains(const List& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

bool is_picture_name(std::string_view name) {
  return contains(kPictureEndings, ending_of(name));
}

// "a.json" and "a.jpg.json" beside "a.jpg"; "a.jpg.supplemental-metadata.json" too.
bool names_a_picture(std::string_view name, const FolderNames& others) {
  const std::string_view stem = stem_of(name);
  for (std::string_view part = stem; !part.empty(); part = stem_of(part)) {
    if (is_picture_name(part) && others.contains(part)) return true;
    if (part.rfind('.') == std::string_view::npos) break;
  }
  const auto beside = [&](std::string_view ending) {
    return others.contains(std::string(stem) + "." + std::string(ending));
  };
  return std::ranges::any_of(kPictureEndings, [&](std::string_view ending) {
    std::string upper(ending);
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return beside(ending) || beside(upper);
  });
}

}  // namespace

bool is_sidecar(std::string_view name, const FolderNames& others) {
  const std::string ending = ending_of(name);
  return contains(kSidecarEndings, ending) || contains(kSidecarNames, lower(name)) ||
         (contains(kTextEndings, ending) && names_a_picture(name, others));
}

bool is_recording(std::string_view name) {
  return contains(kRecordingEndings, ending_of(name));
}

bool is_collection_folder(const FolderNames& names) {
  return names.contains("MANIFEST.json") && names.contains("CURRENT") && names.contains("LOCK") &&
         std::ranges::any_of(names,
                             [](std::string_view name) { return name.starts_with("records-"); });
}

bool is_export_folder(const std::string& prefix, const FolderNames& names) {
  if (names.contains("moves.journal")) return false;
  constexpr std::string_view kBeginning = R"({"type":"exported",)";
  for (const char* manifest : {"manifest.jsonl", "manifest.jsonl.unfinished"}) {
    if (!names.contains(manifest)) continue;
    std::string beginning(kBeginning.size(), '\0');
    std::ifstream file(prefix + manifest, std::ios::binary);
    file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    if (file && beginning == kBeginning) return true;
  }
  return false;
}

}  // namespace zeroshelf
