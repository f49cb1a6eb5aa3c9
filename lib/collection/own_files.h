#pragma once

// Inside lib/collection: which of the things in a collection's directory zeroshelf made itself.
//
// Only what carries both a name and a content that it made is ever removed:
//
//   records-<epoch>/      with a mark in it that says this epoch of this collection; of what is in
//                         it, the files that have RocksDB's names
//   a snapshot's file     whose beginning is that of its kind, with the collection's dimension or
//                         the epoch and generation of its name
//   NAME.<digits>.new     left by a killed writer, with such a beginning
//
// All else belongs to somebody else, is left as it is, and has its name told. New files never take
// the place of something: the next number is taken instead. Links are never followed to remove.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/collection/layout.h"
#include "lib/collection/manifest.h"

namespace zeroshelf::layout {

// Makes records-<epoch> with its mark. Throws Io, also when something has that name.
void make_records_directory(const std::filesystem::path& collection, uint64_t epoch,
                            const std::string& owner);

// Removes what RocksDB made in a directory that has a mark, then the mark, and the directory where
// nothing is left in it.
void remove_records(const std::filesystem::path& collection, uint64_t epoch);

// Whether nothing has a name that a snapshot of this generation would have.
bool is_free_generation(const std::filesystem::path& collection, uint64_t epoch,
                        uint64_t generation);
// The first epoch from `first` on whose records, and whose snapshot of this generation, have names
// that nothing has.
uint64_t free_epoch(const std::filesystem::path& collection, uint64_t first, uint64_t generation);

// Removes what is ours and neither CURRENT nor the fixed names account for: of earlier or
// unfinished snapshots and compactions. What cannot be removed stays for the next time.
void remove_leftovers(const std::filesystem::path& collection, const Current& current,
                      const Manifest& manifest);

// What is in the directory and not the collection's, ascending.
std::vector<std::string> foreign_names(const std::filesystem::path& collection,
                                       const Current& current, const Manifest& manifest);

}  // namespace zeroshelf::layout
