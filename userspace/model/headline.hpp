// SPDX-License-Identifier: Apache-2.0
//
// What is wrong now, as one finding: the gravest of a report. What to do about it is advice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/report.hpp"

namespace mapaudit::model {

// The gravest first: a race makes a program wrong, the others make it slow.
enum class FindingKind {
    conflict,  // concurrent access where none is allowed
    waiting,   // an operation waits for its map's lock
    growing,   // growth takes most of an operation's time
};

struct Finding {
    FindingKind kind = FindingKind::conflict;
    MapRef map;
    Op op = Op::none;          // waiting, growing: the operation that loses the time
    std::uint64_t events = 0;  // conflicts, waits, growths
    double lost_ns = 0;        // waiting, growing
    double share = 0;          // that lost_ns is of the operation's time, 0 to 1
    // Where evidence tells. Waiting: the caller who held the lock for most of the time waited; conflict: who came upon
    // whom, most often.
    std::optional<Frame> where, other;
};

// What "nothing is wrong" rests on.
enum class Grounds {
    nothing,  // no call
    untimed,  // calls, not one of them timed: of waits and growth nothing is known
    few,      // too few timed calls
    enough,
};

struct Headline {
    std::optional<Finding> gravest;
    std::size_t other_maps = 0;  // with a finding of their own
    Grounds grounds = Grounds::nothing;
    std::uint64_t calls = 0, timed = 0;
};

// Looks at the sums among `rows` of maps that are `wanted`; `seconds` is the span they are of.
//
// Any conflict is a finding. An operation's waiting is one from a tenth of its time on, its growing from half of it on;
// both only if 20 calls were timed at least, and if the time lost is a hundredth of the span at least. Fewer than 20
// waits count only where they took a quarter of the span.
Headline headline_of(const std::vector<Row>& rows, const std::vector<Evidence>& evidence, double seconds,
                     const std::function<bool(const MapDescription&)>& wanted);

}  // namespace mapaudit::model
