#pragma once

// What doctor says to other programs (see messages.h for what holds for every line).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/report/json.h"

namespace zeroshelf::message {

// What was found on a machine.
struct Doctor {
  static constexpr std::string_view kType = "doctor";
  struct Model {
    std::string name;
    std::string path;
  };
  struct Missing {
    bool is_needed = false;  // by commands without flags
    std::string what;
    std::string cure;
  };
  std::string_view version;
  std::string_view commit;
  std::string_view compiler;
  std::string_view libraries;
  std::string system;
  std::string processor;
  uint64_t cores = 0;
  std::optional<uint64_t> memory_limit_bytes;
  std::string_view instruction_set;
  std::vector<std::string> scan_kernels;  // the fastest first
  std::string_view fp32_kernel;
  std::string_view bf16_kernel;
  bool bf16_in_hardware = false;
  std::string openblas_core;  // empty: not loaded
  std::string ocr_folder;
  std::vector<std::string> ocr_languages;
  std::vector<Model> models;
  std::vector<Missing> missing;
};
void write_members(JsonWriter& json, const Doctor::Model& model);
void write_members(JsonWriter& json, const Doctor::Missing& missing);
void write_members(JsonWriter& json, const Doctor& doctor);

}  // namespace zeroshelf::message
