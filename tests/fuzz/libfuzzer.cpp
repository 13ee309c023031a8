// SPDX-License-Identifier: Apache-2.0
// libFuzzer's way in: cmake -DCMAKE_CXX_COMPILER=clang++ -DMAPAUDIT_FUZZ=ON, then fuzz_maps tests/fuzz/corpus.
#include <cstddef>

#include "map_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mapaudit_test::run_map_script({data, size});
    return 0;
}
