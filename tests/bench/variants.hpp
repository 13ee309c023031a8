// SPDX-License-Identifier: Apache-2.0
//
// The variants and loads that are compared.
#pragma once

#include <string>

namespace mapaudit::bench {

inline constexpr const char* compiled_out_variant = "(a) compiled out";
inline constexpr const char* unattached_variant = "(b) unattached";
inline constexpr const char* full_variant = "(c) mapaudit full";
inline constexpr const char* without_blame_variant = "(C) the same, --no-cpu";
inline constexpr const char* sampled_variant = "(d) mapaudit sampled";
inline constexpr const char* events_variant = "(e) mapaudit events";
inline constexpr const char* function_variant = "(f) bpftrace entry+return";
inline constexpr const char* probe_variant = "(g) bpftrace per-op probe";

inline constexpr const char* maps[] = {"mutex_map", "go_map"};
inline constexpr const char* mixes[] = {"lookup", "chained", "mixed"};

inline std::string mix_description(const std::string& mix) {
    return mix == "lookup"    ? "look-ups"
           : mix == "chained" ? "look-ups, each of the key that the last one found"
                              : "90 % look-ups, 10 % assignments";
}

}  // namespace mapaudit::bench
