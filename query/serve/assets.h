#pragma once

// The files of the page, of the interface's description and of the client for Python: everything in
// query/serve/page, openapi.json and client.py, put into the program when it is built
// (embed.cmake).

#include <cstddef>
#include <string_view>

namespace zeroshelf::serve {

struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view type;  // for Content-Type
  const unsigned char* data = nullptr;
  size_t size = 0;

  std::string_view bytes() const { return {reinterpret_cast<const char*>(data), size}; }
};

// Null: there is none of that path.
const Asset* find_asset(std::string_view path);

}  // namespace zeroshelf::serve
