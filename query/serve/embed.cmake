# Files -> a source with their bytes, for query/serve/assets.h.
# cmake -DOUT=assets.cc -DROOT=query/serve -DFILES=page/index.html;openapi.json -P embed.cmake
set(arrays "")
set(table "")
set(number 0)
foreach(file ${FILES})
  string(REGEX REPLACE "^page/" "" name ${file})
  get_filename_component(ending ${file} LAST_EXT)
  if(ending STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(ending STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(ending STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  elseif(ending STREQUAL ".json")
    set(type "application/json")
  elseif(ending STREQUAL ".svg")
    set(type "image/svg+xml")
  elseif(ending STREQUAL ".png")
    set(type "image/png")
  elseif(ending STREQUAL ".webmanifest")
    set(type "application/manifest+json")
  elseif(ending STREQUAL ".py")
    set(type "text/x-python; charset=utf-8")
  else()
    message(FATAL_ERROR "${file}: no media type is known for ${ending}")
  endif()
  file(READ ${ROOT}/${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char kFile${number}[] = {${bytes}0};\n")
  string(APPEND table "    {\"/${name}\", \"${type}\", kFile${number}, ${size}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "// Made by query/serve/embed.cmake.
#include \"query/serve/assets.h\"

namespace zeroshelf::serve {
namespace {

${arrays}
constexpr Asset kAssets[] = {
${table}};

}  // namespace

const Asset* find_asset(std::string_view path) {
  for (const Asset& asset : kAssets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace zeroshelf::serve
")
