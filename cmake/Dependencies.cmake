# Every library outside the standard one, found once. The packages are listed in ./dev.
# Before RocksDB: both bring gflags, and Torch's way of finding it must come first.
find_package(Torch REQUIRED)

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
