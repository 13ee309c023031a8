// SPDX-License-Identifier: Apache-2.0
#include "sources/go_moduledata.hpp"

#include <array>
#include <vector>

namespace mapaudit::sources {
namespace {

// Words of moduledata, by index.
constexpr std::size_t min_pc = 0xa0 / 8, max_pc = 0xa8 / 8, text = 0xb0 / 8;
constexpr std::size_t types_1_18 = 0x118 / 8, types_1_20 = 0x128 / 8;  // 1.20 put the coverage counters before them
constexpr std::size_t from_types_to_end = 1, from_types_to_function_data = 3;
constexpr std::size_t word_count = types_1_20 + from_types_to_function_data + 1;
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
    const std::size_t types = table.layout == GoLayout::go1_20 ? types_1_20 : types_1_18;
    module.types = (*words)[types];
    module.end_of_types = (*words)[types + from_types_to_end];
    module.function_data = (*words)[types + from_types_to_function_data];
    const GoSegment* code = reader.image().loaded((*words)[min_pc]);
    if (code == nullptr || !code->executable) return {};
    if (module.types >= module.end_of_types || reader.image().loaded(module.types) == nullptr) return {};
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
