// SPDX-License-Identifier: Apache-2.0
//
// The operations that a row, a cell or evidence is about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <mapaudit/probe_abi.h>

namespace mapaudit::model {

// Rows stand in this order. `none` is on the row of what is lost and belongs to no map.
enum class Op : std::uint8_t { none, assign, lookup, erase, grow, iterate };

// "assign", …, as the CSV's column `op` has it; of none, empty.
std::string_view op_name(Op op);
// The reverse; nothing for a name that this version does not know.
std::optional<Op> op_named(std::string_view name);

// The operation of the probes' ABI (enum mapaudit_op). One that a newer target may send is `none`.
constexpr Op op_of(std::uint32_t abi_op) {
    switch (abi_op) {
        case MAPAUDIT_OP_ASSIGN: return Op::assign;
        case MAPAUDIT_OP_LOOKUP: return Op::lookup;
        case MAPAUDIT_OP_ERASE: return Op::erase;
        case MAPAUDIT_OP_GROW: return Op::grow;
        case MAPAUDIT_OP_WHOLE: return Op::iterate;
        default: return Op::none;
    }
}

// The place of a hot operation among MAPAUDIT_HOT_OPS; nothing for the others.
constexpr std::optional<std::size_t> hot_index(Op op) {
    switch (op) {
        case Op::assign: return MAPAUDIT_OP_ASSIGN;
        case Op::lookup: return MAPAUDIT_OP_LOOKUP;
        case Op::erase: return MAPAUDIT_OP_ERASE;
        default: return std::nullopt;
    }
}

}  // namespace mapaudit::model
