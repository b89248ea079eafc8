# ALCA_COMMIT and ALCA_DATE: of the commit that is built, so that the same source gives the same program.
set(ALCA_COMMIT "")
set(ALCA_DATE "")
find_package(Git QUIET)
if(GIT_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} log -1 --format=%H
        OUTPUT_VARIABLE ALCA_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} log -1 --format=%cI
        OUTPUT_VARIABLE ALCA_DATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
