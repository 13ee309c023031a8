// SPDX-License-Identifier: Apache-2.0
//
// Is a concurrent history of one key explained by some order in which its operations took effect one by one, each
// between its call and its return? The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with
// Lowe's memory of the configurations it has been in (2017). Exponential in the worst case: for histories of some
// dozens of operations.
#ifndef MAPAUDIT_TESTS_SUPPORT_LINEARIZABILITY_HPP
#define MAPAUDIT_TESTS_SUPPORT_LINEARIZABILITY_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace mapaudit_test {

struct event {
    enum class kind { assign, lookup, erase, upsert, erase_odd } what;
    std::uint64_t called, returned;        // on one clock for all threads
    std::uint64_t value = 0;               // assign: what was written; upsert: with what it is changed
    bool answer = false;                   // assign, upsert: the key was new; erase, erase_odd: it was erased
    std::optional<std::uint64_t> found{};  // lookup

    // What an upsert makes of the value that it finds, or of 0.
    static std::uint64_t changed(std::uint64_t there, std::uint64_t value) { return there * 31 + value; }
};

class linearizability_search {
public:
    using state = std::optional<std::uint64_t>;  // the key's value

    explicit linearizability_search(std::vector<event> history) : history_(std::move(history)) {
        if (history_.size() > 63) throw std::invalid_argument("a history of more than 63 operations");
    }
    bool explained() { return from(0, std::nullopt); }

private:
    bool from(std::uint64_t done, state now) {
        if (done == (std::uint64_t{1} << history_.size()) - 1) return true;
        if (!been_.emplace(done, now).second) return false;
        // Whatever has returned already must come before what is called later.
        std::uint64_t first_return = ~std::uint64_t{0};
        for (std::size_t i = 0; i < history_.size(); ++i)
            if ((done >> i & 1) == 0) first_return = std::min(first_return, history_[i].returned);
        for (std::size_t i = 0; i < history_.size(); ++i) {
            if ((done >> i & 1) != 0 || history_[i].called > first_return) continue;
            state next = now;
            if (applies(history_[i], next) && from(done | std::uint64_t{1} << i, next)) return true;
        }
        return false;
    }
    static bool applies(const event& e, state& now) {
        switch (e.what) {
            case event::kind::lookup: return e.found == now;
            case event::kind::assign: return e.answer == !std::exchange(now, e.value).has_value();
            case event::kind::erase: return e.answer == std::exchange(now, std::nullopt).has_value();
            case event::kind::upsert: {
                const bool is_new = !now.has_value();
                now = event::changed(now.value_or(0), e.value);
                return e.answer == is_new;
            }
            case event::kind::erase_odd: {
                const bool goes = now.has_value() && *now % 2 == 1;
                if (goes) now = std::nullopt;
                return e.answer == goes;
            }
        }
        return false;
    }

    std::vector<event> history_;
    std::set<std::pair<std::uint64_t, state>> been_;
};

inline bool linearizable(std::vector<event> history) { return linearizability_search(std::move(history)).explained(); }

}  // namespace mapaudit_test

#endif
