# SPDX-License-Identifier: Apache-2.0
#
# bpf_object(name source.bpf.c): source → name.bpf.o (clang) → name.skel.h (bpftool), exposed as the INTERFACE library
# bpf_<name>, whose users include "name.skel.h". The depfile makes an edit of any header rebuild it.

find_program(MAPAUDIT_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(MAPAUDIT_LLVM_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-18 llvm-strip-17 llvm-strip-16 llvm-strip-15
             llvm-strip-14 REQUIRED)

# sbin is on few users' PATH; Ubuntu's /usr/sbin/bpftool is a wrapper that fails unless tools for the running kernel
# are installed, so the first one that answers is taken.
function(_find_bpftool result)
    find_program(MAPAUDIT_BPFTOOL_IN_PATH bpftool PATHS /usr/sbin /usr/local/sbin /sbin)
    mark_as_advanced(MAPAUDIT_BPFTOOL_IN_PATH)
    file(GLOB others /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool)
    foreach(candidate IN LISTS MAPAUDIT_BPFTOOL_IN_PATH others)
        execute_process(COMMAND ${candidate} version RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
        if(failed EQUAL 0)
            set(${result} ${candidate} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "no working bpftool (Debian: apt-get install bpftool)")
endfunction()
if(NOT MAPAUDIT_BPFTOOL)
    _find_bpftool(found_bpftool)
    set(MAPAUDIT_BPFTOOL ${found_bpftool} CACHE FILEPATH "bpftool that writes the skeletons")
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    set(MAPAUDIT_BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(MAPAUDIT_BPF_ARCH arm64)
else()
    message(FATAL_ERROR "no eBPF programs for ${CMAKE_SYSTEM_PROCESSOR} (x86_64 and aarch64 only); "
                        "-DMAPAUDIT_AUDITOR=OFF builds the target library alone")
endif()

function(bpf_object name source)
    set(source_path ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
    set(skeleton_dir ${CMAKE_CURRENT_BINARY_DIR}/skel)
    set(skeleton ${skeleton_dir}/${name}.skel.h)
    file(MAKE_DIRECTORY ${skeleton_dir})

    # -target bpf knows no multiarch: asm/*.h stands in the host's own folder.
    set(multiarch)
    if(CMAKE_LIBRARY_ARCHITECTURE)
        set(multiarch -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
    endif()

    set(werror)
    if(MAPAUDIT_WERROR)
        set(werror -Werror)
    endif()
    add_custom_command(
        OUTPUT ${object}
        COMMAND ${MAPAUDIT_CLANG} -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_${MAPAUDIT_BPF_ARCH} -Wall -Wextra
                -Wno-unused-parameter ${werror} -I${PROJECT_SOURCE_DIR}/bpf -I${PROJECT_SOURCE_DIR}/target/include
                ${multiarch} -MMD -MF ${object}.d -MT ${object} -c ${source_path} -o ${object}
        COMMAND ${MAPAUDIT_LLVM_STRIP} -g ${object} # DWARF; BTF and line info stay
        DEPENDS ${source_path}
        DEPFILE ${object}.d
        COMMENT "Building eBPF object ${name}.bpf.o"
        VERBATIM)
    add_custom_command(
        OUTPUT ${skeleton}
        COMMAND ${MAPAUDIT_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}.new
        COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
        DEPENDS ${object}
        COMMENT "Generating ${name}.skel.h"
        VERBATIM)
    add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})

    add_library(bpf_${name} INTERFACE)
    add_dependencies(bpf_${name} bpf_${name}_skeleton)
    target_include_directories(bpf_${name} SYSTEM INTERFACE ${skeleton_dir})
    target_include_directories(bpf_${name} INTERFACE ${PROJECT_SOURCE_DIR}/bpf)
    target_link_libraries(bpf_${name} INTERFACE PkgConfig::libbpf)
endfunction()
