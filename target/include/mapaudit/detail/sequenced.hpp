// SPDX-License-Identifier: Apache-2.0
//
// A trivially copyable value that is overwritten in place, under readers, by compare-and-swap.
//
//   sequence_   even: at rest · odd: a writer has claimed it · `dead`: erased, for good
//
//   Rules    A writer claims the value by swapping even for odd, stores the words, lets go with the next even number.
//            A reader that finds the same even number before and after its copy has a whole value. Each word is stored
//            with release and loaded with acquire: who sees one word of a newer value sees its claim as well, when it
//            looks at the sequence again.
#ifndef MAPAUDIT_DETAIL_SEQUENCED_HPP
#define MAPAUDIT_DETAIL_SEQUENCED_HPP

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

#include <mapaudit/detail/updating.hpp>

namespace mapaudit::detail {

template <class V>
class sequenced {
    static_assert(std::is_trivially_copyable_v<V>);
    static constexpr std::size_t words = (sizeof(V) + 7) / 8;
    static constexpr std::uint64_t dead = ~std::uint64_t{0};
    struct image {
        std::uint64_t word[words] = {};
    };
    // A place for a copy of V, which need not be default constructible.
    union copy {
        copy() {}
        char none;
        V value;
    };

public:
    explicit sequenced(const V& value) noexcept {
        const image i = image_of(value);
        for (std::size_t w = 0; w < words; ++w) word_[w].store(i.word[w], std::memory_order_relaxed);
    }

    // Calls f with a copy; false when the value is dead.
    template <class F>
    [[gnu::always_inline]] bool read(F&& f) const {
        copy out;
        std::uint64_t at;
        if (!load(out, at)) return false;
        std::invoke(f, static_cast<const V&>(out.value));
        return true;
    }

    // Calls change(copy), which returns whether to store it, and again with a newer one when somebody wrote meanwhile.
    // False when the value is dead.
    template <class Change>
    bool update(Change&& change) {
        for (unsigned tries = 0;; ++tries) {
            copy out;
            std::uint64_t at;
            if (!load(out, at)) return false;
            if (!change(out.value)) return true;
            // From the number of the copy: nobody has claimed the value since. Acquire as in claim().
            if (sequence_.compare_exchange_strong(at, at + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
                store(image_of(out.value), at);
                return true;
            }
            breathe(tries);
        }
    }

    // False when the value is dead.
    bool overwrite(const V& value) noexcept {
        const image i = image_of(value);
        std::uint64_t before = 0;
        if (!claim(before)) return false;
        store(i, before);
        return true;
    }

    void kill() noexcept {
        std::uint64_t before = 0;
        if (claim(before)) sequence_.store(dead, std::memory_order_release);
    }
    // kill() if f(copy) returns true, which is called again with a newer one when somebody wrote meanwhile. For the one
    // thread that may kill. False when it was not to.
    template <class F>
    bool kill_if(F& f) {
        if constexpr (asks_nothing<F>) {
            kill();
            return true;
        } else {
            for (unsigned tries = 0;; ++tries) {
                copy out;
                std::uint64_t at;
                if (!load(out, at) || !std::invoke(f, static_cast<const V&>(out.value))) return false;
                if (sequence_.compare_exchange_strong(at, dead, std::memory_order_acq_rel, std::memory_order_relaxed))
                    return true;
                breathe(tries);
            }
        }
    }

private:
    static image image_of(const V& value) noexcept {
        image i;
        std::memcpy(i.word, static_cast<const void*>(&value), sizeof(V));
        return i;
    }
    // A whole value and its number; false when it is dead.
    [[gnu::always_inline]] bool load(copy& out, std::uint64_t& at) const {
        for (unsigned tries = 0;; ++tries) {
            at = sequence_.load(std::memory_order_acquire);
            if (at == dead) return false;
            if (at % 2 == 0) [[likely]] {
                image i;
                for (std::size_t w = 0; w < words; ++w) i.word[w] = word_[w].load(std::memory_order_acquire);
                if (sequence_.load(std::memory_order_relaxed) == at) [[likely]] {
                    std::memcpy(static_cast<void*>(&out.value), i.word, sizeof(V));
                    return true;
                }
            }
            breathe(tries);
        }
    }
    // For who has claimed the value when its number was `before`.
    void store(const image& i, std::uint64_t before) noexcept {
        for (std::size_t w = 0; w < words; ++w) word_[w].store(i.word[w], std::memory_order_release);
        sequence_.store(before + 2, std::memory_order_release);
    }
    bool claim(std::uint64_t& before) noexcept {
        for (unsigned tries = 0;; ++tries) {
            before = sequence_.load(std::memory_order_relaxed);
            if (before == dead) return false;
            // Acquire: no store of ours moves before the claim.
            if (before % 2 == 0 && sequence_.compare_exchange_weak(before, before + 1, std::memory_order_acquire,
                                                                   std::memory_order_relaxed))
                return true;
            breathe(tries);
        }
    }
    // A claim lasts some nanoseconds, unless its holder was preempted: then its CPU is better given back.
    static void breathe(unsigned tries) noexcept {
        if (tries > 16) ::sched_yield();
    }

    std::atomic<std::uint64_t> sequence_ = 0;
    std::atomic<std::uint64_t> word_[words];
};

}  // namespace mapaudit::detail

#endif
