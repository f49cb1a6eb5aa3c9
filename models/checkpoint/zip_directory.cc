// Tested by tests/clip/torch_archive_test.cc and, with mutated archives, by tests/fuzz.

#include "models/checkpoint/zip_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kFileSignature("PK\x03\x04", 4);
constexpr std::string_view kDirectorySignature("PK\x01\x02", 4);
constexpr std::string_view kEndSignature("PK\x05\x06", 4);
constexpr std::string_view kEnd64Signature("PK\x06\x06", 4);
constexpr std::string_view kLocator64Signature("PK\x06\x07", 4);
constexpr size_t kFileHeaderBytes = 30;
constexpr size_t kEndBytes = 22;
constexpr size_t kLocator64Bytes = 20;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;
constexpr uint16_t kEncrypted = 1;  // of the flags
constexpr uint16_t kZip64Field = 1;
constexpr uint32_t kInZip64 = 0xffffffff;

struct End {
  size_t at = 0;
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of the directory
  uint64_t offset = 0;
};

// One entry of the directory.
struct Listed {
  std::string name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t stored_bytes = 0;
  uint64_t whole_bytes = 0;
  uint64_t offset = 0;  // of its own header
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> archive, const std::string& subject)
      : archive_(reinterpret_cast<const char*>(archive.data()), archive.size()),
        subject_(subject) {}

  std::map<std::string, ZipEntry> read() const {
    const End end = find_end();
    if (end.offset > end.at || end.bytes > end.at - end.offset) fail("its directory is not in it");
    ByteReader directory(archive_.substr(end.offset, end.bytes), subject_);
    std::map<std::string, ZipEntry> entries;
    for (uint64_t i = 0; i < end.entries; ++i) {
      const Listed listed = next(directory);
      const std::string_view bytes = bytes_of(listed);
      const ZipEntry entry{{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()},
                           listed.method == kDeflated};
      if (!entries.emplace(listed.name, entry).second)
        fail(fmt::format("'{}' is there twice", listed.name));
    }
    directory.expect_end();
    check_overlaps(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::Corruption, subject_, "damaged: " + cause, "fetch the file again");
  }

  // The end of a directory stands last, with a comment of up to 65,535 bytes behind it.
  End find_end() const {
    for (size_t comment = 0; comment <= 0xffff && comment + kEndBytes <= archive_.size();
         ++comment) {
      const size_t at = archive_.size() - kEndBytes - comment;
      if (archive_.substr(at, kEndSignature.size()) != kEndSignature) continue;
      ByteReader record(archive_.substr(at + kEndSignature.size()), subject_);
      record.take(4);  // which disk this is
      record.take(2);  // entries on it
      End end{at, record.number<uint16_t>(), record.number<uint32_t>(), record.number<uint32_t>()};
      if (record.number<uint16_t>() == comment) return find_end64(at).value_or(end);
    }
    fail("it is no ZIP archive, or was cut short");
  }

  // What counts instead in archives of more than 4 GiB or 65,534 files.
  std::optional<End> find_end64(size_t end) const {
    if (end < kLocator64Bytes) return std::nullopt;
    const std::string_view locator = archive_.substr(end - kLocator64Bytes, kLocator64Bytes);
    if (!locator.starts_with(kLocator64Signature)) return std::nullopt;
    ByteReader place(locator.substr(kLocator64Signature.size() + 4), subject_);
    const auto at = place.number<uint64_t>();
    if (at > end || archive_.substr(at, kEnd64Signature.size()) != kEnd64Signature)
      fail("the end of its directory is not in it");
    ByteReader record(archive_.substr(at + kEnd64Signature.size()), subject_);
    record.take(8 + 2 + 2 + 4 + 4 + 8);  // its size, versions, disks, entries on this disk
    End result{static_cast<size_t>(at)};
    result.entries = record.number<uint64_t>();
    result.bytes = record.number<uint64_t>();
    result.offset = record.number<uint64_t>();
    return result;
  }

  Listed next(ByteReader& directory) const {
    if (directory.take(kDirectorySignature.size()) != kDirectorySignature)
      fail("its directory is not one");
    Listed listed;
    directory.take(2 + 2);  // versions
    listed.flags = directory.number<uint16_t>();
    listed.method = directory.number<uint16_t>();
    directory.take(2 + 2 + 4);  // time, date, checksum
    listed.stored_bytes = directory.number<uint32_t>();
    listed.whole_bytes = directory.number<uint32_t>();
    const auto name_bytes = directory.number<uint16_t>();
    const auto extra_bytes = directory.number<uint16_t>();
    const auto comment_bytes = directory.number<uint16_t>();
    directory.take(2 + 2 + 4);  // disk, attributes
    listed.offset = directory.number<uint32_t>();
    listed.name = directory.take(name_bytes);
    take_large_numbers(directory.take(extra_bytes), listed);
    directory.take(comment_bytes);
    return listed;
  }

  // Numbers of 64 bits stand in an extra field, in this order, where the usual place is full.
  void take_large_numbers(std::string_view extra, Listed& listed) const {
    ByteReader fields(extra, subject_);
    while (fields.left() >= 4) {
      const auto kind = fields.number<uint16_t>();
      const std::string_view content = fields.take(fields.number<uint16_t>());
      if (kind != kZip64Field) continue;
      ByteReader numbers(content, subject_);
      for (uint64_t* number : {&listed.whole_bytes, &listed.stored_bytes, &listed.offset}) {
        if (*number == kInZip64) *number = numbers.number<uint64_t>();
      }
      return;
    }
  }

  std::string_view bytes_of(const Listed& listed) const {
    if ((listed.flags & kEncrypted) != 0) fail(fmt::format("'{}' is encrypted", listed.name));
    if (listed.method != kStored && listed.method != kDeflated)
      fail(fmt::format("'{}' is packed in an unknown way", listed.name));
    if (listed.method == kStored && listed.stored_bytes != listed.whole_bytes)
      fail(fmt::format("'{}' has two sizes", listed.name));
    if (listed.offset > archive_.size() || kFileHeaderBytes > archive_.size() - listed.offset)
      fail(fmt::format("'{}' is not in it", listed.name));
    ByteReader header(archive_.substr(listed.offset, kFileHeaderBytes), subject_);
    if (header.take(kFileSignature.size()) != kFileSignature)
      fail(fmt::format("'{}' is not where it should be", listed.name));
    header.take(22);  // what the directory says too
    const uint64_t skipped = uint64_t{header.number<uint16_t>()} + header.number<uint16_t>();
    const std::string_view rest = archive_.substr(listed.offset + kFileHeaderBytes);
    if (skipped > rest.size() || listed.stored_bytes > rest.size() - skipped)
      fail(fmt::format("'{}' is longer than the archive", listed.name));
    return rest.substr(skipped, listed.stored_bytes);
  }

  void check_overlaps(const std::map<std::string, ZipEntry>& entries) const {
    std::vector<std::span<const std::byte>> places;
    for (const auto& [name, entry] : entries) {
      if (!entry.bytes.empty()) places.push_back(entry.bytes);
    }
    std::sort(places.begin(), places.end(),
              [](const auto& a, const auto& b) { return a.data() < b.data(); });
    for (size_t i = 1; i < places.size(); ++i) {
      if (places[i - 1].data() + places[i - 1].size() > places[i].data())
        fail("two of its files overlap");
    }
  }

  std::string_view archive_;
  const std::string& subject_;
};

}  // namespace

std::map<std::string, ZipEntry> read_zip_directory(std::span<const std::byte> archive,
                                                   const std::string& subject) {
  return DirectoryReader(archive, subject).read();
}

}  // namespace zeroshelf
