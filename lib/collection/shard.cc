// Tested by tests/collection/shard_test.cc.

#include "lib/collection/shard.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "lib/collection/settings.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kMostShards = 65'536;
constexpr std::array<const char*, 3> kArrayVariables = {
    "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "OMPI_COMM_WORLD_RANK"};

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

[[noreturn]] void refuse(const std::string& subject, const std::string& cause,
                         const std::string& cure) {
  throw Error(ErrorCode::InvalidArgument, subject, cause, cure);
}

// The number with what it came from.
struct NamedNumber {
  std::string name;
  std::string value;
};

NamedNumber number_of_job(const Environment& environment) {
  for (const char* name : kArrayVariables) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return {name, value};
  }
  refuse("--shard", "no array job says which part this is",
         "name it: --shard I/N, counted from 0; or run it with SLURM_ARRAY_TASK_ID, "
         "JOB_COMPLETION_INDEX or OMPI_COMM_WORLD_RANK set");
}

// As shard_name writes it.
std::optional<Shard> parse_whole(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, slash));
  const auto count = parse_number(text.substr(slash + 1));
  if (!number || !count || *count > kMostShards || *number >= *count) return std::nullopt;
  return Shard{*number, *count};
}

}  // namespace

bool Shard::has(std::string_view path) const {
  return checksum64(std::as_bytes(std::span(path))) % count == number;
}

std::string shard_name(const Shard& shard) {
  return fmt::format("{}/{}", shard.number, shard.count);
}

Shard parse_shard(std::string_view text, const Environment& environment) {
  const size_t slash = text.find('/');
  const auto count = parse_number(text.substr(slash == std::string_view::npos ? 0 : slash + 1));
  if (!count || *count == 0 || *count > kMostShards) {
    refuse("--shard", fmt::format("'{}' names no number of parts", text),
           fmt::format("give I/N or N, with N from 1 to {}", kMostShards));
  }
  const NamedNumber named = slash == std::string_view::npos
                                ? number_of_job(environment)
                                : NamedNumber{"--shard", std::string(text.substr(0, slash))};
  const auto number = parse_number(named.value);
  if (!number || *number >= *count) {
    refuse(named.name, fmt::format("'{}' is none of {} parts", named.value, *count),
           fmt::format("parts are counted from 0 to {}", *count - 1));
  }
  return {*number, *count};
}

std::optional<Shard> shard_of(const std::filesystem::path& directory) {
  const auto kept = Settings(directory).shard();
  if (!kept) return std::nullopt;
  if (const auto shard = parse_whole(*kept)) return shard;
  throw Error(ErrorCode::Corruption, directory.string(),
              "damaged: no usable shard among its settings",
              "name the shard that it was made with: --shard I/N");
}

std::optional<Shard> shard_of(const Collection& collection) {
  return shard_of(collection.directory());
}

void claim_shard(const Collection& collection, const Shard& shard) {
  const Settings settings(collection.directory());
  const auto kept = settings.shard();
  const auto known = kept ? parse_whole(*kept) : std::nullopt;
  if (known == shard) return;
  const std::string subject = collection.directory().string();
  if (known) {
    refuse(subject, fmt::format("it takes shard {}, not {}", shard_name(*known), shard_name(shard)),
           "give each shard a collection of its own");
  }
  const CollectionCounts counts = collection.counts();
  if (!kept && counts.pictures + counts.skips + counts.tombstones > 0) {
    refuse(subject, "it was made without --shard and takes every picture",
           "index shards into collections of their own");
  }
  settings.remember_shard(shard_name(shard));
}

}  // namespace zeroshelf
