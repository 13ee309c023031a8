// SPDX-License-Identifier: Apache-2.0
//
// Where in a target's files a worker is reading right now, in memory that outlives it: what it died of.
#pragma once

#include <atomic>
#include <cstdint>

namespace mapaudit::symbols {

enum class Part : std::uint32_t { nothing, opening, debug_info, symbols, unwinding };

struct Marker {
    std::atomic<std::uint32_t> file{0};  // index into MappedFiles::all()
    std::atomic<Part> part{Part::nothing};
};

// Sets the marker for as long as it lives.
class Reading {
public:
    Reading(Marker& marker, std::uint32_t file, Part part)
        : marker_(marker), file_before_(marker.file), part_before_(marker.part) {
        marker_.file = file;
        marker_.part = part;
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() {
        marker_.file = file_before_;
        marker_.part = part_before_;
    }

private:
    Marker& marker_;
    std::uint32_t file_before_;
    Part part_before_;
};

}  // namespace mapaudit::symbols
