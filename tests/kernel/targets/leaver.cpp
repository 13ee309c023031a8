// SPDX-License-Identifier: Apache-2.0
//
// A process that outlives its map. Ends when its stdin does.
#include <mapaudit/mutex_map.hpp>

#include <unistd.h>

#include <cstdio>
#include <optional>

#include "await_auditor.hpp"

int main() {
    std::optional<mapaudit::mutex_map<long, long>> map(std::in_place, "left");
    mapaudit::test::await_auditor();
    for (long i = 0; i < 1009; ++i) map->assign(i, i);
    map.reset();
    std::fprintf(stderr, "gone\n");
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
