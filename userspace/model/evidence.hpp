// SPDX-License-Identifier: Apache-2.0
//
// What verdicts rest on: who waited for whom, who raced with whom, who grew a map, by call stack and thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mapaudit/probe_abi.h>

#include "model/map.hpp"
#include "model/stack.hpp"

namespace mapaudit::model {

enum class EvidenceKind {
    waiting = 1,  // stack: who waited; other: who held the lock; detail: mapaudit_op; times: the waits
    owning,       // stack: who let go of a lock that others waited for; detail: mapaudit_op; times: how long it held it
    racing,       // stack: who came upon the other; other: who was inside; detail: mapaudit_conflict
    growing,      // stack: whose operation grew the map; detail: mapaudit_grow_reason; times: the growths
    calling,      // stack: whose operation it was; detail: mapaudit_op; no times
};

// Events of one kind with the same map, stacks and threads.
struct Evidence {
    EvidenceKind kind = EvidenceKind::waiting;
    MapRef map;  // from a source: its id only; the session adds the rest
    std::uint32_t detail = 0;
    std::uint32_t tid = 0;        // as the target knows it; 0: several, or not known
    std::uint32_t other_tid = 0;  // likewise; of a lock, 0: readers
    std::uint64_t count = 0;
    std::uint64_t total_ns = 0, max_ns = 0;
    std::uint64_t first_ns = 0, last_ns = 0;  // CLOCK_MONOTONIC
    double first_s = 0, last_s = 0;           // since the attach
    Stack stack, other_stack;                 // without frames: not known, and `cut` says why
};

// Rows added up where they are of the same kind, map, detail and stacks, and, with threads_apart, of the same threads.
// A sum keeps the threads and names of its first row.
class EvidenceSums {
public:
    explicit EvidenceSums(bool threads_apart) : threads_apart_(threads_apart) {}

    // The index of the row's sum; that of the next one if it is the first of its like.
    std::size_t add(const Evidence& row);
    std::vector<Evidence> take() { return std::move(sums_); }

private:
    bool alike(const Evidence& a, const Evidence& b) const;
    std::size_t likeness(const Evidence& row) const;

    bool threads_apart_;
    std::vector<Evidence> sums_;
    std::unordered_multimap<std::size_t, std::size_t> by_likeness_;  // indices of sums_
};

// Rows that differ in nothing but their numbers become one; by kind, then most time first, then most often.
std::vector<Evidence> merged(const std::vector<Evidence>& rows);

// "waited", …: "an assign", "the whole map (an iteration, a clear)".
std::string_view waiting_op_name(std::uint32_t op);
// "concurrent writes", "a read beside a write", "an iteration beside a write".
std::string_view conflict_name(std::uint32_t kind);

// Where in a stack the caller's own code begins: frames before it belong to the map library. At most size() - 1, so
// that a stack never becomes empty; keeps the map's operation itself, the last of the library's frames.
std::size_t first_telling_frame(const Stack& stack, const SourceTraits& source);
// The innermost frame outside the map library that is the program's own code, which a lock guard of the standard
// library is not (SourceTraits::between); where there is no such frame, the innermost outside; null where there is
// none.
const Frame* caller_of(const Stack& stack, const SourceTraits& source);

}  // namespace mapaudit::model
