// SPDX-License-Identifier: Apache-2.0
//
// The runtime's functions that work on maps: by name, what they do and which registers hold what (Go's ABIInternal
// gives the first three words of the arguments in rax, rbx, rcx).
#pragma once

#include <optional>
#include <string_view>

#include "sources/go/binary/go_binary.hpp"

namespace mapaudit::sources {

struct GoMapFunction {
    GoRole role;
    std::optional<GoRegister> map_in, type_in;
};

// Nothing: a function that is not audited in programs of this design.
std::optional<GoMapFunction> map_function(std::string_view name, GoMapDesign design);

// The function whose presence tells the design: in programs of the other one it does not exist. Every program has one
// of the two, since the runtime uses maps itself.
inline constexpr std::string_view classic_sign = "runtime.hashGrow";
inline constexpr std::string_view swiss_sign = "internal/runtime/maps.(*table).grow";

}  // namespace mapaudit::sources
