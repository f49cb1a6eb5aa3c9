#pragma once

// An ordered map of byte strings on disk with atomic, synced batches: the only user of RocksDB.
//
// Every value is sealed with a checksum over its key and its content, so that a value damaged or
// put under another key is never believed, whatever happened below.
//
// Processes: one read-write store, any number of read-only ones beside it; a read-only store sees
// the state at its opening and neither creates nor changes a file. Threads: const calls may run
// together; write needs the store alone.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace zeroshelf {

// Changes that become true together. Later ones win over earlier ones of the same key.
class StoreBatch {
 public:
  StoreBatch();
  ~StoreBatch();
  StoreBatch(StoreBatch&&) noexcept;
  StoreBatch& operator=(StoreBatch&&) noexcept;

  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  size_t bytes() const;

 private:
  friend class Store;
  struct Writes;
  std::unique_ptr<Writes> writes_;
};

class Store {
 public:
  enum class Access { ReadOnly, ReadWrite, Create };

  // Throws NotFound, Io or Corruption.
  Store(const std::filesystem::path& directory, Access access);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  // Absent keys give nothing; a value that does not match its seal throws Corruption.
  std::optional<std::string> get(std::string_view key) const;

  // Keys that start with prefix, in byte order, from `from` on (empty: from the first). visit
  // returns whether to go on. The views are valid during the call.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  void for_each(std::string_view prefix, std::string_view from, const Visit& visit) const;

  // The same with values whose seal does not match given to damaged instead of thrown.
  void for_each_checked(std::string_view prefix, const Visit& visit,
                        const std::function<void(std::string_view key)>& damaged) const;

  // All of the batch or nothing, on the disk when it returns. Throws Io, Corruption.
  void write(StoreBatch batch);

  // Moves what is in the write-ahead log into table files.
  void flush();

  // Reads every table file and checks its blocks. Throws Corruption.
  void verify_files() const;

  // RocksDB's own salvage of what can be read in a damaged directory. Throws Io, Corruption.
  static void salvage(const std::filesystem::path& directory);

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

}  // namespace zeroshelf
