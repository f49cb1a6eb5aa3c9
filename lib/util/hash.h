#pragma once

// Two hashes for two jobs.
//
// ContentHash (SHA-256) is a picture's identity: two files with the same hash are taken to be the
// same picture, so it must hold against files made to collide.
// Checksum (XXH3, 64 and 128 bits) finds accidental damage and names models; it runs at memory
// speed and is no protection against an adversary.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace zeroshelf {

using ContentHash = std::array<uint8_t, 32>;

ContentHash content_hash(std::span<const std::byte> bytes);

// Lower-case hexadecimal.
std::string to_hex(std::span<const uint8_t> bytes);

uint64_t checksum64(std::span<const std::byte> bytes);

// A running 128-bit checksum.
class Checksum128 {
 public:
  Checksum128();
  ~Checksum128();
  Checksum128(const Checksum128&) = delete;
  Checksum128& operator=(const Checksum128&) = delete;

  void update(std::span<const std::byte> bytes);
  void update(const std::string& text);
  // 32 hexadecimal digits.
  std::string hex() const;

 private:
  void* state_;
};

}  // namespace zeroshelf
