# SPDX-License-Identifier: Apache-2.0
#
# mapaudit_unit_test(name [SOURCES file…] [LIBS library…]): a GoogleTest binary of the given sources, or of every
# *_test.cpp in the calling folder. mapaudit_kernel_test: the same for what runs real eBPF and needs root; one at a
# time, since such tests compare counts and times under load.
find_package(GTest)
if(NOT TARGET GTest::gmock)
    message(FATAL_ERROR "the tests need GoogleTest and GoogleMock (make test-deps); -DMAPAUDIT_TESTS=OFF goes without")
endif()
include(GoogleTest)

function(_mapaudit_test_binary name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
    if(NOT arg_SOURCES)
        file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LIBS} mapaudit_test_support GTest::gmock GTest::gtest_main Threads::Threads)
    foreach(program mapaudit-workload mapaudit-kvd mapaudit)
        if(TARGET ${program})
            add_dependencies(${name} ${program})
        endif()
    endforeach()
endfunction()

function(mapaudit_unit_test name)
    _mapaudit_test_binary(${name} ${ARGN})
    gtest_discover_tests(${name} TEST_PREFIX unit. DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

function(mapaudit_kernel_test name)
    _mapaudit_test_binary(${name} ${ARGN})
    gtest_discover_tests(${name} TEST_PREFIX kernel. DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
        PROPERTIES LABELS kernel TIMEOUT 300 RUN_SERIAL ON FIXTURES_REQUIRED kernel_privilege)
endfunction()
