#pragma once

// What add and watch have in common: how a collection takes up what its folders hold.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/collection/shard.h"
#include "lib/encoder/encoder.h"
#include "lib/image/decode.h"
#include "lib/ingest/prepare.h"
#include "lib/ingest/sync.h"
#include "lib/ocr/text_reader.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

struct AddOptions {
  std::filesystem::path collection;
  std::vector<std::filesystem::path> roots;
  std::string list;  // a file of NUL-separated paths, or "-"; empty: none
  ModelOptions model;
  std::filesystem::path text_from;  // a collection whose words are taken; empty: none
  bool no_ocr = false;
  std::optional<std::string> ocr_languages;  // absent: what the collection was told
  int ocr_timeout_ms = TextReaderOptions{}.timeout_ms;
  bool mask_text = false;
  bool keep_missing = false;
  bool confirm_missing = false;
  bool reread = false;
  bool retry_skipped = false;
  bool follow_links = false;
  uint64_t max_bytes = DecodeLimits{}.max_bytes;
  uint64_t max_pixels = DecodeLimits{}.max_pixels;
  uint64_t batch = 32;
  uint64_t memory_bytes = 0;  // 0: by the machine
  bool profile = false;
  bool json = false;
  bool quiet = false;
  std::string shard;  // as parse_shard takes it; empty: what the collection was told
};

inline constexpr const char* kDefaultLanguages = "eng";

// --- flags ---------------------------------------------------------------------------------------

// COLLECTION and PATH.
void add_place_arguments(CLI::App* command, AddOptions& options);
// Which model encodes, and how text in pictures is read. Returns --no-ocr.
CLI::Option* add_reading_flags(CLI::App* command, AddOptions& options);
// Which files are read, and with how much memory.
void add_file_flags(CLI::App* command, AddOptions& options);

// --- what is indexed -----------------------------------------------------------------------------

// Nothing where there is none yet. Throws what Collection::open throws, and Incompatible where its
// model is not known.
std::optional<Collection> existing_collection(const std::filesystem::path& directory);

// What is to be indexed. A path of the list may be gone: then its picture is. The collection's own
// files are passed over in a list, as they are in a folder. Throws InvalidArgument, NotFound, Io.
std::vector<std::filesystem::path> roots_of(const AddOptions& options,
                                            const Collection* collection);

// Whether the collection has pictures of it, or below it.
bool has_pictures_of(const Collection& collection, const std::filesystem::path& root);
bool is_gone(const std::filesystem::path& root);

// --- with what -----------------------------------------------------------------------------------

// The words of another collection, by the content of its pictures.
class OtherTexts {
 public:
  // Throws what Collection::open throws, and InvalidArgument when no text was read in it.
  explicit OtherTexts(const std::filesystem::path& directory);

  const std::string& languages() const { return languages_; }

  // What was read in these languages; nothing for a picture that was read in others or is not
  // there. This must outlive the result.
  KnownTexts read_in(const std::string& languages) const;

 private:
  Collection collection_;
  std::string languages_;
};

// The manifest of a new collection of this model, made now, without OCR.
Manifest manifest_of(const ModelInfo& model);

// What --text-from names, if it was given.
std::optional<OtherTexts> other_texts(const AddOptions& options);

// The collection to write to, and its encoder: loaded at once where the model must be compared with
// the collection's, and otherwise only when there is something to encode. It holds the writer's
// lock as long as it lives.
class Target {
 public:
  // usual_languages: of a new collection whose languages nobody names. encoder: where it is kept;
  // it may be loaded already, and outlives this, as the options do. shard: of a new collection.
  Target(const AddOptions& options, std::optional<Collection> existing,
         const std::string& usual_languages, std::unique_ptr<Encoder>& encoder,
         const std::optional<Shard>& shard = {});

  // The collection remembers what is indexed, and until finish() that it has not come to its end. A
  // new one does from the beginning.
  void begin() const;
  void finish() const;

  CollectionWriter& collection() { return collection_; }
  const Manifest& manifest() const { return collection_.manifest(); }
  // In which the text of pictures is read; empty: it is not.
  const std::string& languages() const { return languages_; }

  // The encoder's, if one was needed.
  std::string precision() const { return encoder_ ? encoder_->info().precision : ""; }
  std::string kernel() const { return encoder_ ? encoder_->info().kernel : ""; }

  Encoder& encoder();

 private:
  CollectionWriter open();
  CollectionWriter open_existing();
  CollectionWriter create();

  const AddOptions& options_;
  std::optional<Collection> existing_;
  std::string usual_languages_;
  std::string languages_;
  std::unique_ptr<Encoder>& encoder_;
  std::optional<Shard> shard_;  // of a new collection
  CollectionWriter collection_;
};

SyncOptions sync_options(const AddOptions& options, const Target& target,
                         const std::optional<OtherTexts>& texts);

// --- what is told --------------------------------------------------------------------------------

// A JSON line, and lines on stderr.
std::string report_json(const SyncReport& report, const CollectionCounts& counts, double seconds,
                        const std::string& precision, const std::string& kernel);
void print_report(const SyncReport& report, const CollectionCounts& counts, double seconds);

// What part of the threads' time reading took; nothing where nothing was read.
std::optional<double> reading_share(const StageTimes::Seconds& seconds);

// Why its pictures are not believed to be gone, and what to do. confirmation: by what somebody says
// that they are.
std::string doubt(const DoubtfulPlace& doubtful, const std::string& confirmation);

}  // namespace zeroshelf
