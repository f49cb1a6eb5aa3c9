# What `cmake --install` puts below the prefix beside the programs (Manual.cmake) and the libraries (zeroshelf_library):
# everything that is needed, found relative to the program and without environment variables.
set(data ${CMAKE_INSTALL_DATADIR}/zeroshelf)

# The bundled model, and what fetches others.
set(mini ${PROJECT_SOURCE_DIR}/models/mini)
install(FILES ${mini}/README.md ${mini}/config.json ${mini}/merges.txt ${mini}/model.safetensors
              ${mini}/preprocessor_config.json ${mini}/vocab.json
        DESTINATION ${data}/models/mini COMPONENT model)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/models/fetch.sh DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME zeroshelf-fetch
        COMPONENT runtime)
set(fetch_manual ${CMAKE_BINARY_DIR}/manual/zeroshelf-fetch.1.gz)
add_custom_command(OUTPUT ${fetch_manual}
                   COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/models/zeroshelf-fetch.1 > ${fetch_manual}
                   DEPENDS ${PROJECT_SOURCE_DIR}/models/zeroshelf-fetch.1 VERBATIM)
add_custom_target(zeroshelf-fetch-manual ALL DEPENDS ${fetch_manual})
install(FILES ${fetch_manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)

# Units of the user's systemd, with the path that the programs really get. Below a prefix of one's own it is in share/,
# where systemd looks in ~/.local.
install(CODE "
  set(BIN \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(units share/systemd/user)
  if(CMAKE_INSTALL_PREFIX MATCHES \"^/usr(/local)?$\")
    set(units lib/systemd/user)
  endif()
  foreach(name zeroshelf-serve@.service zeroshelf-watch@.service)
    set(unit \"\${CMAKE_INSTALL_PREFIX}/\${units}/\${name}\")
    message(STATUS \"Installing: \$ENV{DESTDIR}\${unit}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/packaging/\${name}.in\" \"\$ENV{DESTDIR}\${unit}\" @ONLY
                   NO_SOURCE_PERMISSIONS)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")
  endforeach()" COMPONENT runtime)

# The library: find_package(zeroshelf), then zeroshelf::zeroshelf or a part of it.
add_library(zeroshelf INTERFACE)
target_link_libraries(zeroshelf INTERFACE zeroshelf_ingest zeroshelf_labelling zeroshelf_search zeroshelf_report
                                          zeroshelf_export zeroshelf_clip)
install(TARGETS zeroshelf EXPORT zeroshelf-targets COMPONENT development)
# Without what single kernels are made of, the programs' own and what needs libtorch's headers.
set(internal "/lib/program$|_(tile|register_[a-z0-9]+|body|tiles)\\.h$|/kernels_vectors\\.h$|/bf16_[a-z0-9_]+\\.h$|/clip/(forward|weights|torch_part|torch_device|torchscript_network)\\.h$")
foreach(folder lib models/checkpoint models/clip models/compute models/text)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/zeroshelf/${folder}
          COMPONENT development FILES_MATCHING PATTERN "*.h" REGEX "${internal}" EXCLUDE)
endforeach()
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/zeroshelf)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/zeroshelf-config-version.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT zeroshelf-targets NAMESPACE zeroshelf:: DESTINATION ${package} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/zeroshelf-config.cmake ${PROJECT_SOURCE_DIR}/cmake/LibraryDependencies.cmake
              ${CMAKE_BINARY_DIR}/zeroshelf-config-version.cmake
        DESTINATION ${package} COMPONENT development)
