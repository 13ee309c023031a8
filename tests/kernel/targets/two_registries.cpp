// SPDX-License-Identifier: Apache-2.0
//
// A program and a library (two_registries_library.cpp) that it opens, each with one map. Where the library keeps its
// symbols to itself there are two registries, whose maps differ in nothing that a target says of them. Ends when its
// stdin does.
//
//     two_registries LIBRARY
#include <mapaudit/mutex_map.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>

#include "await_auditor.hpp"

int main(int, char** argv) {
    mapaudit::mutex_map<long, long> map("sessions");
    void* const library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::fprintf(stderr, "%s\n", ::dlerror());
        return 1;
    }
    const auto fill = reinterpret_cast<void (*)(long)>(::dlsym(library, "fill_library_map"));
    const auto await = reinterpret_cast<void (*)()>(::dlsym(library, "await_library_auditor"));
    if (fill == nullptr || await == nullptr) return 1;
    fill(0);  // the library's map is made
    mapaudit::test::await_auditor();
    await();
    for (long i = 0; i < 1009; ++i) map.assign(i, i);
    fill(2003);
    std::fprintf(stderr, "filled\n");
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
