// SPDX-License-Identifier: Apache-2.0
//
// A small program with every probe, for the parser of their notes to read.
#include <mapaudit/mutex_map.hpp>

int main() {
    mapaudit::mutex_map<int, int> map("probed");
    map.assign(1, 1);
    static_cast<void>(map.lookup(1));
    return map.erase(1) ? 0 : 1;
}
