// SPDX-License-Identifier: Apache-2.0
//
// What the threads of a point do, drawn before they start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maps/load_point.hpp"

namespace mapaudit::bench {

// The key's identity in the low 62 bits and the operation above: for integers the key itself, scattered so that no
// table is helped by keys that follow each other; for strings the place in `Keys::strings`.
using MapStep = std::uint64_t;
enum class MapOp : std::uint8_t { lookup, assign, erase };
inline constexpr unsigned identity_bits = 62;
inline constexpr std::uint64_t identity_mask = (std::uint64_t{1} << identity_bits) - 1;

inline MapOp op_of(MapStep step) { return static_cast<MapOp>(step >> identity_bits); }
inline std::uint64_t identity_of(MapStep step) { return step & identity_mask; }

// A bijection of 64 bits: the finalizer of MurmurHash3 (Austin Appleby, public domain).
inline std::uint64_t scattered(std::uint64_t index) {
    index = (index ^ index >> 33) * 0xff51afd7ed558ccdu;
    index = (index ^ index >> 33) * 0xc4ceb9fe1a85ec53u;
    return index ^ index >> 33;
}

struct Keys {
    Keys(KeyKind kind, std::uint64_t count);

    std::uint64_t identity(std::uint64_t index) const {
        return kind == KeyKind::integer ? scattered(index) & identity_mask : index;
    }
    KeyKind kind;
    std::uint64_t count;
    std::vector<std::string> strings;  // of 24 characters: longer than what a std::string keeps in itself
};

// Steps for all threads: each begins elsewhere and goes round. More than there are keys, as far as memory allows: what
// a thread comes back to has left the cache where the keys do not fit one. Throws std::bad_alloc.
std::vector<MapStep> draw_steps(const Point& point, const Keys& keys);

}  // namespace mapaudit::bench
