// The RocksDB store. Tested by tests/collection.

#include "lib/store/store.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <set>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/no_unwinding.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr size_t kSealBytes = 8;

// RocksDB would otherwise keep a log file of its own, in read-only mode too.
class SilentLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

[[noreturn]] void fail(const std::string& subject, const rocksdb::Status& status) {
  const std::string cause = status.ToString();
  if (status.IsCorruption()) {
    throw Error(ErrorCode::Corruption, subject, "damaged: " + cause, "run zeroshelf-index repair");
  }
  if (status.IsNotFound()) throw Error(ErrorCode::NotFound, subject, cause);
  if (status.IsNoSpace())
    throw Error(ErrorCode::Io, subject, "the disk is full", "make room and run it again");
  if (cause.ends_with("Too many open files")) throw system_error(subject, "open its files", EMFILE);
  throw Error(ErrorCode::Io, subject, cause);
}

void check(const std::string& subject, const rocksdb::Status& status) {
  if (!status.ok()) fail(subject, status);
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& text) {
  return {text.data(), text.size()};
}

uint64_t seal_of(std::string_view key, std::string_view value) {
  const uint64_t parts[2] = {checksum64(std::as_bytes(std::span(key))),
                             checksum64(std::as_bytes(std::span(value)))};
  return checksum64(std::as_bytes(std::span(parts)));
}

// The value without its seal, or nothing when they do not match.
std::optional<std::string_view> unsealed(std::string_view key, std::string_view sealed) {
  if (sealed.size() < kSealBytes) return std::nullopt;
  const std::string_view value = sealed.substr(0, sealed.size() - kSealBytes);
  uint64_t seal = 0;
  std::memcpy(&seal, sealed.data() + value.size(), kSealBytes);
  if (seal != seal_of(key, value)) return std::nullopt;
  return value;
}

// RocksDB does not survive bad_alloc.
template <typename Call>
auto in_rocksdb(const Call& call) {
  const NoUnwinding guard;
  return call();
}

