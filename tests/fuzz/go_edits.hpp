// SPDX-License-Identifier: Apache-2.0
//
// The body that both drivers of the Go resolver run: bytes as a script of edits to a Go program, which is then read.
// It may be refused or give fewer functions; an answer outside of the file aborts, with a line that says which.
//
//   byte 0  program (mod 3)   then edits, as file_edits.hpp has them
#ifndef MAPAUDIT_TESTS_FUZZ_GO_EDITS_HPP
#define MAPAUDIT_TESTS_FUZZ_GO_EDITS_HPP

#include <cstdint>
#include <span>

namespace mapaudit_test {

// How many functions were found; 0 where the program was refused.
std::size_t run_go_edits(std::span<const std::uint8_t> script);

}  // namespace mapaudit_test

#endif
