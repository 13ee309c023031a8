// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>

#include "maps/locked.hpp"
#include "maps/map_of.hpp"

namespace mapaudit::bench {
namespace {

template <class Key>
using Standard = Plain<std::unordered_map<Key, MapValue>>;
template <class Key>
using LockedStandard = Locked<std::unordered_map<Key, MapValue>>;

}  // namespace

void add_standard(Field& field) {
    field.candidates.push_back({"std::unordered_map", Side::plain, false, ~std::uint64_t{0}, make_of<Standard>});
    field.candidates.push_back(
        {"std::unordered_map + mutex", Side::plain, true, ~std::uint64_t{0}, make_of<LockedStandard>});
}

}  // namespace mapaudit::bench
