// SPDX-License-Identifier: Apache-2.0
// libFuzzer's way in: cmake -DCMAKE_CXX_COMPILER=clang++ -DMAPAUDIT_FUZZ=ON, then fuzz_usdt tests/fuzz/corpus_usdt.
#include <cstddef>

#include "usdt_edits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mapaudit_test::run_usdt_edits({data, size});
    return 0;
}
