# zeroshelf_manual(PROGRAM): its manual page and shell completions, written by the program itself
# and installed with it. Not under the sanitizers, where a program that only prints is slow.
function(zeroshelf_manual program)
  install(TARGETS ${program})
  if(ZEROSHELF_SANITIZE)
    return()
  endif()
  set(folder ${CMAKE_BINARY_DIR}/manual)
  file(MAKE_DIRECTORY ${folder})
  set(files ${folder}/${program}.1)
  add_custom_command(OUTPUT ${folder}/${program}.1 COMMAND ${program} --man > ${folder}/${program}.1
                     DEPENDS ${program} VERBATIM)
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${folder}/${program}.${shell}
                       COMMAND ${program} --completion ${shell} > ${folder}/${program}.${shell}
                       DEPENDS ${program} VERBATIM)
    list(APPEND files ${folder}/${program}.${shell})
  endforeach()
  add_custom_target(${program}-manual ALL DEPENDS ${files})
  install(FILES ${folder}/${program}.1 DESTINATION share/man/man1)
  install(FILES ${folder}/${program}.bash DESTINATION share/bash-completion/completions RENAME ${program})
  install(FILES ${folder}/${program}.zsh DESTINATION share/zsh/site-functions RENAME _${program})
  install(FILES ${folder}/${program}.fish DESTINATION share/fish/vendor_completions.d)
endfunction()
