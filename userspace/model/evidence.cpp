// SPDX-License-Identifier: Apache-2.0
#include "model/evidence.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>

#include "model/function_name.hpp"

namespace mapaudit::model {
namespace {

auto identity(const Evidence& row) { return std::tie(row.kind, row.map->id, row.detail); }

void mix(std::size_t& hash, std::size_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15u; }

void mix(std::size_t& hash, const Stack& stack) {
    mix(hash, stack.frames.size());
    for (const Frame& frame : stack.frames) mix(hash, frame.offset);
}

bool begins_with_any(std::string_view name, std::span<const std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// How many of the innermost frames are the library's, with what it uses of the standard one in between.
std::size_t library_frames(const Stack& stack, const SourceTraits& source) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < stack.frames.size(); ++i) {
        const std::string name = brief_function(stack.frames[i].function);
        if (begins_with_any(name, source.library) && !begins_with_any(name, source.callers))
            count = i + 1;
        else if (!begins_with_any(name, source.between))
            break;
    }
    return count;
}

}  // namespace

bool EvidenceSums::alike(const Evidence& a, const Evidence& b) const {
    return identity(a) == identity(b) &&
           (!threads_apart_ || std::tie(a.tid, a.other_tid) == std::tie(b.tid, b.other_tid)) && a.stack == b.stack &&
           a.other_stack == b.other_stack;
}

// Equal for what is alike. Offsets say enough of a stack.
std::size_t EvidenceSums::likeness(const Evidence& row) const {
    std::size_t hash = static_cast<std::size_t>(row.kind);
    for (const std::size_t part : {std::size_t{row.map->id.id}, std::size_t{row.detail}}) mix(hash, part);
    if (threads_apart_) {
        mix(hash, row.tid);
        mix(hash, row.other_tid);
    }
    mix(hash, row.stack);
    mix(hash, row.other_stack);
    return hash;
}

std::size_t EvidenceSums::add(const Evidence& row) {
    const std::size_t hash = likeness(row);
    const auto [first, last] = by_likeness_.equal_range(hash);
    for (auto candidate = first; candidate != last; ++candidate) {
        Evidence& sum = sums_[candidate->second];
        if (!alike(sum, row)) continue;
        sum.count += row.count;
        sum.total_ns += row.total_ns;
        sum.max_ns = std::max(sum.max_ns, row.max_ns);
        sum.first_ns = std::min(sum.first_ns, row.first_ns);
        sum.last_ns = std::max(sum.last_ns, row.last_ns);
        return candidate->second;
    }
    by_likeness_.emplace(hash, sums_.size());
    sums_.push_back(row);
    return sums_.size() - 1;
}

std::vector<Evidence> merged(const std::vector<Evidence>& rows) {
    EvidenceSums sums(true);
    for (const Evidence& row : rows) sums.add(row);
    std::vector<Evidence> result = sums.take();
    std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.kind, b.total_ns, b.count) < std::tuple(b.kind, a.total_ns, a.count);
    });
    return result;
}

std::string_view waiting_op_name(std::uint32_t op) {
    switch (op) {
        case MAPAUDIT_OP_ASSIGN: return "assign";
        case MAPAUDIT_OP_LOOKUP: return "lookup";
        case MAPAUDIT_OP_ERASE: return "erase";
        case MAPAUDIT_OP_WHOLE: return "whole map";
        default: return "?";
    }
}

std::string_view conflict_name(std::uint32_t kind) {
    switch (kind) {
        case MAPAUDIT_CONFLICT_WRITE_WRITE: return "concurrent writes";
        case MAPAUDIT_CONFLICT_READ_WRITE: return "a read beside a write";
        case MAPAUDIT_CONFLICT_ITERATE_WRITE: return "an iteration beside a write";
        default: return "concurrent access";
    }
}

std::size_t first_telling_frame(const Stack& stack, const SourceTraits& source) {
    const std::size_t library = library_frames(stack, source);
    return library == 0 ? 0 : library - 1;
}

const Frame* caller_of(const Stack& stack, const SourceTraits& source) {
    const std::size_t library = library_frames(stack, source);
    if (library == 0) return stack.frames.empty() ? nullptr : &stack.frames[0];
    const auto is_own = [&](const Frame& frame) {
        return !begins_with_any(brief_function(frame.function), source.between);
    };
    const auto outside = stack.frames.begin() + static_cast<std::ptrdiff_t>(library);
    const auto own = std::find_if(outside, stack.frames.end(), is_own);
    if (own != stack.frames.end()) return &*own;
    return outside != stack.frames.end() ? &*outside : nullptr;
}

}  // namespace mapaudit::model
