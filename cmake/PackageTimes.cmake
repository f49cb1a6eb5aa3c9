# Run by CPack on what it is about to pack: every file gets the time of SOURCE_DATE_EPOCH, so that a package has the
# same bytes whenever it is made.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch -hd "@$ENV{SOURCE_DATE_EPOCH}" {} +
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
