// SPDX-License-Identifier: Apache-2.0
//
// What the tests of batches share: the calling thread's block, on one CPU, that hands nothing over for its age.
#ifndef MAPAUDIT_TESTS_TARGET_BATCH_FIXTURE_HPP
#define MAPAUDIT_TESTS_TARGET_BATCH_FIXTURE_HPP

#include "recording.hpp"

#include <mapaudit/go_map.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <cstdint>
#include <vector>

#ifndef MAPAUDIT_NO_PROBES
namespace mapaudit_test {

inline mapaudit_thread_block& my_block() { return *mapaudit::detail::tls_block; }

// The calling thread on one CPU: a move to another hands a batch over early.
class pinned {
public:
    pinned() {
        ::sched_getaffinity(0, sizeof before_, &before_);
        to(cpus().front());
    }
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    ~pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }

    std::vector<int> cpus() const {
        std::vector<int> found;
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &before_)) found.push_back(cpu);
        return found;
    }
    static void to(int cpu) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    }

private:
    cpu_set_t before_;
};

class Batch : public testing::Test {
protected:
    // No batch goes out for its age: a slow machine would hand over what the tests look at.
    Batch() {
        const mapaudit::go_map<std::uint64_t, std::uint64_t> first;
        const listening on(MAPAUDIT_SEM_BATCH);
        static_cast<void>(first.lookup(0));
        my_block().deadline = ~std::uint64_t{0};
    }
    ~Batch() override { my_block().deadline = 0; }

    pinned pinned_;
};

inline void expect_sound(const mapaudit_record& record) {
    EXPECT_LE(record.wait, record.latency);
    if ((record.flags & MAPAUDIT_REC_SCALED) == 0) {
        EXPECT_EQ(record.bucket, mapaudit_bucket(record.latency));
    }
}

}  // namespace mapaudit_test
#endif

#endif
