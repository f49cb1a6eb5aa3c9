// Tested by tests/util/bytes_test.cc.

#include "lib/util/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <xxhash.h>

#include <new>

#include "lib/util/content_hasher.h"
#include "lib/util/error.h"

namespace zeroshelf {

namespace {
void check_sha(int done) {
  if (done != 1)
    throw Error(ErrorCode::Unavailable, "SHA-256", "the OpenSSL library refused to compute it");
}
// Fetched once: by its name each hash would look it up under a lock.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MD_CTX* as_context(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}
}  // namespace

void prepare_hashing() {
  if (sha256() == nullptr) throw std::bad_alloc();
}

ContentHash content_hash(std::span<const std::byte> bytes) {
  ContentHash hash{};
  unsigned int size = 0;
  check_sha(EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, sha256(), nullptr));
  return hash;
}

ContentHasher::ContentHasher() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  if (EVP_DigestInit_ex(as_context(context_), sha256(), nullptr) == 1) return;
  EVP_MD_CTX_free(as_context(context_));
  check_sha(0);
}

ContentHasher::~ContentHasher() {
  EVP_MD_CTX_free(as_context(context_));
}

void ContentHasher::update(std::span<const std::byte> bytes) {
  check_sha(EVP_DigestUpdate(as_context(context_), bytes.data(), bytes.size()));
}

ContentHash ContentHasher::finish() {
  ContentHash hash{};
  unsigned int size = 0;
  check_sha(EVP_DigestFinal_ex(as_context(context_), hash.data(), &size));
  return hash;
}

std::string to_hex(std::span<const uint8_t> bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

uint64_t checksum64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

namespace {
XXH3_state_t* as_state(void* state) {
  return static_cast<XXH3_state_t*>(state);
}
}  // namespace

Checksum128::Checksum128() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(as_state(state_));
}

Checksum128::~Checksum128() {
  XXH3_freeState(as_state(state_));
}

void Checksum128::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(as_state(state_), bytes.data(), bytes.size());
}

void Checksum128::update(const std::string& text) {
  // The length goes first, so that ("ab", "c") and ("a", "bc") differ.
  const uint64_t size = text.size();
  update(std::as_bytes(std::span(&size, 1)));
  update(std::as_bytes(std::span(text)));
}

std::string Checksum128::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(as_state(state_));
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace zeroshelf
