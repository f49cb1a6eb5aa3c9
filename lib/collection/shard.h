#pragma once

// A collection that takes one part of all pictures, so that many machines index them side by side.
//
// Which part a picture belongs to follows from its path alone: XXH3 (64 bits, seed 0) of the bytes
// of the absolute path, modulo the number of parts. That never changes, so running a part again
// takes the same files, on any machine on which they have the same paths.
//
// Threads: any.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/collection/collection.h"

namespace zeroshelf {

struct Shard {
  uint32_t number = 0;  // below count
  uint32_t count = 1;

  bool has(std::string_view path) const;
  bool operator==(const Shard&) const = default;
};

// "2/8".
std::string shard_name(const Shard& shard);

// "2/8", parts being counted from 0; or "8", with the number from the environment of an array job:
// SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX or OMPI_COMM_WORLD_RANK, the first that is set. Throws
// InvalidArgument, naming what the number came from.
using Environment = std::function<const char*(const char* name)>;
Shard parse_shard(std::string_view text, const Environment& environment);

// What a collection takes, opened or not; nothing where it takes every picture. Throws Corruption.
std::optional<Shard> shard_of(const std::filesystem::path& directory);
std::optional<Shard> shard_of(const Collection& collection);

// Makes sure that the collection takes this part: remembers it where nothing was indexed yet.
// Throws InvalidArgument where it takes another part, or all.
void claim_shard(const Collection& collection, const Shard& shard);

}  // namespace zeroshelf
