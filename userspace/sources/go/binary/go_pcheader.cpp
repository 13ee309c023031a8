// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_pcheader.hpp"

#include <fmt/format.h>

namespace mapaudit::sources {
namespace {

struct Header {
    std::uint32_t magic;
    std::uint8_t zero[2];
    std::uint8_t instruction_unit;  // 1 on x86
    std::uint8_t pointer_size;
    std::uint64_t function_count, file_count;
    std::uint64_t text;  // before Go 1.26, and to be relocated: moduledata's is used instead
    std::uint64_t names, units, files, values, functions;  // from the header on
};
static_assert(sizeof(Header) == 0x48);

constexpr std::uint32_t go1_2_magic = 0xfffffffb, go1_16_magic = 0xfffffffa;
constexpr std::size_t most_candidates = 16;  // a file full of magic numbers is not searched for ever

bool known(std::uint32_t magic) {
    return magic == static_cast<std::uint32_t>(GoLayout::go1_18) ||
           magic == static_cast<std::uint32_t>(GoLayout::go1_20);
}

bool begins_header(const Header& header) {
    return header.zero[0] == 0 && header.zero[1] == 0 && header.instruction_unit == 1 && header.pointer_size == 8;
}

// The part of an entry that is in no segment's end: (count + 1) * 8 bytes must be there.
bool holds_functions(const GoImage& image, std::uint64_t start, std::uint64_t count) {
    const GoSegment* segment = image.loaded(start);
    return segment != nullptr && count > 0 && count < (segment->size - (start - segment->address)) / 8;
}

}  // namespace

std::vector<std::uint64_t> header_candidates(GoReader& reader) {
    std::vector<std::uint64_t> found;
    for (const char* name : {".gopclntab", ".data.rel.ro.gopclntab"})
        if (const GoSection* section = reader.image().section(name)) found.push_back(section->address);
    if (!found.empty()) return found;
    reader.search(
        8, sizeof(Header), [](const GoSegment& segment) { return !segment.executable; },
        [&](std::uint64_t at) {
            const auto magic = reader.get<std::uint32_t>(at);
            if (magic && known(*magic) && read_header(reader, at)) found.push_back(at);
            return magic && found.size() < most_candidates;  // no magic: the file is shorter than its headers say
        });
    return found;
}

Result<GoPclntab> read_header(GoReader& reader, std::uint64_t address) {
    const auto header = reader.get<Header>(address);
    if (!header) return Error::of(Failure::failed, "its function table is cut off");
    if (header->magic == go1_2_magic || header->magic == go1_16_magic)
        return Error::of(Failure::failed, "it was built by a Go older than 1.18");
    if (!known(header->magic))
        return Error::of(Failure::failed,
                         fmt::format("its function table is of an unknown format ({:#x})", header->magic));
    GoPclntab table;
    table.layout = static_cast<GoLayout>(header->magic);
    table.address = address;
    table.function_count = header->function_count;
    table.names = address + header->names;
    table.units = address + header->units;
    table.files = address + header->files;
    table.values = address + header->values;
    table.functions = address + header->functions;
    for (const std::uint64_t start : {table.names, table.units, table.files, table.values, table.functions})
        if (start <= address || reader.image().loaded(start) == nullptr)
            return Error::of(Failure::failed, "its function table's header is damaged");
    if (!begins_header(*header) || !holds_functions(reader.image(), table.functions, table.function_count))
        return Error::of(Failure::failed, "its function table's header is damaged");
    return table;
}

}  // namespace mapaudit::sources
