// SPDX-License-Identifier: Apache-2.0
//
// go_map: Go's classic map with its write flag. For one thread at a time, or for several that only read.
//
//   Progress     never waits.
//   Update       update()'s and upsert()'s f works in place, erase_if()'s looks, with the write flag set; neither may
//                call the map. What it throws leaves the value as f left it.
//   Consistency  none between threads: a write beside any other access is an error of the program. The map looks for
//                it as Go does, by a flag set while writing, and like Go's the check is best effort: accesses that
//                overlap may go unseen, and only what overlaps is seen.
//   for_each     the callback may assign, erase and clear: an element that is there throughout is visited exactly once,
//                one that comes or goes meanwhile once or not at all, also while the map grows. The references handed
//                to the callback last until it writes to the map. visit()'s callback must not write.
//   Growth       a bucket or two a write: no write stops for the whole of it but for the allocation.
//
// A conflict always fires the `conflict` probe, on the thread that notices: the one that comes second, or the first as
// it leaves when the second slipped past it. The first reports its side as well, as it leaves. Then the policy:
//
//   abort    says what, on which map, between which threads, on stderr, and calls abort(), as Go's runtime would. While
//            somebody listens, it first gives the other thread up to a second to report its side.
//   throw_   throws conflict_error. Out of a second writer or a reader it comes before anything is touched; out of a
//            writer that finds on leaving that it was not alone, after its write. The map may be damaged by then only
//            where two writers slipped past each other.
//   report   goes on, into the very race: the program may crash, loop or lose elements, as it may without the check.
//            For a program that seems to survive its race and whose race is to be seen live; not a safe mode.
#ifndef MAPAUDIT_GO_MAP_HPP
#define MAPAUDIT_GO_MAP_HPP

#include <sched.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <mapaudit/detail/platform.hpp>
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

// One word: the id of the thread that is writing. Relaxed loads and stores, no read-modify-write where nothing is
// wrong: the flag orders nothing, and a program without the error must not pay for the check.
//
// Whoever comes upon a writer while somebody listens marks the flag, and leaves word of who it was. The writer, to
// whom the flag then looks wrong, takes the slow way out and reports its side, for its stack.
class write_flag {
public:
    static constexpr bool checked = true;

    explicit write_flag(conflict_policy policy) noexcept : policy_(policy) {}

