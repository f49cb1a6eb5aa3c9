// Tested by tests/fuzz/fuzz_test.cc.

#include "tests/fuzz/targets.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/file_targets.h"

namespace zeroshelf::testing {
namespace {

struct Entry {
  const char* name;
  Target (*make)();
};

// A small format with a length that is trusted: what the fuzzer must find in a moment.
Target planted(std::function<void(size_t)> read_trusted) {
  const auto read = [read_trusted](const std::string& bytes) -> std::string {
    if (!bytes.starts_with("PLANT")) return "of another kind";
    uint32_t size = 0;
    if (bytes.size() < 5 + sizeof size) return "too short";
    std::memcpy(&size, bytes.data() + 5, sizeof size);
    if (size > bytes.size()) read_trusted(size);
    return "accepted";
  };
  return {"planted", {std::string("PLANT\x04\0\0\0abcd", 13)}, {}, nullptr, read};
}

Target planted_crash() {
  return planted([](size_t) { std::abort(); });
}
Target planted_hang() {
  return planted([](size_t) {
    const volatile bool on = true;
    while (on) {
    }
  });
}
Target planted_memory() {
  return planted([](size_t) {
    const std::string waste(size_t{512} << 20, 'x');
    if (waste[waste.size() / 2] != 'x') std::abort();
  });
}

constexpr Entry kTargets[] = {
    {"picture", picture_target}, {"heif", heif_target},
    {"record", record_target},   {"manifest", manifest_target},
    {"current", current_target}, {"snapshot", snapshot_target},
    {"vectors", vectors_target}, {"safetensors", safetensors_target},
    {"config", config_target},   {"tokenizer", tokenizer_target},
    {"labels", labels_target},   {"query", query_target},
    {"lexicon", lexicon_target}, {"kept", kept_target},
    {"truth", truth_target},     {"npy", npy_target},
    {"import", import_target},   {"journal", journal_target},
    {"ivf", ivf_target},         {"torch_archive", torch_archive_target},
    {"pieces", pieces_target},
    {"serve_json", serve_json_target}, {"serve_head", serve_head_target},
};
constexpr Entry kPlanted[] = {{"planted-crash", planted_crash},
                              {"planted-hang", planted_hang},
                              {"planted-memory", planted_memory}};

}  // namespace

const std::vector<std::string>& target_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Entry& entry : kTargets) result.emplace_back(entry.name);
    return result;
  }();
  return names;
}

Target make_target(std::string_view name) {
  const auto find = [&](const auto& entries) -> const Entry* {
    for (const Entry& entry : entries) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  };
  const Entry* entry = find(kTargets);
  if (entry == nullptr) entry = find(kPlanted);
  if (entry == nullptr) {
    throw Error(ErrorCode::InvalidArgument, std::string(name), "no such target",
                "zeroshelf-fuzz --list names them");
  }
  Target target = entry->make();
  target.name = entry->name;
  return target;
}

}  // namespace zeroshelf::testing
