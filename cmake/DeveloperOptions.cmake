# zeroshelf_options: what every target of the project compiles with. Never exported.
add_library(zeroshelf_options INTERFACE)
target_include_directories(zeroshelf_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(zeroshelf_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
  -Wno-restrict)  # false alarms of g++ 12 in std::string (GCC bug 105651)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(zeroshelf_options INTERFACE
    -Wno-unknown-warning-option  # of g++'s false alarms
    -Wno-ignored-attributes)     # [[gnu::always_inline]] of lambdas in kernels: they were measured as they are
endif()
# x86-64 multiplies and adds in two steps, and so do the others, for the same answers.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  target_compile_options(zeroshelf_options INTERFACE -ffp-contract=off)
endif()
if(ZEROSHELF_INSTALLED)
  # Assertions name their file: the same bytes wherever it is built, and where ccache's base_dir makes paths relative.
  cmake_path(RELATIVE_PATH PROJECT_SOURCE_DIR BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE up)
  target_compile_options(zeroshelf_options INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${up}/=)
endif()
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
                         -fno-sanitize=vptr,function -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(zeroshelf_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Tells a source of this folder where the module `part` is, which it loads when it is wanted (lib/util/loaded_part.h).
function(zeroshelf_loads_part source part)
  if(ZEROSHELF_INSTALLED)
    set(definitions "ZEROSHELF_PART=\"${part}.so\"" "ZEROSHELF_BUILD_FOLDER=\"\"")
  else()
    set(definitions "ZEROSHELF_PART=\"${CMAKE_CURRENT_BINARY_DIR}/${part}.so\"" "ZEROSHELF_BUILD_FOLDER=\"${CMAKE_BINARY_DIR}\"")
  endif()
  set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS "${definitions}")
endfunction()

# zeroshelf_library(NAME [INTERNAL] SOURCES a.cc ... LINK targets...): a static library of one folder, installed for
# find_package(zeroshelf) unless it is INTERNAL.
function(zeroshelf_library name)
  cmake_parse_arguments(ARG "INTERNAL" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    list(FILTER ARG_SOURCES EXCLUDE REGEX "_(avx2|avx512|amx)\\.cc$")
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:zeroshelf_options> ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  if(NOT ARG_INTERNAL)
    zeroshelf_exported(${name})
  endif()
endfunction()

# Installed for find_package(zeroshelf), as zeroshelf::<its name without the project's>.
function(zeroshelf_exported name)
  string(REGEX REPLACE "^zeroshelf_" "" export_name ${name})
  target_compile_features(${name} INTERFACE cxx_std_20)
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${export_name})
  set_property(GLOBAL APPEND PROPERTY ZEROSHELF_EXPORTED ${name})
  install(TARGETS ${name} EXPORT zeroshelf-targets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/zeroshelf)
endfunction()
