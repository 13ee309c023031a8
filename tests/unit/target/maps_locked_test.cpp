// SPDX-License-Identifier: Apache-2.0
//
// The kinds that are one table behind an access rule, or many.
#include <mapaudit/go_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>

#include "maps_tests.hpp"

namespace mapaudit_test {
namespace {

using namespace mapaudit;

using Kinds =
    testing::Types<go_map<u64, u64>, go_map<std::string, std::string>, mutex_map<u64, u64>,
                   mutex_map<std::string, std::string>, rwlock_map<u64, u64>, rwlock_map<std::string, std::string>,
                   sharded_map<u64, u64>, sharded_map<std::string, std::string>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Locked, Maps, Kinds);

}  // namespace
}  // namespace mapaudit_test