// The entries from a key on.
class Entries {
 public:
  Entries(rocksdb::DB& db, std::string_view from, size_t readahead_bytes) {
    in_rocksdb([&] {
      rocksdb::ReadOptions options;
      options.readahead_size = readahead_bytes;
      iterator_.reset(db.NewIterator(options));
      iterator_->Seek(slice(from));
    });
  }
  bool valid() const { return iterator_->Valid(); }
  void next() {
    in_rocksdb([&] { iterator_->Next(); });
  }
  std::string_view key() const { return view(iterator_->key()); }
  std::string_view value() const { return view(iterator_->value()); }
  rocksdb::Status status() const { return iterator_->status(); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

// RocksDB's threads, where one cannot be started: RocksDB would throw with its locks held.
class Threads : public rocksdb::EnvWrapper {
 public:
  Threads() : EnvWrapper(rocksdb::Env::Default()) {}
  const char* Name() const override { return "zeroshelf"; }
  // Who only reads needs none, and who writes has asked for them before: see require_threads.
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
};

[[noreturn]] void fail_without_thread(const std::string& subject) {
  throw Error(ErrorCode::Unavailable, subject, "the system lets no further thread start",
              "raise the limit of processes (ulimit -u, a container's pids limit) or of memory "
              "(ulimit -v)");
}

// Starts the threads that a writer needs. (One flushes, one compacts, and one that every opening
// starts by itself looks at the clock.)
void require_threads(const std::string& subject) {
  constexpr size_t kOfAnOpening = 1;
  try {
    for (const auto priority : {rocksdb::Env::Priority::HIGH, rocksdb::Env::Priority::LOW})
      rocksdb::Env::Default()->IncBackgroundThreadsIfNeeded(1, priority);
    const std::vector<std::function<void()>> bodies(kOfAnOpening, [] {});
    std::vector<std::thread> threads = start_threads(bodies);
    for (std::thread& thread : threads) thread.join();
    if (threads.size() == kOfAnOpening) return;
  } catch (const std::system_error&) {
  }
  fail_without_thread(subject);
}

rocksdb::Options options_for(Store::Access access) {
  static auto* const threads = new Threads;  // for good: a database that was given up may use it
  rocksdb::Options options;
  options.env = threads;
  options.max_file_opening_threads = 1;
  options.create_if_missing = access == Store::Access::Create;
  options.error_if_exists = access == Store::Access::Create;
  options.paranoid_checks = true;
  options.info_log = std::make_shared<SilentLogger>();
  options.compression = rocksdb::kNoCompression;  // fp16 vectors do not shrink
  // A record cut short at the end of the log is a commit that never returned. Damage anywhere
  // before that is an error, never a silent loss.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_open_files = -1;  // all held open: a reader keeps files that the writer deletes
  options.max_background_jobs = 2;
  options.keep_log_file_num = 1;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 16 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// What changes when RocksDB moves commits from its log into tables: the files, and the length of
// its own manifest.
std::string arrangement(const std::filesystem::path& directory) {
  std::set<std::string> names;
  std::error_code gone;  // compaction removes an old epoch's folder; opening it will tell
  for (auto entry = std::filesystem::directory_iterator(directory, gone);
       !gone && entry != std::filesystem::directory_iterator(); entry.increment(gone)) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with("MANIFEST")) name += " " + std::to_string(entry->file_size(ignored));
    names.insert(std::move(name));
  }
  std::string all;
  for (const std::string& name : names) all += name + "\n";
  return all;
}

// A reader takes RocksDB's manifest and then its logs. Commits that a writer moved from a log to a
// table in between would be in neither, so the opening counts only when nothing was moved.
rocksdb::Status open_beside_writer(const rocksdb::Options& options,
                                   const std::filesystem::path& directory, rocksdb::DB** db) {
  constexpr int kAttempts = 100;
  constexpr std::chrono::milliseconds kPause{10};
  for (int attempt = 1;; ++attempt) {
    const std::string before = arrangement(directory);
    const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, directory.string(), db);
    if (arrangement(directory) == before) return status;
    if (attempt == kAttempts) return rocksdb::Status::Busy("a writer keeps rearranging it");
    if (status.ok()) delete std::exchange(*db, nullptr);
    std::this_thread::sleep_for(kPause);
  }
}

