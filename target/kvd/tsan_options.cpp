// SPDX-License-Identifier: Apache-2.0
//
// ThreadSanitizer's search for deadlocks knows 64 locks held at once and ends the program at one more: tophash_map
// takes its 64 stripes when it grows, and the store already holds one of its own. Races are looked for all the same.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "detect_deadlocks=0"; }
