#pragma once

// What each subcommand of zeroshelf-index does. Each returns an exit code (lib/program/program.h)
// and throws Error.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/image/decode.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

struct AddOptions {
  std::filesystem::path collection;
  std::vector<std::filesystem::path> roots;
  std::string list;  // a file of NUL-separated paths, or "-"; empty: none
  ModelOptions model;
  bool no_ocr = false;
  std::string ocr_languages = "eng";
  bool keep_missing = false;
  bool retry_skipped = false;
  uint64_t max_bytes = DecodeLimits{}.max_bytes;
  uint64_t max_pixels = DecodeLimits{}.max_pixels;
  uint64_t batch = 32;
  bool json = false;
};

struct CollectionOptions {
  std::filesystem::path collection;
  bool json = false;
};

struct OcrOptions {
  std::vector<std::filesystem::path> images;
  std::string languages = "eng";
};

int run_add(const AddOptions& options);
int run_stats(const CollectionOptions& options);
int run_skips(const CollectionOptions& options);
int run_verify(const CollectionOptions& options);
int run_repair(const CollectionOptions& options);
int run_compact(const CollectionOptions& options);
int run_ocr(const OcrOptions& options);

}  // namespace zeroshelf
