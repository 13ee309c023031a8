// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_evidence.hpp"

#include <algorithm>
#include <array>

namespace mapaudit::sources {
namespace {

constexpr std::size_t most_growths = 1u << 14, most_callers = 1u << 14, most_conflicts = 256;

// As the runtime has them (runtime/map*.go; internal/runtime/maps from 1.24).
constexpr std::array<std::pair<std::string_view, mapaudit_conflict>, 3> conflict_messages{
    {{"concurrent map writes", MAPAUDIT_CONFLICT_WRITE_WRITE},
     {"concurrent map read and map write", MAPAUDIT_CONFLICT_READ_WRITE},
     {"concurrent map iteration and map write", MAPAUDIT_CONFLICT_ITERATE_WRITE}}};

}  // namespace

std::optional<mapaudit_conflict> conflict_of(std::string_view message) {
    for (const auto& [text, conflict] : conflict_messages)
        if (text == message) return conflict;
    return {};
}

void GoEvidence::grew(const GoPlace& place, mapaudit_grow_reason reason, const Times& times) {
    if (times.count == 0) return;
    const std::pair key{place, reason};
    if (growths_.size() >= most_growths && !growths_.contains(key)) {
        dropped_ += times.count;
        return;
    }
    Times& sum = growths_[key];
    if (sum.count == 0) sum.first_ns = times.first_ns;
    sum.count += times.count;
    sum.last_ns = std::max(sum.last_ns, times.last_ns);
}

void GoEvidence::called(const GoPlace& place, mapaudit_op op, std::uint64_t count) {
    const std::pair key{place, op};
    if (calls_.size() >= most_callers && !calls_.contains(key))
        dropped_ += count;
    else
        calls_[key] += count;
}

void GoEvidence::raced(model::Evidence row) {
    if (conflicts_.size() < most_conflicts)
        conflicts_.push_back(std::move(row));
    else
        ++dropped_;
}

std::vector<model::Evidence> GoEvidence::rows(
    const std::function<void(const GoPlace&, model::Evidence&)>& locate) const {
    std::vector<model::Evidence> rows = conflicts_;
    for (const auto& [key, times] : growths_) {
        const auto& [place, reason] = key;
        model::Evidence row;
        row.kind = model::EvidenceKind::growing;
        row.detail = reason;
        row.count = times.count;
        row.first_ns = times.first_ns;
        row.last_ns = times.last_ns;
        locate(place, row);
        rows.push_back(std::move(row));
    }
    for (const auto& [key, count] : calls_) {
        const auto& [place, op] = key;
        model::Evidence row;
        row.kind = model::EvidenceKind::calling;
        row.detail = op;
        row.count = count;
        locate(place, row);
        rows.push_back(std::move(row));
    }
    return model::merged(rows);
}

}  // namespace mapaudit::sources
