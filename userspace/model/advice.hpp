// SPDX-License-Identifier: Apache-2.0
//
// What to do about what was seen: each piece of advice with the figures it rests on, none without.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/report.hpp"

namespace mapaudit::model {

enum class AdviceKind {
    guard,    // it is raced on: put a lock round it, or use a kind that has one
    release,  // its lock is held during something long: shorten that
    shard,    // its one lock is waited for: give parts of the keys a lock each
    share,    // it is mostly read, and readers wait for one another: let them share
    relieve,  // threads that hold its lock lose their CPU meanwhile: too many of them want to run
    reserve,  // it grows under way: make room at the start
};

struct Advice {
    AdviceKind kind = AdviceKind::reserve;
    MapRef map;

    std::uint64_t events = 0;  // guard: conflicts; release: waits for that hold; shard, share: waits; reserve: growths;
                               // relieve: preemptions of a thread that held the lock
    std::uint64_t calls = 0;   // of the map's operations
    double waited_ns = 0;      // in all; release: for that hold
    double share = 0;          // 0..1. release: of all time waited; shard, share: of the operations' time spent
                               // waiting; reserve: of the assigns' time that a reserve would have saved;
                               // relieve: of the time that the lock was held while waited for
    double reads = 0;          // share: look-ups among the calls
    double saved_ns = 0;       // reserve; 0: not known, operations were not watched
    double longest_ns = 0;     // release: the longest hold
    double preempted_ns = 0;   // relieve: time off the CPU with the lock in hand
    std::uint64_t elements = 0;  // reserve: this many; 0: it is several maps
    double p99_ns = 0;           // reserve: of the assigns, as it was
    double p99_without_ns = 0;   // and as it was without those that grew
    Frame where;                 // release: the holder's code; reserve, where saved_ns is not known: what grew it most
};

// What follows from a total report. The gravest first: conflicts, then by time lost.
std::vector<Advice> advise(const Report& total);

}  // namespace mapaudit::model
