// Tested by tests/collection.

#include "lib/collection/layout.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf::layout {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kMaxJsonBytes = 1 << 20;
constexpr uint32_t kMaxDimension = 65'536;
constexpr std::string_view kRecordsPrefix = "records-";

std::string checksum_of(const std::string& text) {
  Checksum128 checksum;
  checksum.update(text);
  return checksum.hex();
}

// JSON with a checksum over all its other members.
std::string sealed_json(json value) {
  value["checksum"] = checksum_of(value.dump());
  return value.dump(2) + "\n";
}

json unsealed_json(const std::string& text, const std::string& subject) {
  std::optional<json> value = parse_bounded_json(text);
  if (value && value->is_object() && value->contains("checksum")) {
    const std::optional<std::string> checksum = json_as<std::string>((*value)["checksum"]);
    value->erase("checksum");
    if (checksum_of(value->dump()) == checksum) return *std::move(value);
  }
  throw Error(ErrorCode::Corruption, subject, "damaged: it fails its checksum",
              "run zeroshelf-index repair");
}

json seal_json(const FileSeal& seal) {
  return {{"bytes", seal.bytes}, {"checksum", seal.checksum}};
}

FileSeal seal_from(const json& value, const char* name, const std::string& subject) {
  const json seal = value.is_object() ? value.value(name, json()) : json();
  return {json_member<uint64_t>(seal, "bytes", subject),
          json_member<std::string>(seal, "checksum", subject)};
}

bool is_part(const std::string& name) {
  return name == kLockFile || name == kAttachmentsFolder || name.starts_with(kCurrentFile) ||
         name.starts_with(kManifestFile) || name.starts_with(kRecordsPrefix);
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) throw system_error(directory.string(), "list the folder", error.value());
  return names;
}

}  // namespace

fs::path records_directory(const fs::path& collection, uint64_t epoch) {
  return collection / fmt::format("{}{}", kRecordsPrefix, epoch);
}

fs::path snapshot_file(const fs::path& collection, const char* kind, uint64_t epoch,
                       uint64_t generation) {
  return collection /
         fmt::format(
             "{}-{}-{}{}", kind, epoch, generation,
             kind == std::string_view("image") || kind == std::string_view("text") ? ".faiss" : "");
}

std::string encode_manifest(const Manifest& manifest) {
  json value = {{"zeroshelf_collection", manifest.format_version},
                {"model_name", to_utf8(manifest.model_name)},
                {"model_path", to_utf8(manifest.model_path)},
                {"model_fingerprint", manifest.model_fingerprint},
                {"dimension", manifest.dimension},
                {"logit_scale", manifest.logit_scale},
                {"ocr_languages", manifest.ocr_languages},
                {"created", manifest.created_utc}};
  if (manifest.mask_text) value["mask_text"] = true;
  return sealed_json(std::move(value));
}

Manifest decode_manifest(const std::string& text, const std::string& subject) {
  // The version first: a newer format may be sealed in another way.
  const std::optional<json> raw = parse_bounded_json(text);
  if (raw && raw->is_object() && raw->contains("zeroshelf_collection")) {
    const auto version = json_as<uint64_t>((*raw)["zeroshelf_collection"]);
    if (version && *version > Manifest::kFormatVersion) {
      throw Error(ErrorCode::Incompatible, subject,
                  fmt::format("collection format {}; this program reads {}", *version,
                              Manifest::kFormatVersion),
                  "use a newer zeroshelf");
    }
  }
  const json value = unsealed_json(text, subject);
  Manifest manifest;
  manifest.format_version = json_member<uint32_t>(value, "zeroshelf_collection", subject);
  manifest.model_name = json_member<std::string>(value, "model_name", subject);
  manifest.model_path = json_member<std::string>(value, "model_path", subject);
  manifest.model_fingerprint = json_member<std::string>(value, "model_fingerprint", subject);
  manifest.dimension = json_member<uint32_t>(value, "dimension", subject);
  manifest.logit_scale = json_member<float>(value, "logit_scale", subject);
  manifest.ocr_languages = json_member<std::string>(value, "ocr_languages", subject);
  manifest.created_utc = json_member<std::string>(value, "created", subject);
  if (value.contains("mask_text"))
    manifest.mask_text = json_member<bool>(value, "mask_text", subject);
  if (manifest.dimension == 0 || manifest.dimension > kMaxDimension) {
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: a dimension of {}", manifest.dimension));
  }
  return manifest;
}

Manifest read_manifest(const fs::path& collection) {
  const fs::path path = collection / kManifestFile;
  return decode_manifest(read_file(path, kMaxJsonBytes), path.string());
}

void write_manifest(const fs::path& collection, const Manifest& manifest) {
  write_file_atomically(collection / kManifestFile, encode_manifest(manifest));
}

