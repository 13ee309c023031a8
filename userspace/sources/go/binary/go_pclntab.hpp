// SPDX-License-Identifier: Apache-2.0
//
// The Go runtime's own tables: .gopclntab (every function, its name, and what its addresses mean) and moduledata (where
// text, types and inline trees lie). Layouts: runtime/symtab.go and runtime/runtime2.go of Go 1.18 to 1.27.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sources/go/binary/go_image.hpp"

namespace mapaudit::sources {

// Which of the layouts: by the table's magic.
enum class GoLayout : std::uint32_t { go1_18 = 0xfffffff0, go1_20 = 0xfffffff1 };

// .gopclntab's header. All are addresses in the file.
struct GoPclntab {
    GoLayout layout = GoLayout::go1_20;
    std::uint64_t address = 0;
    std::uint64_t function_count = 0;
    std::uint64_t names = 0, units = 0, files = 0, values = 0;  // funcnametab, cutab, filetab, pctab
    std::uint64_t functions = 0;                                // ftab, and behind it the functions' records
};

struct GoModule {
    GoPclntab table;
    std::uint64_t text = 0, end_of_text = 0;  // of the functions listed: from the first to the end of the last
    std::uint64_t types = 0, end_of_types = 0;
    std::uint64_t function_data = 0;  // go:func.*, where inline trees stand
};

// One function of the table. Its record's fixed part; what follows are npcdata and nfuncdata words.
struct GoRecord {
    std::uint64_t entry = 0, end = 0;                 // of its code, up to the next function's
    std::uint64_t address = 0;                        // of the record
    std::uint32_t name = 0;                           // offset in names
    std::uint32_t files = 0, lines = 0, unit = 0;     // pcfile, pcln, cuOffset
    std::uint32_t value_tables = 0, data_tables = 0;  // how many follow
    std::uint64_t tables = 0;                         // address of the first word that follows
};

// Finds the tables. Fails with what is missing or of a kind not known.
Result<GoModule> find_module(GoReader& reader);

// The i-th function in order of address, i < function_count. Nothing: the table is damaged there.
std::optional<GoRecord> function_at(GoReader& reader, const GoModule& module, std::uint64_t i);
// Only its name, which is what a search through all of them asks for. Longer names than `limit` are nothing.
std::optional<std::string> name_at(GoReader& reader, const GoModule& module, std::uint64_t i, std::size_t limit);
// The function that an address lies in.
std::optional<GoRecord> function_of(GoReader& reader, const GoModule& module, std::uint64_t address);

}  // namespace mapaudit::sources
