// SPDX-License-Identifier: Apache-2.0
//
// What the go source calls things: Go programs and their runtime.
#pragma once

#include <array>
#include <string_view>

#include "model/source_traits.hpp"

namespace mapaudit::sources {

// A package's functions begin with its name and a dot. The maps' operations are the runtime's; reflect and sync.Map
// lead there.
inline constexpr std::array<std::string_view, 4> go_library{"runtime.", "reflect.", "internal/runtime/maps.",
                                                            "sync.(*Map)."};

inline constexpr model::SourceTraits go_traits{
    .name = "go",
    .thread = "goroutine",
    .absent_thread = "another one",
    .fatal_finder = "the runtime",
    .lock_advice = "put a sync.Mutex round it, or use a sync.Map",
    .size_hint = "make's size hint",
    .counts_every_call = false,
    .growth_speaks_alone = true,
    .library = go_library,
};

}  // namespace mapaudit::sources
