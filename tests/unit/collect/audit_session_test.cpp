// SPDX-License-Identifier: Apache-2.0
//
// What a session asks of its sources, and when.
#include "collect/audit_session.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include "fake_source.hpp"

namespace mapaudit::collect {
namespace {

class SessionTest : public testing::Test {
protected:
    Result<Process> process_ = Process::open(::getpid());
    Faked faked_;
};

TEST_F(SessionTest, what_is_urgent_is_no_reason_to_look_at_everything) {
    ASSERT_TRUE(process_) << process_.error().line();
    Session session({&*process_}, one_source(faked_), {});
    EXPECT_EQ(faked_.collects, 1) << "events come after a first look";
    for (int i = 0; i < 1000; ++i) session.take_events();
    EXPECT_EQ(faked_.collects, 1);
    EXPECT_EQ(faked_.events, 1000);
    session.interval();
    EXPECT_EQ(faked_.collects, 2);
}

// The total asked the sources for what they give once: asked for again, it had no evidence.
TEST_F(SessionTest, the_total_is_the_same_however_often_it_is_asked_for) {
    ASSERT_TRUE(process_) << process_.error().line();
    faked_.calls_each_collect = 7;
    model::Evidence evidence;
    evidence.map = model::MapDescription{.id = FakeSource::map};
    evidence.count = 3;
    faked_.evidence = {evidence};
    Session session({&*process_}, one_source(faked_), {});
    const model::Report last = session.finish();
    EXPECT_EQ(faked_.detaches, 1);
    const Session& finished = session;
    const model::Report first = finished.total(), second = finished.total();
    EXPECT_EQ(faked_.evidence_asked, 1);
    for (const model::Report& total : {first, second}) {
        EXPECT_EQ(total.scope, model::Scope::total);
        EXPECT_EQ(lookups(total), 14u);
        ASSERT_EQ(total.evidence.size(), 1u);
        EXPECT_EQ(total.evidence[0].count, 3u);
        EXPECT_EQ(total.evidence[0].map->name, "m");
    }
    EXPECT_EQ(lookups(last), 14u) << "the only interval";
    EXPECT_EQ(first.time, second.time);
    EXPECT_EQ(first.elapsed_s, second.elapsed_s);
    EXPECT_EQ(first.self.cpu_percent, second.self.cpu_percent);
    EXPECT_EQ(first.self.rss_bytes, second.self.rss_bytes);
    EXPECT_EQ(faked_.collects, 2) << "nothing is looked at after the end";
}

}  // namespace
}  // namespace mapaudit::collect
