// SPDX-License-Identifier: Apache-2.0
//
// What a source calls things, and where its maps' own code ends, so that neither the model nor an output knows a
// source or a language by name. Each source has one constant of this type.
#pragma once

#include <span>
#include <string_view>

namespace mapaudit::model {

struct SourceTraits {
    std::string_view name;                                      // "usdt", …: the CSV's column `source`
    std::string_view thread = "thread";                         // what it tells apart by Evidence::tid: "goroutine"
    std::string_view absent_thread = "a thread that had left";  // stands for one whose id is not known
    std::string_view fatal_finder = "the target";               // who finds fatal errors
    std::string_view lock_advice = "put a lock round it";       // against concurrent access
    std::string_view size_hint = "reserve";                     // how a map is made with room
    bool counts_every_call = true;     // while it is attached; else calls are no measure of conflicts
    bool growth_speaks_alone = false;  // growth is advised on where no operation was seen
    // Functions of the map library, by the beginning of their names; those of `callers` are not, though a prefix in
    // `library` has them. Frames of `between` are nobody's own code: the library's where a frame of it lies further
    // out, and passed over on the way to the caller where none does.
    std::span<const std::string_view> library{}, callers{}, between{};
};

inline constexpr SourceTraits unknown_source{};

}  // namespace mapaudit::model
