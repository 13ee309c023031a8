// SPDX-License-Identifier: Apache-2.0
//
// The body that both drivers of the notes' parser run: bytes as a script of edits to a program with probes, whose notes
// are then read. It may be refused or have fewer probes; an answer outside of the file aborts, with a line that says
// which.
//
//   byte 0  program (mod 2)   bytes 1, 2  how much is cut off its end, in 65536ths   then edits, as file_edits.hpp has
//   them
#ifndef MAPAUDIT_TESTS_FUZZ_USDT_EDITS_HPP
#define MAPAUDIT_TESTS_FUZZ_USDT_EDITS_HPP

#include <cstdint>
#include <span>

namespace mapaudit_test {

// How many sites were found; 0 where the program was refused.
std::size_t run_usdt_edits(std::span<const std::uint8_t> script);

}  // namespace mapaudit_test

#endif
