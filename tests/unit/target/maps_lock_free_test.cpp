// SPDX-License-Identifier: Apache-2.0
//
// The kinds whose readers take no lock.
#include <mapaudit/cas_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include "maps_tests.hpp"

namespace mapaudit_test {
namespace {

using namespace mapaudit;

using Kinds = testing::Types<tophash_map<u64, u64>, tophash_map<std::string, std::string>, cas_map<u64, u64>,
                             cas_map<std::string, u64>, sync_map<u64, u64>, sync_map<std::string, std::string>,
                             snapshot_map<u64, u64>, snapshot_map<std::string, std::string>>;
INSTANTIATE_TYPED_TEST_SUITE_P(LockFree, Maps, Kinds);

}  // namespace
}  // namespace mapaudit_test
