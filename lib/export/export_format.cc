// Tested by tests/export/export_format_test.cc.

#include "lib/export/export_format.h"

#include <array>
#include <cstddef>

namespace zeroshelf {
namespace {

constexpr std::array<ExportFormatTraits, 9> kFormats = {{
    {.format = ExportFormat::Folders,
     .name = "folders",
     .makes_folder = true,
     .places_pictures = true,
     .placed_together = true},
    {.format = ExportFormat::ImageFolder,
     .name = "imagefolder",
     .makes_folder = true,
     .places_pictures = true,
     .placed_together = true,
     .splits = true},
    {.format = ExportFormat::Jsonl, .name = "jsonl"},
    {.format = ExportFormat::Csv, .name = "csv"},
    {.format = ExportFormat::LabelStudio,
     .name = "labelstudio",
     .makes_folder = true,
     .takes_root = true},
    {.format = ExportFormat::Coco, .name = "coco", .takes_root = true},
    {.format = ExportFormat::FiftyOne,
     .name = "fiftyone",
     .makes_folder = true,
     .places_pictures = true},
    {.format = ExportFormat::Html, .name = "html", .cuts_labels = true},
    {.format = ExportFormat::Xmp,
     .name = "xmp",
     .makes_folder = true,
     .takes_root = true,
     .writes_keywords = true},
}};

}  // namespace

std::span<const ExportFormatTraits> export_formats() {
  return kFormats;
}

const ExportFormatTraits& traits_of(ExportFormat format) {
  return kFormats[static_cast<size_t>(format)];
}

}  // namespace zeroshelf