    // All of it inlined, for it to stay in registers.
    template <class Map>
    class writing {
    public:
        [[gnu::always_inline]] writing(write_flag& flag, const Map& map)
            : flag_(flag), map_(map), self_(this_thread_id()) {
            if (const auto owner = flag_.owner(); owner != 0) [[unlikely]]
                flag_.came_upon(MAPAUDIT_CONFLICT_WRITE_WRITE, owner, map_);
            flag_.owner_.store(self_, std::memory_order_relaxed);
        }
        writing(const writing&) = delete;
        writing& operator=(const writing&) = delete;
        // When the write threw.
        [[gnu::always_inline]] ~writing() {
            if (self_ != 0 && thread_of(flag_.owner()) == self_) flag_.owner_.store(0, std::memory_order_relaxed);
        }
        // Leaves the critical section. Not to find oneself in the flag means that somebody was there meanwhile.
        [[gnu::always_inline]] void unlock() {
            const std::uint32_t self = std::exchange(self_, 0);
            if (flag_.owner() == self) [[likely]]
                flag_.owner_.store(0, std::memory_order_relaxed);
            else
                flag_.leave_in_conflict(self, map_);
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
    [[gnu::always_inline]] nothing_held read(Running&, const Map&) const noexcept {
        return {};
    }
    // A reader asks first, and takes another way when somebody writes: one that it need not save its registers for.
    bool is_written() const noexcept { return owner() != 0; }
    template <class Map>
    void read_beside_a_write(const Map& map) {
        if (const auto other = owner(); other != 0) came_upon(MAPAUDIT_CONFLICT_READ_WRITE, other, map);
    }
    template <class Map>
    writing<Map> rewrite(const Map& map) {
        return {*this, map};
    }
    template <class Map>
    nothing_held iterate(const Map&) const noexcept {
        return {};
    }
    template <class Map>
    nothing_held inspect(const Map&) const noexcept {
        return {};
    }
    template <class Map>
    [[gnu::always_inline]] void check_iteration(const Map& map) {
        if (const auto other = owner(); other != 0) [[unlikely]]
            came_upon(MAPAUDIT_CONFLICT_ITERATE_WRITE, other, map);
    }

private:
    static constexpr std::uint32_t caught = 1u << 31;  // above any thread id

    // What a writer that was come upon is to report.
    struct word_left {
        std::uint32_t writer = 0;
        std::uint32_t other_and_kind = 0;  // the kind above the thread id's 22 bits
    };

    static std::uint32_t thread_of(std::uint32_t owner) noexcept { return owner & ~caught; }
    std::uint32_t owner() const noexcept { return owner_.load(std::memory_order_relaxed); }

    template <class Map>
    [[gnu::cold, gnu::noinline]] void came_upon(mapaudit_conflict kind, std::uint32_t owner, const Map& map) {
        const std::uint32_t other = thread_of(owner);
        if (map.handle_.conflicts_heard()) {
            // First the word: the other may be about to leave.
            const std::uint64_t now = monotonic_ns();
            if (other != 0) leave_word(kind, owner);
            map.handle_.conflict(kind, other, MAPAUDIT_SIDE_SECOND, monotonic_ns() - now);
            if (policy_ == conflict_policy::abort && other != this_thread_id()) await_the_other_side();
        }
        act(kind, other, map);
    }
    void leave_word(mapaudit_conflict kind, std::uint32_t owner) noexcept {
        word_.store({thread_of(owner), this_thread_id() | static_cast<std::uint32_t>(kind) << 24});
        const std::uint32_t marked = owner | caught;
        if (owner != marked && !owner_.compare_exchange_strong(owner, marked, std::memory_order_relaxed))
            word_.store({});  // it has left meanwhile
    }
    // The process is about to end, and with it what the other thread could say. An operation takes far less than
    // this, unless its thread waits for a CPU.
    void await_the_other_side() const noexcept {
        const std::uint64_t until = monotonic_ns() + 1'000'000'000;
        while (word_.load().writer != 0 && monotonic_ns() < until) ::sched_yield();
    }

    template <class Map>
    [[gnu::cold, gnu::noinline]] void leave_in_conflict(std::uint32_t self, const Map& map) {
        const std::uint32_t owner = this->owner();
        if (thread_of(owner) == self) owner_.store(0, std::memory_order_relaxed);
        if (const word_left word = word_.load(); word.writer == self) {
            const auto kind = static_cast<mapaudit_conflict>(word.other_and_kind >> 24);
            map.handle_.conflict(kind, word.other_and_kind & 0xffffffu, MAPAUDIT_SIDE_FIRST);
            word_.store({});
        } else if (thread_of(owner) != self) {
            // Somebody slipped past the check, and is inside still: it is given word as one that was come upon. Or has
            // left: then there is nobody to be told.
            came_upon(MAPAUDIT_CONFLICT_WRITE_WRITE, owner, map);
        }
    }

    template <class Map>
    void act(mapaudit_conflict kind, std::uint32_t other, const Map& map) const {
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
    std::atomic<word_left> word_{};
    conflict_policy policy_;
};

struct go_design {
    static constexpr std::string_view kind = "go_map";
    static constexpr bool concurrent = false;
    using access = write_flag;
    template <class Part, class Allocator>
    using parts = one_part<Part, Allocator>;
};

}  // namespace detail

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class go_map : public detail::table_map<K, V, Hash, Equal, detail::go_design, Allocator> {
    using base = detail::table_map<K, V, Hash, Equal, detail::go_design, Allocator>;

public:
    explicit go_map(std::string_view name = {}, std::size_t reserve = 0,
                    conflict_policy policy = conflict_policy::abort, const Allocator& allocator = Allocator())
        : base(allocator, name, reserve, policy) {}
};

}  // namespace mapaudit

#endif
