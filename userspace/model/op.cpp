// SPDX-License-Identifier: Apache-2.0
#include "model/op.hpp"

namespace mapaudit::model {

std::string_view op_name(Op op) {
    switch (op) {
        case Op::none: break;
        case Op::assign: return "assign";
        case Op::lookup: return "lookup";
        case Op::erase: return "erase";
        case Op::grow: return "grow";
        case Op::iterate: return "iterate";
    }
    return {};
}

std::optional<Op> op_named(std::string_view name) {
    for (const Op op : {Op::none, Op::assign, Op::lookup, Op::erase, Op::grow, Op::iterate})
        if (op_name(op) == name) return op;
    return std::nullopt;
}

}  // namespace mapaudit::model
