// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_line_table.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t inline_index_values = 2;  // PCDATA_InlTreeIndex
constexpr std::uint32_t inline_tree_data = 3;     // FUNCDATA_InlTree
constexpr std::uint32_t no_data = ~std::uint32_t{0};
constexpr std::size_t longest_name = 4096;    // of a function or a file; generic types make long ones
constexpr std::size_t most_steps = 1u << 20;  // of one table: far above that of any function

std::optional<std::uint32_t> take_varint(GoReader& reader, std::uint64_t& at) {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const auto byte = reader.get<std::uint8_t>(at++);
        if (!byte) return {};
        value |= static_cast<std::uint32_t>(*byte & 0x7f) << shift;
        if ((*byte & 0x80) == 0) return value;
    }
    return {};
}

// The value that a table has at an address of the function: pairs of (difference of value, zigzag; difference of
// address), the value from -1 and the address from the entry on, up to a difference of 0 that is not the first.
std::optional<std::int32_t> value_at(GoReader& reader, const GoModule& module, const GoRecord& function,
                                     std::uint32_t table, std::uint64_t address) {
    if (table == 0) return {};
    std::uint64_t at = module.table.values + table, reached = function.entry;
    std::uint32_t value = ~std::uint32_t{0};
    for (std::size_t step = 0; step < most_steps; ++step) {
        const auto change = take_varint(reader, at);
        if (!change || (*change == 0 && step > 0)) return {};
        value += (*change & 1) != 0 ? ~(*change >> 1) : *change >> 1;
        const auto length = take_varint(reader, at);
        if (!length) return {};
        reached += *length;
        if (address < reached) return static_cast<std::int32_t>(value);
    }
    return {};
}

std::string file_at(GoReader& reader, const GoModule& module, const GoRecord& function, std::uint64_t address) {
    const auto number = value_at(reader, module, function, function.files, address);
    if (!number || *number < 0) return {};
    const std::uint64_t index = std::uint64_t{function.unit} + static_cast<std::uint32_t>(*number);
    const auto offset = reader.get<std::uint32_t>(module.table.units + index * sizeof(std::uint32_t));
    if (!offset || *offset == no_data) return {};
    return reader.text(module.table.files + *offset, longest_name).value_or(std::string());
}

// Offset of the innermost inlined function's name; nothing: the address is the function's own.
std::optional<std::uint32_t> inlined_name(GoReader& reader, const GoModule& module, const GoRecord& function,
                                          std::uint64_t address) {
    if (function.value_tables <= inline_index_values || function.data_tables <= inline_tree_data) return {};
    const auto table = reader.get<std::uint32_t>(function.tables + inline_index_values * 4);
    const auto tree =
        reader.get<std::uint32_t>(function.tables + (std::uint64_t{function.value_tables} + inline_tree_data) * 4);
    if (!table || !tree || *tree == no_data) return {};
    const auto index = value_at(reader, module, function, *table, address);
    if (!index || *index < 0) return {};
    // To 1.19: parent, kind, file, line, name, place (20 bytes). From 1.20: kind, name, place, first line (16).
    const bool old = module.table.layout == GoLayout::go1_18;
    const std::uint64_t entry = module.function_data + *tree + static_cast<std::uint64_t>(*index) * (old ? 20 : 16);
    return reader.get<std::uint32_t>(entry + (old ? 12 : 4));
}

}  // namespace

std::optional<GoLine> line_at(GoReader& reader, const GoModule& module, std::uint64_t address) {
    const auto function = function_of(reader, module, address);
    if (!function) return {};
    const std::uint32_t name = inlined_name(reader, module, *function, address).value_or(function->name);
    auto text = reader.text(module.table.names + name, longest_name);
    if (!text || text->empty()) return {};
    const auto line = value_at(reader, module, *function, function->lines, address);
    return GoLine{std::move(*text), file_at(reader, module, *function, address),
                  line.value_or(0) < 0 ? 0 : line.value_or(0)};
}

}  // namespace mapaudit::sources