Current read_current(const fs::path& collection) {
  const fs::path path = collection / kCurrentFile;
  const std::string subject = path.string();
  const json value = unsealed_json(read_file(path, kMaxJsonBytes), subject);
  Current current;
  current.epoch = json_member<uint64_t>(value, "epoch", subject);
  current.commits = json_member<uint64_t>(value, "commits", subject);
  if (value.contains("snapshot")) {
    const json& snapshot = value["snapshot"];
    current.snapshot_generation = json_member<uint64_t>(snapshot, "generation", subject);
    current.image = seal_from(snapshot, "image", subject);
    current.text = seal_from(snapshot, "text", subject);
    current.rows = seal_from(snapshot, "rows", subject);
    if (snapshot.contains("ivf"))
      current.ivf_generation = json_member<uint64_t>(snapshot, "ivf", subject);
  }
  return current;
}

void write_current(const fs::path& collection, const Current& current) {
  json value = {{"epoch", current.epoch}, {"commits", current.commits}};
  if (current.snapshot_generation) {
    value["snapshot"] = {{"generation", *current.snapshot_generation},
                         {"image", seal_json(current.image)},
                         {"text", seal_json(current.text)},
                         {"rows", seal_json(current.rows)}};
    if (current.ivf_generation) value["snapshot"]["ivf"] = *current.ivf_generation;
  }
  write_file_atomically(collection / kCurrentFile, sealed_json(value));
}

FileSeal seal_file(const fs::path& path) {
  const MappedFile file(path);
  Checksum128 checksum;
  checksum.update(file.bytes());
  return {file.bytes().size(), checksum.hex()};
}

Kind kind_of(const fs::path& directory) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (!fs::exists(status)) return Kind::Absent;
  if (!fs::is_directory(status)) return Kind::File;
  if (fs::exists(directory / kManifestFile, error)) return Kind::Collection;
  const std::vector<std::string> names = names_in(directory);
  if (names.empty()) return Kind::Empty;
  // The manifest is written last: what has the other parts is a creation cut short, or a collection
  // that lost its manifest.
  if (!std::all_of(names.begin(), names.end(), is_part)) {
    return fs::exists(directory / kCurrentFile, error) && fs::exists(directory / kLockFile, error)
               ? Kind::Collection
               : Kind::Foreign;
  }
  return fs::exists(directory / kCurrentFile, error) ? Kind::Collection : Kind::Unfinished;
}

void expect_collection(const fs::path& directory) {
  const std::string make =
      "make a collection with: zeroshelf-index add COLLECTION PATH... --model MODEL";
  switch (kind_of(directory)) {
    case Kind::Collection:
      return;
    case Kind::Absent:
      throw Error(ErrorCode::NotFound, directory.string(), "no such collection", make);
    case Kind::File:
      throw Error(ErrorCode::InvalidArgument, directory.string(),
                  "a file, not a collection's folder", make);
    case Kind::Empty:
    case Kind::Unfinished:
      throw Error(ErrorCode::InvalidArgument, directory.string(),
                  "an empty folder, not a collection yet", make);
    case Kind::Foreign:
      throw Error(ErrorCode::InvalidArgument, directory.string(), "a folder that is no collection",
                  make);
  }
}

std::vector<uint64_t> epochs_on_disk(const fs::path& collection) {
  std::vector<uint64_t> epochs;
  for (const std::string& name : names_in(collection)) {
    if (!name.starts_with(kRecordsPrefix)) continue;
    const char* begin = name.data() + kRecordsPrefix.size();
    const char* end = name.data() + name.size();
    uint64_t epoch = 0;
    if (const auto [rest, code] = std::from_chars(begin, end, epoch);
        code == std::errc() && rest == end) {
      epochs.push_back(epoch);
    }
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

std::vector<fs::path> leftovers(const fs::path& collection, const Current& current) {
  std::set<fs::path> known = {collection / kManifestFile, collection / kCurrentFile,
                              collection / kLockFile, collection / kAttachmentsFolder,
                              records_directory(collection, current.epoch)};
  if (current.snapshot_generation) {
    for (const char* kind : {"image", "text", "rows", "lexicon"}) {
      known.insert(snapshot_file(collection, kind, current.epoch, *current.snapshot_generation));
    }
    for (const char* kind : {"ivf-image", "ivf-text"}) {
      if (current.ivf_generation)
        known.insert(snapshot_file(collection, kind, current.epoch, *current.ivf_generation));
    }
  }
  std::vector<fs::path> found;
  for (const std::string& name : names_in(collection)) {
    if (!known.contains(collection / name)) found.push_back(collection / name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

WriterLock::WriterLock(const fs::path& collection) {
  const fs::path path = collection / kLockFile;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw system_error(path.string(), "open", errno);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    char holder[128] = {};
    const ssize_t got = ::pread(file_, holder, sizeof holder - 1, 0);
    ::close(file_);
    throw Error(
        ErrorCode::Unavailable, collection.string(),
        fmt::format("another writer holds the collection ({})", got > 0 ? holder : "unknown"),
        "wait until it has finished, or stop it");
  }
  char host[64] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string holder = fmt::format("process {} on {}", ::getpid(), host);
  // Only a help for people: the lock is the lock.
  if (::ftruncate(file_, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(file_, holder.data(), holder.size(), 0);
}

WriterLock::~WriterLock() {
  ::close(file_);
}

}  // namespace zeroshelf::layout
