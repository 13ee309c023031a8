// SPDX-License-Identifier: Apache-2.0
//
// The kinds with limits: of time to live and number, of time to wait.
#include <mapaudit/cache_map.hpp>
#include <mapaudit/operation_map.hpp>

#include "maps_tests.hpp"

namespace mapaudit_test {
namespace {

using namespace mapaudit;

using Kinds = testing::Types<cache_map<u64, u64>, cache_map<std::string, std::string>, operation_map<u64, u64>,
                             operation_map<std::string, std::string>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Limited, Maps, Kinds);

}  // namespace
}  // namespace mapaudit_test
