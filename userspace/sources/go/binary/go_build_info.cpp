// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_build_info.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace mapaudit::sources {
namespace {

constexpr std::string_view info_magic = "\xff Go buildinf:";
constexpr std::uint64_t info_alignment = 16, info_header = 32;
constexpr std::uint64_t longest_notes = 64 * 1024;
constexpr std::uint8_t strings_follow = 2;  // in the flags: since Go 1.18
constexpr std::uint64_t longest_version = 256;
constexpr std::uint32_t go_build_id_note = 4;

bool is_info(GoReader& reader, std::uint64_t address) {
    std::array<char, info_magic.size()> bytes;
    return reader.copy(address, bytes.data(), bytes.size()) &&
           std::equal(bytes.begin(), bytes.end(), info_magic.begin());
}

// Its address; 0: there is none.
std::uint64_t find_info(GoReader& reader) {
    if (const GoSection* section = reader.image().section(".go.buildinfo"))
        if (is_info(reader, section->address)) return section->address;
    std::uint64_t found = 0;
    reader.search(
        info_alignment, info_header, [](const GoSegment& segment) { return segment.writable; },
        [&](std::uint64_t at) {
            if (is_info(reader, at)) found = at;
            return found == 0;
        });
    return found;
}

bool has_build_id(GoReader& reader) {
    for (const GoSegment& segment : reader.image().segments()) {
        if (segment.type != PT_NOTE) continue;
        for (std::uint64_t at = 0; at < segment.size && at < longest_notes;) {
            const auto note = reader.get<Elf64_Nhdr>(segment.address + at);
            if (!note) break;
            const auto owner = reader.text(segment.address + at + sizeof *note, 8);
            if (note->n_type == go_build_id_note && owner == "Go") return true;
            const auto padded = [](std::uint64_t length) { return (length + 3) & ~std::uint64_t{3}; };
            at += sizeof *note + padded(note->n_namesz) + padded(note->n_descsz);
        }
    }
    return false;
}

}  // namespace

bool looks_like_go(GoReader& reader) {
    for (const char* name : {".gopclntab", ".data.rel.ro.gopclntab", ".go.buildinfo", ".note.go.buildid"})
        if (reader.image().section(name) != nullptr) return true;
    return has_build_id(reader) || find_info(reader) != 0;
}

std::string go_version(GoReader& reader) {
    const std::uint64_t info = find_info(reader);
    const auto flags = info == 0 ? std::nullopt : reader.get<std::uint8_t>(info + 15);
    if (!flags || (*flags & strings_follow) == 0) return {};
    std::uint64_t length = 0, at = info + info_header;
    for (unsigned shift = 0; shift < 14; shift += 7) {  // a varint; two bytes hold more than the longest
        const auto byte = reader.get<std::uint8_t>(at++);
        if (!byte) return {};
        length |= static_cast<std::uint64_t>(*byte & 0x7f) << shift;
        if ((*byte & 0x80) == 0) break;
    }
    std::string version(std::min(length, longest_version), '\0');
    if (length > longest_version || !reader.copy(at, version.data(), version.size())) return {};
    // It is shown to people: nothing that a terminal would obey.
    const bool printable = std::all_of(version.begin(), version.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return printable ? version : std::string();
}

}  // namespace mapaudit::sources
