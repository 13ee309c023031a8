// SPDX-License-Identifier: Apache-2.0
//
// racing ACCESS POLICY TIMES: one thread writes to a go_map in race_writing() while another does ACCESS to it in
// race_beside(): write, read or iterate. The value takes long to write, so that they meet; nothing is inserted, so
// that they survive. Ends when the accessing thread has reported TIMES conflicts, or has had as many exceptions. Waits
// for an auditor first, and prints both thread ids.
#include <mapaudit/detail/thread_id.hpp>
#include <mapaudit/go_map.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "await_auditor.hpp"

namespace {

using namespace mapaudit;

std::atomic<int> overwriting = 0;  // overwrites that have begun

// Made and copied quickly, overwritten in most of a millisecond, which is done inside the critical section: whoever
// comes upon a writer that has just begun leaves it word, by code that has never run before, while it is still there.
struct slow_value {
    static constexpr std::size_t size = 1u << 20;
    std::unique_ptr<std::atomic<unsigned char>[]> bytes { new std::atomic<unsigned char>[ size ] };

    slow_value() = default;
    slow_value(const slow_value& other) noexcept { bytes[0].store(other.bytes[0], std::memory_order_relaxed); }
    slow_value(slow_value&&) noexcept = default;
    slow_value& operator=(const slow_value& other) noexcept {  // also when moved from: the memory stays
        ++overwriting;
        fill(static_cast<unsigned char>(other.bytes[0] + 1));
        return *this;
    }
    void fill(unsigned char value) noexcept {
        for (std::size_t i = 0; i < size; ++i) bytes[i].store(value, std::memory_order_relaxed);
    }
};

std::atomic<bool> over = false;
std::atomic<int> seen = 0;

// Conflicts that the calling thread has reported, of either side.
std::uint64_t reported() { return detail::tls_block == nullptr ? 0 : detail::tls_block->events; }

template <class Access>
void until_over(Access access) {
    while (!over) {
        try {
            access();
        } catch (const conflict_error&) {
            ++seen;
        }
    }
}

}  // namespace

[[gnu::noinline]] void race_writing(go_map<int, slow_value>& map) {
    static const slow_value value;
    map.assign(1, value);
    asm volatile("");  // not a tail call
}

[[gnu::noinline]] void race_beside(go_map<int, slow_value>& map, char access, slow_value value) {
    if (access == 'w') map.assign(1, std::move(value));
    if (access == 'r') map.visit(1, [](const slow_value&) {});
    if (access == 'i') map.for_each([](const int&, const slow_value&) {});
    asm volatile("");
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const char access = argv[1][0];
    const std::string policy = argv[2];
    go_map<int, slow_value> map("raced", 0,
                                policy == "abort"   ? conflict_policy::abort
                                : policy == "throw" ? conflict_policy::throw_
                                                    : conflict_policy::report);
    map.assign(1, slow_value());
    mapaudit::test::await_auditor();
    std::atomic<std::uint32_t> writer_id = 0;
    std::atomic<int> writes = 0;
    std::thread writer([&] {
        writer_id = detail::this_thread_id();
        until_over([&] {
            race_writing(map);
            ++writes;
        });
    });
    while (writes < 10) std::this_thread::yield();
    std::printf("%u %u\n", writer_id.load(), detail::this_thread_id());
    std::fflush(stdout);
    const int times = std::atoi(argv[3]);
    if (policy == "report") map.visit(1, [](const slow_value&) {});  // iterating alone counts nothing
    if (policy == "report")
        for (const std::uint64_t before = reported(); reported() < before + static_cast<std::uint64_t>(times);) {
            race_beside(map, access, slow_value());
            std::this_thread::yield();  // on one CPU they meet as well
        }
    else
        until_over([&] {
            // Beside a writer that has just begun, and not at once with it.
            slow_value value;
            for (const int before = overwriting; overwriting == before && !over;) continue;
            race_beside(map, access, std::move(value));
            if (seen >= times) over = true;
        });
    over = true;
    writer.join();
    return 0;
}
