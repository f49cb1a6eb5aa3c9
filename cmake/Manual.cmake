# zeroshelf_manual(PROGRAM): its manual page and shell completions, written by the program itself
# and installed with it. Not under the sanitizers, where a program that only prints is slow.
function(zeroshelf_manual program)
  install(TARGETS ${program} COMPONENT runtime)
  if(ZEROSHELF_SANITIZE)
    return()
  endif()
  set(folder ${CMAKE_BINARY_DIR}/manual)
  file(MAKE_DIRECTORY ${folder})
  set(files ${folder}/${program}.1.gz)
  # gzip -n: the same bytes at any time.
  add_custom_command(OUTPUT ${folder}/${program}.1.gz
                     COMMAND ${program} --man > ${folder}/${program}.1
                     COMMAND gzip -9nkf ${folder}/${program}.1
                     DEPENDS ${program} VERBATIM)
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${folder}/${program}.${shell}
                       COMMAND ${program} --completion ${shell} > ${folder}/${program}.${shell}
                       DEPENDS ${program} VERBATIM)
    list(APPEND files ${folder}/${program}.${shell})
  endforeach()
  add_custom_target(${program}-manual ALL DEPENDS ${files})
  set(data ${CMAKE_INSTALL_DATADIR})
  install(FILES ${folder}/${program}.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
  install(FILES ${folder}/${program}.bash DESTINATION ${data}/bash-completion/completions RENAME ${program} COMPONENT runtime)
  install(FILES ${folder}/${program}.zsh DESTINATION ${data}/zsh/site-functions RENAME _${program} COMPONENT runtime)
  install(FILES ${folder}/${program}.fish DESTINATION ${data}/fish/vendor_completions.d COMPONENT runtime)
endfunction()
