#pragma once

// Inside models/flags: the models that this user named with --model on this machine. A collection
// says where its model is; one that somebody else made may say any path, so only these and the
// installed ones are taken from it.
//
// The record is a folder, $XDG_STATE_HOME/zeroshelf/models (default ~/.local/state), with a file
// for each path, which holds it; its name is a hash of the path. Without such a folder nothing is
// remembered. Threads and processes: all of it may run together.

#include <filesystem>

namespace zeroshelf {

// Made absolute and lexically normal first. Failing to write is no error.
void remember_named_model(const std::filesystem::path& path);

// path: absolute and lexically normal; nothing else was ever remembered.
bool was_model_named(const std::filesystem::path& path);

}  // namespace zeroshelf
