# Every library outside the standard one, found once. The packages are listed in ./dev.
# Before RocksDB: both bring gflags, and Torch's way of finding it must come first.
find_package(Torch REQUIRED)
add_library(zeroshelf_torch INTERFACE)
target_include_directories(zeroshelf_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(zeroshelf_torch INTERFACE ${TORCH_LIBRARIES})
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang instantiates a std::vector of C++20 where it is first used, so its element, c10::IValue, is to be known by then.
  target_compile_options(zeroshelf_torch INTERFACE "SHELL:-include ATen/core/ivalue.h")
endif()

include(${CMAKE_CURRENT_LIST_DIR}/LibraryDependencies.cmake)
find_package(CLI11 REQUIRED)
pkg_check_modules(webpmux REQUIRED IMPORTED_TARGET libwebpmux)

# Pictures that tests make.
find_package(OpenCV REQUIRED COMPONENTS imgcodecs)

# The server.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)

# The generator of the bundled model's pictures.
find_package(Freetype REQUIRED)
find_package(pugixml REQUIRED)
