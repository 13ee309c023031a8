// SPDX-License-Identifier: Apache-2.0
//
// A filled map of somebody's, driven through one interface: a call of it does many operations, so that no map is
// measured through an indirect call. Derived by MapOf (map_of.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "maps/map_load.hpp"

namespace mapaudit::bench {

// What a thread did, and what came of it.
struct Tally {
    std::uint64_t lookups = 0, found = 0;
    std::uint64_t assigns = 0, inserted = 0;
    std::uint64_t erases = 0, erased = 0;
    std::uint64_t wrong = 0;  // look-ups that gave another key's value

    std::uint64_t ops() const { return lookups + assigns + erases; }
    Tally& operator+=(const Tally& other);
};

inline constexpr std::size_t steps_a_chunk = 64;  // operations between two looks at `stop`

class MapSubject {
public:
    virtual ~MapSubject() = default;
    // Every key, those that are there included.
    virtual void fill(const Keys& keys) = 0;
    // Steps from the start of the chunk with `from` on, round and round: one chunk, and more until `stop`. Called by
    // each of the threads of a point.
    virtual Tally work(const Keys& keys, const std::vector<MapStep>& steps, std::size_t from,
                       const std::atomic<bool>& stop) = 0;
    virtual std::uint64_t size() = 0;  // exact while nobody is at work
};

// Ours, the concurrent maps of others, and others' maps that are not, alone or behind one mutex: what everybody can do.
enum class Side { ours, theirs, plain };

struct Candidate {
    std::string name;
    Side side;
    bool concurrent;
    std::uint64_t most_keys;  // beyond, filling it takes longer than is worth waiting for
    // Room for so many keys; null when it takes no such keys.
    std::function<std::unique_ptr<MapSubject>(KeyKind, std::uint64_t keys)> make;
};

// Which of the candidates take part in a point.
bool takes_part(const Candidate& candidate, const Point& point);

struct Field {
    std::vector<Candidate> candidates;
    std::vector<std::string> left_out;  // "what: why"
};
Field all_candidates();

// One for each file of candidates; a library that was not there when this was built is named in `left_out`.
void add_ours(Field& field);
void add_standard(Field& field);
void add_abseil(Field& field);
void add_tbb(Field& field);
void add_libcds(Field& field);
void add_lfht_memb(Field& field);
void add_lfht_qsbr(Field& field);

}  // namespace mapaudit::bench
