#pragma once

// What this program was built from. Threads: any.

#include <string>
#include <string_view>

namespace zeroshelf {

std::string_view version();  // "0.2.0"
// The commit, 12 digits, with "+changes" where files differ from it; empty where there is no
// repository.
std::string_view commit();
// The libraries that it was built with and their versions: "FAISS 1.7.3, RocksDB 7.8.3, ...".
std::string_view libraries();
std::string_view compiler();  // "g++ 12.2.0"

// What --version prints, with the program's name in front.
std::string version_text(std::string_view program);

}  // namespace zeroshelf
