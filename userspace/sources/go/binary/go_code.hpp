// SPDX-License-Identifier: Apache-2.0
//
// What a function's machine code says of where it can be probed. Decoded by Zydis.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "util/result.hpp"

namespace mapaudit::sources {

struct GoCode {
    std::optional<std::uint64_t> stack_check;  // address of the prologue's jbe; nothing: it has no stack check
    std::vector<std::uint64_t> returns;        // addresses of its RETs
    std::vector<std::uint64_t> calls;          // addresses that it calls directly
};

// Decodes the whole function, `code` at `address`, padding included. Go puts no data between instructions: a byte that
// is none is a reason to refuse, which the error gives. A stack check is known in the forms
//     cmp rsp, [r14+16]; jbe            lea r12, [rsp-N]; cmp r12, [r14+16]; jbe
Result<GoCode> read_code(std::span<const std::uint8_t> code, std::uint64_t address);

// Where in the runtime's g its status stands, by the code of runtime.casgstatus, which exchanges it (a 32-bit lock
// cmpxchg on the g it was given). The goroutine's number follows 8 bytes behind: status, stack lock, goid.
std::optional<std::uint32_t> status_offset(std::span<const std::uint8_t> code, std::uint64_t address);

}  // namespace mapaudit::sources
