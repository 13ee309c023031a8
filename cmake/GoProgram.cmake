# SPDX-License-Identifier: Apache-2.0
#
# go_program(output [CGO] SOURCES file… [FLAGS flag…]): a Go program for the tests to look at, built by the packaged
# toolchain without network or module. The host's own Go settings are left out of it; its cache is the build's.
find_program(MAPAUDIT_GO NAMES go)
if(NOT MAPAUDIT_GO)
    message(FATAL_ERROR "the tests need a Go toolchain (Debian: apt-get install golang-go)")
endif()

function(go_program output)
    cmake_parse_arguments(arg "CGO" "" "SOURCES;FLAGS" ${ARGN})
    set(cgo 0)
    if(arg_CGO)
        set(cgo 1)
    endif()
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -E env GOCACHE=${PROJECT_BINARY_DIR}/go-cache GOENV=off GOFLAGS= GO111MODULE=off
                GOPROXY=off GOTOOLCHAIN=local GOOS=linux GOARCH=amd64 CGO_ENABLED=${cgo}
                ${MAPAUDIT_GO} build -o ${output} ${arg_FLAGS} ${arg_SOURCES}
        DEPENDS ${arg_SOURCES}
        COMMENT "Building Go program ${output}"
        VERBATIM)
endfunction()
