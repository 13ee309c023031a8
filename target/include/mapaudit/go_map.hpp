// SPDX-License-Identifier: Apache-2.0
//
// go_map: Go's classic map with its write flag. For one thread at a time, or for several that only read.
//
//   Progress     never waits.
//   Consistency  none between threads: a write beside any other access is an error of the program. The map looks for
//                it as Go does, by a flag set while writing, and like Go's the check is best effort: accesses that
//                overlap may go unseen, and only what overlaps is seen.
//   for_each     the callback may assign, erase and clear: an element that is there throughout is visited exactly once,
//                one that comes or goes meanwhile once or not at all, also while the map grows. The references handed
//                to the callback last until it writes to the map. visit()'s callback must not write.
//   Growth       a bucket or two a write: no write stops for the whole of it but for the allocation.
//
// A conflict always fires the `conflict` probe, on the thread that notices: the one that comes second, or the first as
// it leaves when the second slipped past it; both may report the same overlap. Then the policy:
//
//   abort    says what, on which map, between which threads, on stderr, and calls abort(), as Go's runtime would.
//   throw_   throws conflict_error. Out of a second writer or a reader it comes before anything is touched; out of a
//            writer that finds on leaving that it was not alone, after its write. The map may be damaged by then only
//            where two writers slipped past each other.
//   report   goes on, into the very race: the program may crash, loop or lose elements, as it may without the check.
//            For a program that seems to survive its race and whose race is to be seen live; not a safe mode.
#ifndef MAPAUDIT_GO_MAP_HPP
#define MAPAUDIT_GO_MAP_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <mapaudit/detail/table_map.hpp>
#include <mapaudit/detail/thread_id.hpp>

namespace mapaudit {

enum class conflict_policy : std::uint8_t { abort, throw_, report };

// Concurrent access to a map that does not allow it.
class conflict_error : public std::runtime_error {
public:
    conflict_error(const std::string& what, mapaudit_conflict kind, std::uint32_t map_id, std::uint32_t other_thread)
        : std::runtime_error(what), kind_(kind), map_id_(map_id), other_thread_(other_thread) {}

    mapaudit_conflict kind() const noexcept { return kind_; }
    std::uint32_t map_id() const noexcept { return map_id_; }
    // Kernel id of the thread that was inside; 0 when it had left again.
    std::uint32_t other_thread() const noexcept { return other_thread_; }

private:
    mapaudit_conflict kind_;
    std::uint32_t map_id_;
    std::uint32_t other_thread_;
};

namespace detail {

// One word: the id of the thread that is writing. Relaxed loads and stores, no read-modify-write: the flag orders
// nothing, and a program without the error must not pay for the check.
class write_flag {
public:
    explicit write_flag(conflict_policy policy) noexcept : policy_(policy) {}

    template <class Map>
    class writing {
    public:
        writing(write_flag& flag, const Map& map) : flag_(flag), map_(map), self_(this_thread_id()) {
            if (const auto other = flag_.owner(); other != 0) [[unlikely]]
                flag_.conflict(MAPAUDIT_CONFLICT_WRITE_WRITE, other, map_);
            flag_.owner_.store(self_, std::memory_order_relaxed);
        }
        writing(const writing&) = delete;
        writing& operator=(const writing&) = delete;
        // When the write threw.
        ~writing() {
            if (self_ != 0 && flag_.owner() == self_) flag_.owner_.store(0, std::memory_order_relaxed);
        }
        // Leaves the critical section. Not to find oneself in the flag means that somebody slipped past the check.
        void unlock() {
            const std::uint32_t self = std::exchange(self_, 0);
            const std::uint32_t other = flag_.owner();
            if (other == self) [[likely]]
                flag_.owner_.store(0, std::memory_order_relaxed);
            else
                flag_.conflict(MAPAUDIT_CONFLICT_WRITE_WRITE, other, map_);
        }

    private:
        write_flag& flag_;
        const Map& map_;
        std::uint32_t self_;  // 0 once left
    };
    struct nothing_held {};

    template <class Running, class Map>
    [[gnu::always_inline]] writing<Map> write(Running&, const Map& map) {
        return {*this, map};
    }
    template <class Running, class Map>
    [[gnu::always_inline]] nothing_held read(Running&, const Map& map) {
        if (const auto other = owner(); other != 0) [[unlikely]] conflict(MAPAUDIT_CONFLICT_READ_WRITE, other, map);
        return {};
    }
    template <class Map>
    nothing_held iterate(const Map&) const noexcept {
        return {};
    }
    nothing_held inspect() const noexcept { return {}; }
    template <class Map>
    [[gnu::always_inline]] void check_iteration(const Map& map) {
        if (const auto other = owner(); other != 0) [[unlikely]] conflict(MAPAUDIT_CONFLICT_ITERATE_WRITE, other, map);
    }

private:
    std::uint32_t owner() const noexcept { return owner_.load(std::memory_order_relaxed); }

    template <class Map>
    [[gnu::cold, gnu::noinline]] void conflict(mapaudit_conflict kind, std::uint32_t other, const Map& map) const {
        map.handle_.conflict(kind, other);
        if (policy_ == conflict_policy::report) return;
        const std::string text = describe(kind, other, Map::kind, map.name(), map.id());
        if (policy_ == conflict_policy::throw_) throw conflict_error(text, kind, map.id(), other);
        std::fprintf(stderr, "mapaudit: fatal: %s\n", text.c_str());
        std::abort();
    }
    static std::string describe(mapaudit_conflict kind, std::uint32_t other, std::string_view map_kind,
                                std::string_view name, std::uint32_t id) {
        const char* const what = kind == MAPAUDIT_CONFLICT_WRITE_WRITE  ? "concurrent map writes"
                                 : kind == MAPAUDIT_CONFLICT_READ_WRITE ? "concurrent map read and map write"
                                                                        : "concurrent map iteration and map write";
        std::string text = what;
        text.append(" on ").append(map_kind).append(" \"").append(name).append("\" (map ").append(std::to_string(id));
        text.append("): thread ").append(std::to_string(this_thread_id())).append(" while thread ");
        text.append(other != 0 ? std::to_string(other) : "unknown (it has left)").append(" writes");
        return text;
    }

    std::atomic<std::uint32_t> owner_ = 0;  // 0: nobody
    conflict_policy policy_;
};

struct go_design {
    static constexpr std::string_view kind = "go_map";
    static constexpr bool concurrent = false;
    using access = write_flag;
    template <class Part>
    using parts = one_part<Part>;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class go_map : public detail::table_map<K, V, Hash, Equal, detail::go_design> {
    using base = detail::table_map<K, V, Hash, Equal, detail::go_design>;

public:
    explicit go_map(std::string_view name = {}, std::size_t reserve = 0,
                    conflict_policy policy = conflict_policy::abort)
        : base(name, reserve, policy) {}
};

}  // namespace mapaudit

#endif
