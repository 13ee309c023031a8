// SPDX-License-Identifier: Apache-2.0
//
// What a session asks of its sources, and when.
#include "collect/session.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

namespace mapaudit::collect {
namespace {

struct Asked {
    int collects = 0, events = 0;
};

// Sees nothing, and counts how often it was asked to look.
class CountingSource final : public sources::Source {
public:
    explicit CountingSource(Asked& asked) : asked_(asked) {}
    const model::SourceTraits& traits() const override {
        static constexpr model::SourceTraits counting{.name = "counting"};
        return counting;
    }
    void collect(model::Aggregator&) override { ++asked_.collects; }
    void take_events(model::Aggregator&) override { ++asked_.events; }
    void detach(model::Aggregator&) override {}
    model::Ledger ledger() const override { return {}; }
    sources::Level level() const override { return sources::Level::full; }
    model::Activity activity() const override { return {}; }
    std::uint64_t kernel_bytes() const override { return 0; }
    int urgent_fd() const override { return -1; }

private:
    Asked& asked_;
};

TEST(Session, what_is_urgent_is_no_reason_to_look_at_everything) {
    auto process = Process::open(::getpid());
    ASSERT_TRUE(process) << process.error().line();
    Asked asked;
    std::vector<std::unique_ptr<sources::Source>> sources;
    sources.push_back(std::make_unique<CountingSource>(asked));
    Session session({&*process}, std::move(sources), {});
    EXPECT_EQ(asked.collects, 1) << "events come after a first look";
    for (int i = 0; i < 1000; ++i) session.take_events();
    EXPECT_EQ(asked.collects, 1);
    EXPECT_EQ(asked.events, 1000);
    session.interval();
    EXPECT_EQ(asked.collects, 2);
}

}  // namespace
}  // namespace mapaudit::collect
