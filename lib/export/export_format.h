#pragma once

// The formats of `export`, and what each of them can.

#include <span>
#include <string_view>

namespace zeroshelf {

enum class ExportFormat {
  Folders,      // a folder of pictures a label
  ImageFolder,  // the same in train and validation
  Jsonl,
  Csv,
  LabelStudio,
  Coco,
  FiftyOne,
  Html,  // one page with thumbnails
  Xmp,   // keywords beside the pictures, or in them
};

struct ExportFormatTraits {
  ExportFormat format;
  std::string_view name;         // as --format takes it
  bool makes_folder = false;     // else one file
  bool places_pictures = false;  // in that folder, by the mode
  // Several processes can place some of the pictures each.
  bool placed_together = false;
  bool splits = false;           // has a validation part
  bool takes_root = false;       // writes paths relative to a folder, or keywords below one
  bool writes_keywords = false;  // to files that are there; the folder has what the undo needs
  // Shows the best of each label itself, and says of how many, so nothing is cut before.
  bool cuts_labels = false;
};

// All, in the order of the help.
std::span<const ExportFormatTraits> export_formats();
const ExportFormatTraits& traits_of(ExportFormat format);

}  // namespace zeroshelf
