// SPDX-License-Identifier: Apache-2.0
#include "maps/subject_map.hpp"

#ifdef BENCH_MAPS_ABSEIL

#include <absl/container/flat_hash_map.h>

#include "maps/locked.hpp"
#include "maps/map_of.hpp"

namespace mapaudit::bench {
namespace {

template <class Key>
using Flat = Plain<absl::flat_hash_map<Key, MapValue>>;
template <class Key>
using LockedFlat = Locked<absl::flat_hash_map<Key, MapValue>>;

}  // namespace

void add_abseil(Field& field) {
    field.candidates.push_back({"absl::flat_hash_map", Side::plain, false, ~std::uint64_t{0}, make_of<Flat>});
    field.candidates.push_back(
        {"absl::flat_hash_map + mutex", Side::plain, true, ~std::uint64_t{0}, make_of<LockedFlat>});
}

}  // namespace mapaudit::bench

#else

void mapaudit::bench::add_abseil(Field& field) {
    field.left_out.push_back("absl::flat_hash_map: abseil (Debian: libabsl-dev) was not there when this was built");
}

#endif
