// The RocksDB store. Tested by tests/collection.

#include "lib/store/store.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cstring>
#include <span>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/hash.h"
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

rocksdb::Options options_for(Store::Access access) {
  rocksdb::Options options;
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
  rocksdb::DB* db = nullptr;
  const rocksdb::Options options = options_for(access);
  const rocksdb::Status status =
      access == Access::ReadOnly ? rocksdb::DB::OpenForReadOnly(options, directory.string(), &db)
                                 : rocksdb::DB::Open(options, directory.string(), &db);
  database_->db.reset(db);
  check(database_->subject, status);
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

std::optional<std::string> Store::get(std::string_view key) const {
  std::string sealed;
  const rocksdb::Status status = database_->db->Get({}, slice(key), &sealed);
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
  rocksdb::ReadOptions options;
  options.readahead_size = 2 << 20;
  const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator(options));
  for (iterator->Seek(slice(from.empty() ? prefix : from)); iterator->Valid(); iterator->Next()) {
    const std::string_view key = view(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto value = unsealed(key, view(iterator->value()));
    if (!value) {
      fail(database_->subject, rocksdb::Status::Corruption("the value of key " + printable(key) +
                                                           " fails its checksum"));
    }
    if (!visit(key, *value)) return;
  }
  check(database_->subject, iterator->status());
}

void Store::for_each_checked(std::string_view prefix, const Visit& visit,
                             const std::function<void(std::string_view key)>& damaged) const {
  const std::unique_ptr<rocksdb::Iterator> iterator(database_->db->NewIterator({}));
  for (iterator->Seek(slice(prefix)); iterator->Valid(); iterator->Next()) {
    const std::string_view key = view(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto value = unsealed(key, view(iterator->value()));
    if (!value) {
      damaged(key);
    } else if (!visit(key, *value)) {
      return;
    }
  }
  check(database_->subject, iterator->status());
}

void Store::write(StoreBatch batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  check(database_->subject, database_->db->Write(options, &batch.writes_->batch));
}

void Store::flush() {
  check(database_->subject, database_->db->Flush(rocksdb::FlushOptions()));
}

void Store::verify_files() const {
  check(database_->subject, database_->db->VerifyChecksum());
}

void Store::salvage(const std::filesystem::path& directory) {
  check(directory.string(), rocksdb::RepairDB(directory.string(), options_for(Access::ReadWrite)));
}

}  // namespace zeroshelf
