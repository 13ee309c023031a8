// SPDX-License-Identifier: Apache-2.0
//
// An ELF file read by address, as the program in it would see itself before it runs. Headers are libelf's; contents are
// read with pread, piece by piece, since a mapping of a file that somebody truncates kills its reader.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit::sources {

struct GoSegment {
    std::uint32_t type = 0;                           // PT_LOAD, PT_NOTE, PT_DYNAMIC
    std::uint64_t address = 0, offset = 0, size = 0;  // size in the file
    bool executable = false, writable = false;

    bool is_loaded() const;
    bool holds(std::uint64_t at, std::uint64_t length) const {
        return at >= address && at - address <= size && length <= size - (at - address);
    }
};

struct GoSection {
    std::string name;
    std::uint64_t address = 0, size = 0;
};

class GoImage {
public:
    // Nothing: not an ELF file.
    static Result<std::optional<GoImage>> open(const std::string& path);

    int fd() const { return fd_.get(); }
    bool is_x86_64() const { return x86_64_; }
    bool position_independent() const { return position_independent_; }
    const std::vector<GoSegment>& segments() const { return segments_; }  // of the types above
    const GoSection* section(std::string_view name) const;                // null: there is none in memory of that name
    // The loaded segment whose part in the file holds all of [address, address + length); null: none.
    const GoSegment* loaded(std::uint64_t address, std::uint64_t length = 1) const;
    std::optional<std::uint64_t> file_offset(std::uint64_t address) const;

private:
    UniqueFd fd_;
    bool x86_64_ = false, position_independent_ = false;
    std::vector<GoSegment> segments_;
    std::vector<GoSection> sections_;
};

// Reads an image, with a few blocks of it kept at hand. One thread at a time: each makes its own. What lies outside the
// file's segments, or beyond the file's end, is nothing.
class GoReader {
public:
    explicit GoReader(const GoImage& image) : image_(image) {}

    const GoImage& image() const { return image_; }
    bool copy(std::uint64_t address, void* to, std::size_t length);
    template <class T>
    std::optional<T> get(std::uint64_t address) {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;
        if (!copy(address, &value, sizeof value)) return {};
        return value;
    }
    // A string that ends with a NUL within `limit` bytes.
    std::optional<std::string> text(std::uint64_t address, std::size_t limit);
    // Calls visit(address) for each address that is a multiple of `step` (a power of two) and has `length` bytes in a
    // loaded segment that `wanted`, until it returns false. A file that claims to be larger than any program is
    // searched in part.
    template <class Wanted, class Visit>
    void search(std::uint64_t step, std::uint64_t length, Wanted wanted, Visit visit) {
        std::uint64_t left = search_limit / step;
        for (const GoSegment& segment : image_.segments()) {
            if (!segment.is_loaded() || !wanted(segment)) continue;
            for (std::uint64_t at = -(-segment.address & -step); segment.holds(at, length); at += step)
                if (left-- == 0 || !visit(at)) return;
        }
    }
    // Calls visit(where, value) for each word that is relocated by the load bias alone (R_X86_64_RELATIVE), until it
    // returns false. Where a file is position-independent, its pointers stand here and not in their places.
    void for_each_relative(const std::function<bool(std::uint64_t, std::uint64_t)>& visit);

private:
    static constexpr std::size_t block_size = 8192, block_count = 16;
    static constexpr std::uint64_t search_limit = std::uint64_t{512} << 20;  // bytes
    struct Block {
        std::uint64_t number = ~std::uint64_t{0};
        std::vector<std::uint8_t> bytes;
    };
    const Block* block(std::uint64_t number);

    const GoImage& image_;
    std::array<Block, block_count> blocks_;
};

}  // namespace mapaudit::sources
