// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_pclntab.hpp"

#include "sources/go/binary/go_moduledata.hpp"
#include "sources/go/binary/go_pcheader.hpp"

namespace mapaudit::sources {
namespace {

struct TableEntry {
    std::uint32_t entry;   // from the start of text
    std::uint32_t record;  // from the start of the table
};

}  // namespace

Result<GoModule> find_module(GoReader& reader) {
    std::string unfit;
    for (const std::uint64_t address : header_candidates(reader)) {
        const auto table = read_header(reader, address);
        if (!table) {
            unfit = table.error().what;
            continue;
        }
        const auto module = find_moduledata(reader, *table);
        if (module) return *module;
        unfit = "no moduledata refers to its function table";
    }
    return Error::of(Failure::failed, unfit.empty() ? "it has no function table of the gc toolchain" : unfit);
}

std::optional<GoRecord> function_at(GoReader& reader, const GoModule& module, std::uint64_t i) {
    const std::uint64_t at = module.table.functions + i * sizeof(TableEntry);
    const auto here = reader.get<TableEntry>(at);
    const auto next = reader.get<std::uint32_t>(at + sizeof(TableEntry));
    if (!here || !next || *next < here->entry) return {};
    GoRecord found;
    found.entry = module.text + here->entry;
    found.end = module.text + *next;
    found.address = module.table.functions + here->record;
    // entryoff, nameoff, args, deferreturn, pcsp, pcfile, pcln, npcdata, cuOffset, [from 1.20: startLine,] and four
    // bytes, the last of which is nfuncdata.
    const auto words = reader.get<std::array<std::uint32_t, 9>>(found.address);
    const std::uint64_t rest = found.address + sizeof *words + (module.table.layout == GoLayout::go1_20 ? 4 : 0);
    const auto bytes = reader.get<std::array<std::uint8_t, 4>>(rest);
    if (!words || !bytes) return {};
    found.name = (*words)[1];
    found.files = (*words)[5];
    found.lines = (*words)[6];
    found.value_tables = (*words)[7];
    found.unit = (*words)[8];
    found.data_tables = (*bytes)[3];
    found.tables = rest + sizeof *bytes;
    return found;
}

std::optional<std::string> name_at(GoReader& reader, const GoModule& module, std::uint64_t i, std::size_t limit) {
    const auto here = reader.get<TableEntry>(module.table.functions + i * sizeof(TableEntry));
    if (!here) return {};
    const auto name = reader.get<std::uint32_t>(module.table.functions + here->record + 4);
    if (!name) return {};
    return reader.text(module.table.names + *name, limit);
}

std::optional<GoRecord> function_of(GoReader& reader, const GoModule& module, std::uint64_t address) {
    if (address < module.text || address >= module.end_of_text) return {};
    const std::uint64_t from_text = address - module.text;
    std::uint64_t low = 0, high = module.table.function_count;  // the last whose entry is not above the address
    while (high - low > 1) {
        const std::uint64_t middle = low + (high - low) / 2;
        const auto entry = reader.get<std::uint32_t>(module.table.functions + middle * sizeof(TableEntry));
        if (!entry) return {};
        (*entry <= from_text ? low : high) = middle;
    }
    const auto found = function_at(reader, module, low);
    if (!found || address < found->entry || address >= found->end) return {};
    return found;
}

}  // namespace mapaudit::sources
