// SPDX-License-Identifier: Apache-2.0
//
// Maps that go before the auditor has looked a second time.
#include <gtest/gtest.h>

#include "sources/usdt/usdt_source.hpp"
#include "support/child.hpp"

namespace mapaudit::test {
namespace {

// mapaudit-kvd, ended within the first interval, showed the bug: if the auditor looked at the registry between the end
// of the map and that of the process, the calls were counted, and nobody's.
TEST(ShortLived, AMapThatWentBeforeTheFirstIntervalHasItsName) {
    Child target({std::string(MAPAUDIT_TARGETS) + "leaver"}, Child::Input::pipe);
    ASSERT_TRUE(target.wait_for("ready")) << target.err();
    auto process = Process::open(target.pid());
    ASSERT_TRUE(process) << process.error().line();
    auto source = sources::UsdtSource::attach({&*process}, {sources::Level::full, false, {}});
    ASSERT_TRUE(source) << source.error().line();
    ASSERT_TRUE(target.wait_for("gone")) << target.err();
    model::Aggregator aggregator({});
    (*source)->detach(aggregator);
    bool seen = false;
    for (const model::Row& row : aggregator.totals(1)) {
        if (row.op != model::Op::assign) continue;
        seen = true;
        EXPECT_EQ(row.map->name, "left");
        EXPECT_EQ(row.map->kind, "mutex_map");
        EXPECT_EQ(row.calls, 1009u);
        EXPECT_EQ(row.size, 1009u);  // its last
    }
    EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace mapaudit::test
