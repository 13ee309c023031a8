# SPDX-License-Identifier: Apache-2.0
#
# Compiles through ccache where it is installed and nobody has named a launcher (-DCMAKE_CXX_COMPILER_LAUNCHER, or the
# environment's). A ccache that cannot write its folder fails each compilation, so one is tried first.
if(DEFINED CMAKE_CXX_COMPILER_LAUNCHER OR DEFINED CMAKE_C_COMPILER_LAUNCHER)
    return()
endif()
find_program(MAPAUDIT_CCACHE ccache)
mark_as_advanced(MAPAUDIT_CCACHE)
if(NOT MAPAUDIT_CCACHE)
    return()
endif()
execute_process(COMMAND ${MAPAUDIT_CCACHE} ${CMAKE_C_COMPILER} -x c -c /dev/null -o ${PROJECT_BINARY_DIR}/ccache_tried.o
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
if(failed EQUAL 0)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${MAPAUDIT_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${MAPAUDIT_CCACHE})
else()
    message(NOTICE "ccache is installed and does not work here: compiling without")
endif()
