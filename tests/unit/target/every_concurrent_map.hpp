// SPDX-License-Identifier: Apache-2.0
//
// The shipped maps that several threads may use at once, for typed tests.
#ifndef MAPAUDIT_TESTS_TARGET_EVERY_CONCURRENT_MAP_HPP
#define MAPAUDIT_TESTS_TARGET_EVERY_CONCURRENT_MAP_HPP

#include <mapaudit/cache_map.hpp>
#include <mapaudit/cas_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

#include <gtest/gtest.h>

namespace mapaudit_test {

template <class K, class V, class Hash = std::hash<K>>
using every_concurrent_map =
    testing::Types<mapaudit::mutex_map<K, V, Hash>, mapaudit::rwlock_map<K, V, Hash>, mapaudit::sharded_map<K, V, Hash>,
                   mapaudit::tophash_map<K, V, Hash>, mapaudit::cas_map<K, V, Hash>, mapaudit::sync_map<K, V, Hash>,
                   mapaudit::snapshot_map<K, V, Hash>, mapaudit::cache_map<K, V, Hash>,
                   mapaudit::operation_map<K, V, Hash>>;

}  // namespace mapaudit_test

#endif
