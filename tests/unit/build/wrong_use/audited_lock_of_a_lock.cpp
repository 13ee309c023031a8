// SPDX-License-Identifier: Apache-2.0
// says: audited_lock<Mutex> wraps a mutex with the standard's interface
#include <mapaudit/audited_lock.hpp>
#include <mutex>
namespace audited_lock_of_a_lock {
#ifdef RIGHT
mapaudit::audited_lock<std::mutex> lock;
#else
mapaudit::audited_lock<std::lock_guard<std::mutex>> lock;
#endif
}  // namespace audited_lock_of_a_lock
