// Tested by tests/collection.

#include "lib/collection/layout.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/json_object.h"
#include "lib/util/temporary_name.h"
#include "lib/util/text.h"

namespace zeroshelf::layout {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kMaxJsonBytes = 1 << 20;
constexpr uint32_t kMaxDimension = 65'536;
constexpr std::string_view kHolderText = "process ";

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

bool is_part(std::string_view name) {
  if (const std::string_view behind = name_behind_temporary(name); !behind.empty()) name = behind;
  return name == kLockFile || name == kAttachmentsFolder || name == kCurrentFile ||
         name == kManifestFile || epoch_of_name(name) || parse_snapshot_name(name);
}

// Digits without a sign or leading zeros.
std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return std::to_string(number) == text ? std::optional(number) : std::nullopt;
}

// Again for a while where it is held: whoever looks whether it is holds it for a moment. errno
// tells.
bool try_lock(int file) {
  constexpr int kAttempts = 10;
  constexpr std::chrono::milliseconds kPause{10};
  for (int attempt = 1; ::flock(file, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EINTR && (errno != EWOULDBLOCK || attempt == kAttempts)) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
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
  const bool has_sigmoid = manifest.scoring == Scoring::Sigmoid;
  json value = {{"zeroshelf_collection", has_sigmoid ? 2 : 1},
                {"model_name", to_utf8(manifest.model_name)},
                {"model_path", to_utf8(manifest.model_path)},
                {"model_fingerprint", manifest.model_fingerprint},
                {"dimension", manifest.dimension},
                {"logit_scale", manifest.logit_scale},
                {"ocr_languages", manifest.ocr_languages},
                {"created", manifest.created_utc}};
  if (manifest.mask_text) value["mask_text"] = true;
  if (has_sigmoid) {
    value["scoring"] = "sigmoid";
    value["logit_bias"] = manifest.logit_bias;
  }
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
  if (manifest.format_version >= 2) {
    if (json_member<std::string>(value, "scoring", subject) != "sigmoid")
      throw Error(ErrorCode::Corruption, subject, "damaged: a scoring that is not known");
    manifest.scoring = Scoring::Sigmoid;
    manifest.logit_bias = json_member<float>(value, "logit_bias", subject);
  }
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

std::optional<std::string> read_records_mark(const fs::path& collection, uint64_t epoch) {
  const fs::path records = records_directory(collection, epoch);
  std::error_code error;
  if (fs::symlink_status(records, error).type() != fs::file_type::directory) return std::nullopt;
  try {
    const std::string subject = (records / kRecordsMarkFile).string();
    const json mark = unsealed_json(read_file(subject, kMaxJsonBytes), subject);
    if (json_member<uint64_t>(mark, "epoch", subject) != epoch) return std::nullopt;
    return json_member<std::string>(mark, "collection", subject);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_records_mark(const fs::path& collection, uint64_t epoch, const std::string& owner) {
  write_file_atomically(records_directory(collection, epoch) / kRecordsMarkFile,
                        sealed_json({{"epoch", epoch}, {"collection", owner}}));
}

std::string records_owner(const Manifest& manifest) {
  return checksum_of(fmt::format("{}\n{}\n{}", manifest.created_utc, manifest.model_fingerprint,
                                 manifest.dimension));
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
  const bool is_empty = fs::is_empty(directory, error);
  if (error) throw system_error(directory.string(), "list the folder", error.value());
  if (is_empty) return Kind::Empty;
  // The manifest is written last and the lock first: what has nothing but such parts is a creation
  // cut short, or a collection that lost its manifest.
  const auto has = [&](const char* name) { return fs::exists(directory / name, error); };
  if (!has(kLockFile)) return Kind::Foreign;
  const std::vector<std::string> names = names_in(directory);
  const bool has_records = std::ranges::any_of(
      names, [](const std::string& name) { return epoch_of_name(name).has_value(); });
  if (has(kCurrentFile)) return has_records ? Kind::Collection : Kind::Foreign;
  return std::ranges::all_of(names, is_part) ? Kind::Unfinished : Kind::Foreign;
}

namespace {

bool has_collections(const fs::path& directory) {
  return std::ranges::any_of(names_in(directory), [&](const std::string& name) {
    std::error_code error;
    const fs::path folder = directory / name;
    return fs::exists(folder / kManifestFile, error) && fs::exists(folder / kCurrentFile, error);
  });
}

}  // namespace

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
      if (has_collections(directory)) {
        throw Error(ErrorCode::InvalidArgument, directory.string(), "a folder of collections",
                    "name one of them");
      }
      throw Error(ErrorCode::InvalidArgument, directory.string(), "a folder that is no collection",
                  make);
  }
}

std::optional<uint64_t> epoch_of_name(std::string_view name) {
  if (!name.starts_with(kRecordsPrefix)) return std::nullopt;
  return parse_number(name.substr(kRecordsPrefix.size()));
}

std::vector<uint64_t> epochs_on_disk(const fs::path& collection) {
  std::vector<uint64_t> epochs;
  for (const std::string& name : names_in(collection)) {
    if (const auto epoch = epoch_of_name(name)) epochs.push_back(*epoch);
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view name) {
  for (const std::string kind : kSnapshotKinds) {
    if (!name.starts_with(kind + "-")) continue;
    const std::string_view numbers = name.substr(kind.size() + 1);
    const size_t middle = numbers.find('-');
    const size_t end = std::min(numbers.find('.'), numbers.size());
    if (middle >= end) continue;
    const auto epoch = parse_number(numbers.substr(0, middle));
    const auto generation = parse_number(numbers.substr(middle + 1, end - middle - 1));
    if (epoch && generation && snapshot_file("", kind.c_str(), *epoch, *generation) == name)
      return SnapshotName{kind, *epoch, *generation};
  }
  return std::nullopt;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) throw system_error(directory.string(), "list the folder", error.value());
  std::sort(names.begin(), names.end());
  return names;
}

WriterLock::WriterLock(const fs::path& collection) {
  const fs::path path = collection / kLockFile;
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  file_ = ::open(path.c_str(), flags, 0666);
  if (file_ < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
    throw system_error(path.string(), "open", errno);
  struct stat status {};
  char holder[128] = {};
  const bool is_file = file_ >= 0 && ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t got = is_file ? ::pread(file_, holder, sizeof holder - 1, 0) : -1;
  // A disk that lost power may have left zeros.
  const bool is_ours =
      got <= 0 || holder[0] == '\0' || std::string_view(holder).starts_with(kHolderText);
  if (!is_file || !is_ours) {
    if (file_ >= 0) ::close(file_);
    throw Error(ErrorCode::InvalidArgument, path.string(), "not the collection's lock",
                "move it away");
  }
  if (!try_lock(file_)) {
    const int error = errno;
    ::close(file_);
    if (error != EWOULDBLOCK) {
      throw Error(ErrorCode::Io, path.string(), "cannot lock it: " + errno_text(error),
                  "keep collections on a file system that has locks");
    }
    throw Error(
        ErrorCode::Unavailable, collection.string(),
        fmt::format("another writer holds the collection ({})", got > 0 ? holder : "unknown"),
        "wait until it has finished, or stop it");
  }
  char host[64] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string text = fmt::format("{}{} on {}", kHolderText, ::getpid(), host);
  // Only a help for people: the lock is the lock.
  if (::ftruncate(file_, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(file_, text.data(), text.size(), 0);
}

WriterLock::~WriterLock() {
  ::close(file_);
}

bool is_being_written(const fs::path& collection) {
  const fs::path path = collection / kLockFile;
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_held = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return is_held;
}

}  // namespace zeroshelf::layout
