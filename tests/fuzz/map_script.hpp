// SPDX-License-Identifier: Apache-2.0
//
// The body that both drivers run: bytes as a script of operations, carried out on every map and on the
// std::unordered_map that is their model. Whatever differs aborts, with a line that says what.
//
//   byte 0 of a step   operation (low 4 bits)      byte 1   key      byte 2 (assign only)   value
#ifndef MAPAUDIT_TESTS_FUZZ_MAP_SCRIPT_HPP
#define MAPAUDIT_TESTS_FUZZ_MAP_SCRIPT_HPP

#include <cstdint>
#include <span>

namespace mapaudit_test {

void run_map_script(std::span<const std::uint8_t> script);

}  // namespace mapaudit_test

#endif
