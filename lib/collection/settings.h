#pragma once

// What people told a collection, and what it therefore need not be told again: where the model is
// now, in which languages text is read, which folders it was made of. The manifest says what was
// true when the collection was made and never changes.
//
// Each setting is an attachment (attachments.h), so a reader can remember where the model is while
// another process adds pictures. A damaged or lost setting counts as never told.
//
// Threads: any.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"

namespace zeroshelf {

class Settings {
 public:
  // collection: its directory, which must exist.
  explicit Settings(std::filesystem::path collection);

  // The remember functions throw Io; the others throw nothing but what is said.
  std::optional<std::string> model_path() const;
  void remember_model_path(const std::string& path) const;

  // The model that encodes the texts of questions in place of the collection's own: its place and
  // fingerprint. Forgotten: the own one again.
  struct TextModel {
    std::string path;
    std::string fingerprint;
  };
  std::optional<TextModel> text_model() const;
  void remember_text_model(const TextModel& model) const;
  void forget_text_model() const;

  // Tesseract languages; empty: text is not read.
  std::optional<std::string> text_languages() const;
  void remember_text_languages(const std::string& languages) const;

  // What the last `add` was given, absolute; empty: nothing was remembered.
  std::vector<std::string> roots() const;
  // Everything that an `add` was ever given, ascending, up to some thousands.
  std::vector<std::string> all_roots() const;
  void remember_roots(const std::vector<std::string>& roots) const;

  // What was given to each `add` that has begun and not come to its end: absolute paths, and "" for
  // a list of paths. Empty: all came to their end.
  std::vector<std::string> unfinished() const;
  // Durable when they return. end_adding: what is gone meanwhile counts as done, too.
  void begin_adding(const std::vector<std::string>& roots) const;
  void end_adding(const std::vector<std::string>& roots) const;

  // Which part of all pictures it takes, as lib/collection/shard.h writes it; absent: all. Unlike
  // the others it throws Corruption where it is damaged: a part must not take what is others'.
  std::optional<std::string> shard() const;
  void remember_shard(const std::string& shard) const;

 private:
  std::optional<std::string> get(std::string_view name) const;
  std::vector<std::string> get_list(std::string_view name) const;
  // Writes only what is not there already.
  void put(std::string_view name, const std::string& value) const;

  Attachments attachments_;
};

}  // namespace zeroshelf
