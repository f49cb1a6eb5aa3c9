#pragma once

// Inside models/clip: one JSON object of a configuration file, read by an allow list. Errors name
// the file and the key.

#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "lib/image/preprocess.h"
#include "lib/util/json_object.h"

namespace zeroshelf {

class ConfigSection {
 public:
  // The whole of a file. Throws NotFound, Io, or Corruption.
  explicit ConfigSection(const std::filesystem::path& path);
  // where: the keys that lead to the value, each followed by a point. cure: of every error.
  ConfigSection(nlohmann::json value, std::string subject, std::string where, std::string cure)
      : value_(std::move(value)),
        subject_(std::move(subject)),
        where_(std::move(where)),
        cure_(std::move(cure)),
        damage_cure_(cure_) {}

  const std::string& subject() const { return subject_; }
  // With the keys that lead to it.
  std::string path_of(const char* key) const { return where_ + key; }

  // Whether the key is there with a value other than null, which says nothing. This and everything
  // below counts the key as understood. A value of another type throws Corruption.
  bool has(const char* key) const;
  const nlohmann::json& value(const char* key) const;  // has(key)
  bool has_array(const char* key) const { return has(key) && value(key).is_array(); }
  ConfigSection section(const char* key) const;  // empty where it is absent
  int64_t integer(const char* key, int64_t otherwise) const { return member(key, otherwise); }
  double number(const char* key, double otherwise) const { return member(key, otherwise); }
  bool boolean(const char* key, bool otherwise) const { return member(key, otherwise); }
  std::string text(const char* key, const std::string& otherwise) const {
    return member(key, otherwise);
  }
  // A square's side: 224 or [224, 224].
  int64_t side(const char* key, int64_t otherwise) const;
  void read_triple(const char* key, std::array<float, 3>& out) const;

  // Keys that change no embedding.
  void ignore(std::initializer_list<const char*> keys) const;
  // Throws Incompatible when the key is there with another value than this.
  void expect(const char* key, const nlohmann::json& only) const;
  // Throws Incompatible, naming it, when a key was not asked for.
  void expect_no_more() const;

  [[noreturn]] void refuse(const std::string& cause) const;
  // That this key's value is not supported.
  [[noreturn]] void refuse_value(const char* key) const;

 private:
  template <class T>
  T member(const char* key, const T& otherwise) const {
    if (!has(key)) return otherwise;
    std::optional<T> value = json_as<T>(value_[key]);
    if (!value) fail(key);
    return *std::move(value);
  }
  [[noreturn]] void fail(const char* key) const;

  nlohmann::json value_;
  std::string subject_;
  std::string where_;
  std::string cure_ = "take another checkpoint: docs/models.md says which are read";
  std::string damage_cure_ = "fetch the file again";
  mutable std::set<std::string> asked_;
};

// Either default is CLIP's. Throw Incompatible for another value.
Filter read_filter(const ConfigSection& section,
                   const char* key);  // "bicubic" (default), "bilinear"
Resize read_resize(const ConfigSection& section,
                   const char* key);  // "shortest" (default), "squash"

}  // namespace zeroshelf
