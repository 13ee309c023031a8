// SPDX-License-Identifier: Apache-2.0
//
// Smaller counts for tests that one thread keeps busy for seconds: a sanitizer makes minutes of them.
#ifndef MAPAUDIT_TESTS_SUPPORT_SANITIZED_HPP
#define MAPAUDIT_TESTS_SUPPORT_SANITIZED_HPP

namespace mapaudit_test {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MAPAUDIT_TESTS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MAPAUDIT_TESTS_SANITIZED 1
#endif
#endif

// How often a test repeats itself with another seed.
constexpr unsigned seeds(unsigned usually) {
#ifdef MAPAUDIT_TESTS_SANITIZED
    return (usually + 7) / 8;
#else
    return usually;
#endif
}

}  // namespace mapaudit_test

#endif
