# What the library links: for its own build, and for those who find_package(zeroshelf).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # GCC's OpenMP, which the libraries that we use were built with: a second one in a process would be
  # one too many. clang finds it where it finds GCC's C++ library; its header has an attribute that clang does not know.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libgomp.so
                  OUTPUT_VARIABLE libgomp OUTPUT_STRIP_TRAILING_WHITESPACE)
  cmake_path(GET libgomp PARENT_PATH gcc_folder)
  if(NOT EXISTS ${gcc_folder}/include/omp.h)
    message(FATAL_ERROR "clang finds no OpenMP of GCC: install g++")
  endif()
  add_library(OpenMP::OpenMP_CXX INTERFACE IMPORTED)
  target_compile_options(OpenMP::OpenMP_CXX INTERFACE "SHELL:-idirafter ${gcc_folder}/include" "-D__malloc__(x)=")
  target_link_libraries(OpenMP::OpenMP_CXX INTERFACE ${libgomp})
else()
  find_package(OpenMP REQUIRED)
endif()

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

# Pictures and text in them.
find_package(OpenCV REQUIRED COMPONENTS core imgproc photo)
pkg_check_modules(jpeg REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(heif REQUIRED IMPORTED_TARGET libheif)
pkg_check_modules(webpdemux REQUIRED IMPORTED_TARGET libwebpdemux libwebp)
pkg_check_modules(exif REQUIRED IMPORTED_TARGET libexif)
pkg_check_modules(exiv2 REQUIRED IMPORTED_TARGET exiv2)
find_package(PNG REQUIRED)
find_package(TIFF REQUIRED)
find_library(GIF_LIBRARY gif REQUIRED)
pkg_check_modules(tesseract REQUIRED IMPORTED_TARGET tesseract lept)

# The collection. faiss-config wants OpenMP, BLAS and LAPACK to be found before it.
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
find_package(faiss REQUIRED)
find_package(RocksDB REQUIRED)
