// SPDX-License-Identifier: Apache-2.0
#include "model/evidence.hpp"

#include <algorithm>
#include <tuple>

#include "model/function_name.hpp"

namespace mapaudit::model {
namespace {

auto identity(const Evidence& row) {
    return std::tie(row.kind, row.pid, row.domain, row.map_id, row.detail, row.tid, row.other_tid);
}
bool same(const Evidence& a, const Evidence& b) {
    return identity(a) == identity(b) && a.stack == b.stack && a.other_stack == b.other_stack;
}

// Of the map library; the workload driver shares its namespace and is a caller like any other.
bool is_library(const std::string& name) {
    return (name.starts_with("mapaudit::") && !name.starts_with("mapaudit::workload::")) ||
           name.starts_with("mapaudit_probe_");
}

// How many of the innermost frames are the library's, with what it uses of the standard one in between.
std::size_t library_frames(const Stack& stack) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < stack.frames.size(); ++i) {
        const std::string name = brief_function(stack.frames[i].function);
        if (is_library(name))
            count = i + 1;
        else if (!name.starts_with("std::"))
            break;
    }
    return count;
}

}  // namespace

std::vector<Evidence> merged(std::vector<Evidence> rows) {
    std::vector<Evidence> result;
    for (Evidence& row : rows) {
        const auto twin =
            std::find_if(result.begin(), result.end(), [&](const auto& other) { return same(row, other); });
        if (twin == result.end()) {
            result.push_back(std::move(row));
            continue;
        }
        twin->count += row.count;
        twin->total_ns += row.total_ns;
        twin->max_ns = std::max(twin->max_ns, row.max_ns);
        twin->first_ns = std::min(twin->first_ns, row.first_ns);
        twin->last_ns = std::max(twin->last_ns, row.last_ns);
    }
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

std::size_t first_telling_frame(const Stack& stack) {
    const std::size_t library = library_frames(stack);
    return library == 0 ? 0 : library - 1;
}

const Frame* caller_of(const Stack& stack) {
    const std::size_t library = library_frames(stack);
    return library < stack.frames.size() ? &stack.frames[library] : nullptr;
}

}  // namespace mapaudit::model