// RocksDB tells of a file that is missing as it tells of a folder that is no database, or of a disk
// that cannot be read. What has some of a database's files and not the two that lead to the others
// is a damaged one: its salvage needs neither.
std::string missing_lead(const std::filesystem::path& directory) {
  std::error_code error;
  const std::filesystem::path current = directory / "CURRENT";
  if (!std::filesystem::is_regular_file(current, error))
    return error && error != std::errc::no_such_file_or_directory ? "" : "CURRENT";
  try {
    std::string manifest = read_file(current, 1 << 10);
    while (manifest.ends_with('\n')) manifest.pop_back();
    const bool is_name = manifest.starts_with("MANIFEST-") && manifest.find('/') == manifest.npos;
    if (!is_name) return "CURRENT";
    return std::filesystem::is_regular_file(directory / manifest, error) ? "" : manifest;
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

struct StoreBatch::Writes {
  rocksdb::WriteBatch batch;
};

StoreBatch::StoreBatch() : writes_(std::make_unique<Writes>()) {}
StoreBatch::~StoreBatch() = default;
StoreBatch::StoreBatch(StoreBatch&&) noexcept = default;
StoreBatch& StoreBatch::operator=(StoreBatch&&) noexcept = default;

void StoreBatch::put(std::string_view key, std::string_view value) {
  const uint64_t seal = seal_of(key, value);
  std::string sealed(value);
  sealed.append(reinterpret_cast<const char*>(&seal), kSealBytes);
  writes_->batch.Put(slice(key), sealed);
}

void StoreBatch::erase(std::string_view key) {
  writes_->batch.Delete(slice(key));
}

size_t StoreBatch::bytes() const {
  return writes_->batch.GetDataSize();
}

struct Store::Database {
  std::string subject;
  std::unique_ptr<rocksdb::DB> db;
};

Store::Store(const std::filesystem::path& directory, Access access)
    : database_(std::make_unique<Database>()) {
  database_->subject = directory.string();
  if (access != Access::Create && !std::filesystem::exists(directory)) {
    throw Error(ErrorCode::NotFound, directory.string(), "no such directory");
  }
  if (access != Access::ReadOnly) require_threads(directory.string());
  rocksdb::DB* db = nullptr;
  const rocksdb::Options options = options_for(access);
  const auto open = [&] {
    return access == Access::ReadOnly ? open_beside_writer(options, directory, &db)
                                      : rocksdb::DB::Open(options, directory.string(), &db);
  };
  try {
    const rocksdb::Status status = in_rocksdb(open);
    database_->db.reset(db);
    if (!status.ok() && access != Access::Create) {
      if (const std::string missing = missing_lead(directory); !missing.empty())
        fail(database_->subject, rocksdb::Status::Corruption("it has lost its " + missing));
    }
    check(database_->subject, status);
  } catch (const std::system_error&) {  // the limit was reached meanwhile
    fail_without_thread(database_->subject);
  }
}

Store::~Store() {
  in_rocksdb([&] { database_.reset(); });
}

Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

std::optional<std::string> Store::get(std::string_view key) const {
  std::string sealed;
  const rocksdb::Status status =
      in_rocksdb([&] { return database_->db->Get({}, slice(key), &sealed); });
  if (status.IsNotFound()) return std::nullopt;
  check(database_->subject, status);
  if (!unsealed(key, sealed)) {
    fail(database_->subject,
         rocksdb::Status::Corruption("the value of key " + printable(key) + " fails its checksum"));
  }
  sealed.resize(sealed.size() - kSealBytes);
  return sealed;
}

void Store::for_each(std::string_view prefix, std::string_view from, const Visit& visit) const {
  constexpr size_t kReadAhead = 2 << 20;
  Entries entries(*database_->db, from.empty() ? prefix : from, kReadAhead);
  for (; entries.valid(); entries.next()) {
    const std::string_view key = entries.key();
    if (!key.starts_with(prefix)) break;
    const auto value = unsealed(key, entries.value());
    if (!value) {
      fail(database_->subject, rocksdb::Status::Corruption("the value of key " + printable(key) +
                                                           " fails its checksum"));
    }
    if (!visit(key, *value)) return;
  }
  check(database_->subject, entries.status());
}

void Store::for_each_checked(std::string_view prefix, const Visit& visit,
                             const std::function<void(std::string_view key)>& damaged) const {
  Entries entries(*database_->db, prefix, 0);
  for (; entries.valid(); entries.next()) {
    const std::string_view key = entries.key();
    if (!key.starts_with(prefix)) break;
    const auto value = unsealed(key, entries.value());
    if (!value) {
      damaged(key);
    } else if (!visit(key, *value)) {
      return;
    }
  }
  check(database_->subject, entries.status());
}

void Store::write(StoreBatch batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  check(database_->subject,
        in_rocksdb([&] { return database_->db->Write(options, &batch.writes_->batch); }));
}

void Store::flush() {
  check(database_->subject,
        in_rocksdb([&] { return database_->db->Flush(rocksdb::FlushOptions()); }));
}

void Store::verify_files() const {
  check(database_->subject, in_rocksdb([&] { return database_->db->VerifyChecksum(); }));
}

void Store::salvage(const std::filesystem::path& directory) {
  const rocksdb::Options options = options_for(Access::ReadWrite);
  check(directory.string(),
        in_rocksdb([&] { return rocksdb::RepairDB(directory.string(), options); }));
}

}  // namespace zeroshelf
