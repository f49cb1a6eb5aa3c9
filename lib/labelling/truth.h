#pragma once

// Pictures whose label is known, from a CSV file.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// path -> label. Paths are absolute and lexically normal.
using Truth = std::map<std::string, std::string>;

struct TruthFile {
  Truth truth;
  uint64_t unlabelled = 0;  // pictures that stand there without a label: it is not known
};

// A CSV file, a pipe or "-" (standard input) as CsvTable reads it, whose first line names its
// columns, among them path and label. Relative paths are relative to the file's folder. A column
// path_base64, as export writes it, has the bytes of paths that are no UTF-8. Throws NotFound, or
// InvalidArgument naming the line.
TruthFile read_truth_file(const std::filesystem::path& csv);
// The same of a text; name is for errors.
TruthFile parse_truth(std::string text, const std::string& name,
                      const std::filesystem::path& folder);
Truth read_truth(const std::filesystem::path& csv);

// What the folders say: each picture of the collection has the name of the folder that it is in.
struct FolderTruth {
  Truth truth;
  std::map<std::string, uint64_t> others;  // pictures in folders that are no label, by folder
};

// With labels only theirs; a folder's name is a label's without regard to case, and to "_" and "-"
// for blanks. Without labels every folder is one.
FolderTruth truth_from_folders(const View& collection, const std::vector<Label>& labels);

// A name as it is compared with a label's: "Golden_retriever" and "golden retriever" are one.
std::string compared_name(std::string_view name);

// Every label that the truth names, in byte order.
std::vector<std::string> labels_of(const Truth& truth);

// Which row has which label by the truth.
struct KnownPicture {
  Row row = 0;
  uint32_t label = 0;  // its place among the labels
};

struct KnownPictures {
  std::vector<KnownPicture> pictures;  // by path; at least one
  uint64_t not_in_collection = 0;      // pictures of the truth that the collection does not have
  uint64_t without_truth = 0;          // pictures of the collection that the truth does not name
};

// Paths whose letters are the same are the same, however their accents are encoded. Throws
// InvalidArgument when the truth names labels that are not among the labels, with all of them, or
// when no picture of the collection has a truth.
KnownPictures known_pictures(const View& collection, const std::vector<Label>& labels,
                             const Truth& truth);

}  // namespace zeroshelf
