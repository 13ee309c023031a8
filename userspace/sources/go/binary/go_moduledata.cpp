// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_moduledata.hpp"

#include <array>
#include <vector>

namespace mapaudit::sources {
namespace {

// Words of moduledata, by index.
constexpr std::size_t min_pc = 0xa0 / 8, max_pc = 0xa8 / 8, text = 0xb0 / 8;
constexpr std::size_t types_1_18 = 0x118 / 8, types_1_20 = 0x128 / 8;  // 1.20 put the coverage counters before them
// From the types' start on, to Go 1.26: end of types, rodata, function data. From 1.27: length of the descriptors among
// the types, end of types, offset and length of the itabs, rodata, function data.
constexpr std::size_t end_1_18 = 1, function_data_1_18 = 3;
constexpr std::size_t descriptors_1_27 = 1, end_1_27 = 2, function_data_1_27 = 6;
constexpr std::size_t word_count = types_1_20 + function_data_1_27 + 1;
constexpr std::size_t most_candidates = 64;

using Words = std::array<std::uint64_t, word_count>;

// The structure as it will be once the program is loaded at bias 0.
std::optional<Words> words_at(GoReader& reader, std::uint64_t address) {
    auto words = reader.get<Words>(address);
    if (!words || !reader.image().position_independent()) return words;
    reader.for_each_relative([&](std::uint64_t where, std::uint64_t value) {
        if (where >= address && where - address < sizeof *words && (where - address) % 8 == 0)
            (*words)[(where - address) / 8] = value;
        return true;
    });
    return words;
}

// A length, which 1.27 put where the end had been, is below the end that follows it; an end is not.
bool is_1_27(const Words& words) {
    const std::uint64_t start = words[types_1_20], end = words[types_1_20 + end_1_27];
    return start < end && words[types_1_20 + descriptors_1_27] <= end - start;
}

void read_types(const Words& words, GoModule& module) {
    const bool newest = module.table.layout == GoLayout::go1_20 && is_1_27(words);
    const std::size_t types = module.table.layout == GoLayout::go1_20 ? types_1_20 : types_1_18;
    module.types = words[types];
    module.end_of_types = words[types + (newest ? end_1_27 : end_1_18)];
    module.function_data = words[types + (newest ? function_data_1_27 : function_data_1_18)];
}

std::optional<GoModule> read_at(GoReader& reader, const GoPclntab& table, std::uint64_t address) {
    const auto words = words_at(reader, address);
    if (!words || (*words)[0] != table.address) return {};
    const auto first = reader.get<std::uint32_t>(table.functions);
    const auto last = reader.get<std::uint32_t>(table.functions + table.function_count * 8);
    if (!first || !last) return {};
    GoModule module;
    module.table = table;
    module.text = (*words)[text];
    module.end_of_text = module.text + *last;
    if ((*words)[min_pc] != module.text + *first || (*words)[max_pc] != module.end_of_text) return {};
    read_types(*words, module);
    const GoSegment* code = reader.image().loaded((*words)[min_pc]);
    if (code == nullptr || !code->executable) return {};
    if (module.types >= module.end_of_types) return {};
    if (reader.image().loaded(module.types, module.end_of_types - module.types) == nullptr) return {};
    return module;
}

std::optional<GoModule> find_by_relocations(GoReader& reader, const GoPclntab& table) {
    std::vector<std::uint64_t> places;
    reader.for_each_relative([&](std::uint64_t where, std::uint64_t value) {
        if (value == table.address) places.push_back(where);
        return places.size() < most_candidates;
    });
    for (const std::uint64_t place : places)
        if (const auto module = read_at(reader, table, place)) return module;
    return {};
}

}  // namespace

std::optional<GoModule> find_moduledata(GoReader& reader, const GoPclntab& table) {
    if (reader.image().position_independent())
        if (const auto module = find_by_relocations(reader, table)) return module;
    std::optional<GoModule> found;
    std::size_t tried = 0;
    reader.search(
        8, sizeof(Words), [](const GoSegment& segment) { return segment.writable; },
        [&](std::uint64_t at) {
            const auto pointer = reader.get<std::uint64_t>(at);
            if (pointer != table.address) return pointer.has_value();
            found = read_at(reader, table, at);
            return !found && ++tried < most_candidates;
        });
    return found;
}

}  // namespace mapaudit::sources
