# zeroshelf_options: what every target of the project compiles with. Never exported.
add_library(zeroshelf_options INTERFACE)
target_include_directories(zeroshelf_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(zeroshelf_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
  -Wno-restrict)  # false alarms of g++ 12 in std::string (GCC bug 105651)
if(ZEROSHELF_DEVELOPER)
  target_compile_options(zeroshelf_options INTERFACE -Werror)
endif()
if(ZEROSHELF_SANITIZE)
  target_compile_options(zeroshelf_options INTERFACE -fsanitize=address,undefined,float-cast-overflow
                         -fno-omit-frame-pointer -fno-sanitize-recover=undefined,float-cast-overflow
                         -Wno-maybe-uninitialized)  # false alarms of g++ 12 under the sanitizers
  target_link_options(zeroshelf_options INTERFACE -fsanitize=address,undefined)
endif()
# clang's coverage for libFuzzer, under the same sanitizers. (What others compiled brings no type
# information that the check of virtual functions could use.)
if(ZEROSHELF_FUZZ_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "ZEROSHELF_FUZZ_COVERAGE needs clang: cmake --preset coverage")
  endif()
  target_compile_options(zeroshelf_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow
                         -fno-sanitize=vptr,function -fno-omit-frame-pointer -fno-sanitize-recover=all
                         -Wno-unknown-warning-option)
  target_link_options(zeroshelf_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# zeroshelf_library(NAME SOURCES a.cc ... LINK targets...): a static library of one folder.
function(zeroshelf_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC zeroshelf_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
endfunction()
