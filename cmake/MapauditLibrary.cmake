# SPDX-License-Identifier: Apache-2.0
#
# userspace_library([DEPENDS library…]): the calling folder's one static library of all .cpp files in it (an INTERFACE
# library while there are only headers), named by the folder's path: mapaudit_sources_go is that of sources/go.
# Includes are written from userspace/: "model/report.hpp".
# DEPENDS names every other folder it may include; tests/unit/build/check_includes.sh holds folders to it.
function(userspace_library)
    cmake_parse_arguments(arg "" "" "DEPENDS;EXCEPT" ${ARGN})
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/userspace ${CMAKE_CURRENT_SOURCE_DIR})
    string(REPLACE "/" "_" folder ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    foreach(file IN LISTS arg_EXCEPT)
        list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    endforeach()
    if(sources)
        add_library(mapaudit_${folder} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(mapaudit_${folder} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(mapaudit_${folder} ${scope} ${PROJECT_SOURCE_DIR}/userspace)
    target_link_libraries(mapaudit_${folder} ${scope} ${arg_DEPENDS})
endfunction()
