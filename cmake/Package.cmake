# Debian packages, made by `./dev package` (the preset "package"): zeroshelf, zeroshelf-model-mini,
# libzeroshelf-torch, libzeroshelf-mpi, libzeroshelf-dev.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME zeroshelf)
# Whoever makes packages for others says so, as for every package of Debian.
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
  set(CPACK_PACKAGE_CONTACT "zeroshelf developers <zeroshelf@localhost.localdomain>")
endif()
set(CPACK_COMPONENTS_ALL runtime model torch development)
set(packages runtime:zeroshelf model:zeroshelf-model-mini torch:libzeroshelf-torch development:libzeroshelf-dev)
if(TARGET zeroshelf_mpi_part)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
  list(APPEND packages mpi:libzeroshelf-mpi)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
# Folders as a package of Debian has them, whatever the umask.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageTimes.cmake)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME zeroshelf)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# FAISS multiplies through whatever libblas.so.3 is; the reference BLAS is many times slower.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "zeroshelf-model-mini (>= ${PROJECT_VERSION}), tesseract-ocr-eng, libopenblas0")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "tesseract-ocr-osd, curl, ca-certificates")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "zero-shot labels and semantic search for picture collections
zeroshelf indexes a folder of pictures once: the CLIP embedding of every
picture, and of the text that OCR reads in it. From then on, labels are a
query: new classes label the whole collection again without opening a
picture, and every answer shows its evidence. Also: semantic search,
duplicates, export.")

set(CPACK_DEBIAN_MODEL_PACKAGE_NAME zeroshelf-model-mini)
set(CPACK_DEBIAN_MODEL_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_MODEL_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_MODEL_DESCRIPTION "small CLIP model of drawings for zeroshelf
The model that zeroshelf uses when none is named. It was trained on
pictures that a program drew, knows drawn things by their names, and makes
zeroshelf work offline. For photographs fetch a published model with
zeroshelf-fetch.")

# What loads libtorch is of one build with the programs.
set(CPACK_DEBIAN_TORCH_PACKAGE_NAME libzeroshelf-torch)
set(CPACK_DEBIAN_TORCH_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_TORCH_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TORCH_PACKAGE_DEPENDS "zeroshelf (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_TORCH_DESCRIPTION "models that are TorchScript programs for zeroshelf
What zeroshelf loads for a model that is a pair of TorchScript programs
(zeroshelf-index add --model DIR --trust-code), through libtorch. All other
models need nothing of it.")

# What loads Open MPI is of one build with the programs, too.
set(CPACK_DEBIAN_MPI_PACKAGE_NAME libzeroshelf-mpi)
set(CPACK_DEBIAN_MPI_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_MPI_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "zeroshelf (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_MPI_PACKAGE_RECOMMENDS "openmpi-bin")
set(CPACK_DEBIAN_MPI_DESCRIPTION "several processes that answer as one for zeroshelf
What zeroshelf-query loads where mpirun or srun started several of it
(mpirun -n 16 zeroshelf-query classify), each with its share of the parts of
a large collection. One process needs nothing of it.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libzeroshelf-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "g++ | clang, pkg-config, libopenblas-dev, liblapack-dev, libfaiss-dev, librocksdb-dev, libopencv-dev, libjpeg-dev, libpng-dev, libtiff-dev, libwebp-dev, libgif-dev, libheif-dev, libexif-dev, libexiv2-dev, libtesseract-dev, libfmt-dev, nlohmann-json3-dev, libicu-dev, libssl-dev, libxxhash-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "zeroshelf-model-mini")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "zero-shot labels and semantic search for picture collections (library)
Static libraries, headers and the CMake package of zeroshelf: open or make
a collection, label it, search it and export it from C++20.")

# What every package of Debian has to say of itself.
set(folder ${CMAKE_BINARY_DIR}/package)
file(MAKE_DIRECTORY ${folder})
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
file(WRITE ${folder}/copyright "zeroshelf ${PROJECT_VERSION}\n\n${license}")
set(changelogs)
foreach(package ${packages})
  string(REPLACE ":" ";" package ${package})
  list(GET package 0 component)
  list(GET package 1 name)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${name})
  add_custom_command(OUTPUT ${folder}/${name}/changelog.gz
                     COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}/${name}
                     COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${folder}/${name}/changelog.gz
                     DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md VERBATIM)
  add_custom_target(${name}-changelog ALL DEPENDS ${folder}/${name}/changelog.gz)
  list(APPEND changelogs ${name}-changelog)
  install(FILES ${folder}/copyright ${folder}/${name}/changelog.gz DESTINATION ${doc} COMPONENT ${component})
endforeach()
# All that is packed, and nothing else that a build makes.
get_property(exported GLOBAL PROPERTY ZEROSHELF_EXPORTED)
add_custom_target(packaged DEPENDS zeroshelf-index zeroshelf-query zeroshelf_torch_part)
add_dependencies(packaged ${exported} ${changelogs} zeroshelf-fetch-manual)
if(TARGET zeroshelf_mpi_part)
  add_dependencies(packaged zeroshelf_mpi_part)
endif()
if(TARGET zeroshelf-index-manual)
  add_dependencies(packaged zeroshelf-index-manual zeroshelf-query-manual)
endif()
include(CPack)
cpack_add_component(runtime)
cpack_add_component(model)
cpack_add_component(torch)
cpack_add_component(mpi)
cpack_add_component(development)
