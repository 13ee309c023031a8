// SPDX-License-Identifier: Apache-2.0
//
// The library of two_registries.cpp. Linked in two ways: so that its symbols stay its own, as those of a plugin with
// everything built in, and so that it shares them with the program.
#include <mapaudit/mutex_map.hpp>

#include "await_auditor.hpp"

namespace {

mapaudit::mutex_map<long, long>& map() {
    static mapaudit::mutex_map<long, long> map("sessions");
    return map;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void fill_library_map(long count) {
    for (long i = 0; i < count; ++i) map().assign(i, i);
}

__attribute__((visibility("default"))) void await_library_auditor() { mapaudit::test::await_auditor(); }
}
