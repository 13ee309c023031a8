// SPDX-License-Identifier: Apache-2.0
//
// A Go executable as an auditor of its maps sees it: where the runtime's map functions stand, where to probe them, what
// their registers hold, and which line of source an address belongs to. All of it comes from the tables that every Go
// program carries for its own runtime (.gopclntab and moduledata), so that stripped programs serve as well as others.
//
// Where not to probe, and why (measured on Go 1.19 to 1.27, x86-64):
//   - The entry's first instruction is a cmp, which a uprobe must single-step; the jbe behind it is emulated, at a
//     thirtieth of the price, with the arguments still in their registers.
//   - A return probe puts a foreign return address on a stack that the runtime walks and moves: the program dies of it.
//     Returns are the function's RET instructions, each a site.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.hpp"

namespace mapaudit::sources {

// classic: buckets of eight with overflow chains (to Go 1.23); swiss: groups of eight in tables (from 1.24).
enum class GoMapDesign { classic, swiss };

// What the function does to a map.
enum class GoRole {
    grow,     // classic: hashGrow; swiss: (*Map).growToTable, (*table).grow, (*table).split
    fatal,    // the error that ends the program: rax, rbx are its text's address and length
    assign,   // mapassign, mapassign_fast*
    lookup,   // mapaccess1*, mapaccess2*; where one of them calls another one here, only the latter is listed
    erase,    // classic: mapdelete*; swiss: (*Map).Delete, which the others call
    iterate,  // classic: mapiterinit; swiss: (*Iter).Init
    step,     // of an iteration; classic: mapiternext; swiss: (*Iter).Next; rax is the iterator
    clear,    // classic: mapclear; swiss: (*Map).Clear
    panic,    // runtime.gopanic: an operation that it ends never returns
};

enum class GoRegister { rax, rbx, rcx };

struct GoFunction {
    std::string name;  // "runtime.mapassign_faststr"
    GoRole role;
    std::uint64_t entry = 0;         // address in the file
    std::uint64_t probe_offset = 0;  // file offset of the instruction to probe: the jbe of the prologue's stack check,
                                     // or the entry of a function that has none
    // Set: a hit with flags & 0x41 (CF, ZF) is one whose stack grows first, after which the prologue runs again.
    bool on_stack_check = false;
    std::optional<GoRegister> map_in, type_in;  // at the probe: the map (0: a nil map), its type
    std::vector<std::uint64_t> returns;         // file offsets of its RET instructions, ascending
};

// A map function that is there, but whose code is not what the auditor knows: left alone.
struct GoRefusal {
    std::string function, reason;
};

struct GoLine {
    std::string function, file;
    int line = 0;
};

// One Go executable. Immutable after read(), so that any thread may ask at any time. "Address in the file" is an
// address as the file was linked; see position_independent(). Any file may be given: every access is bounds-checked,
// and a damaged file gives an error or an empty answer. Nothing of the file stays mapped or in memory but what the
// functions below return: line_of() reads it again.
class GoBinary {
public:
    // Nothing: not a Go program. Fails when the file cannot be read, or is a Go program that cannot be audited.
    static Result<std::optional<GoBinary>> read(const std::string& path);

    GoBinary(GoBinary&&) noexcept;
    GoBinary& operator=(GoBinary&&) noexcept;
    ~GoBinary();

    GoMapDesign design() const;
    const std::string& version() const;  // "go1.19.8"; empty where the build information was removed
    // The linker drops what a program does not use: each function is optional. In ascending order of entry.
    const std::vector<GoFunction>& functions() const;
    const std::vector<GoRefusal>& refused() const;

    // The innermost function at an address in the file, inlined ones included. For a call, pass its return address - 1.
    std::optional<GoLine> line_of(std::uint64_t address) const;

    // Address in the file of the types' section. abi.Type.Str, an int32 at offset 40 of a type, is the offset of the
    // type's name from here.
    std::uint64_t types() const;
    std::uint64_t end_of_types() const;
    std::uint32_t goid_offset() const;  // of the goroutine's number (u64) in the runtime's g, which R14 points to

    // Set: addresses in a process are those in the file plus a load bias. Otherwise they are the same.
    bool position_independent() const;
    std::optional<std::uint64_t> file_offset(std::uint64_t address) const;

private:
    struct State;
    explicit GoBinary(std::unique_ptr<const State> state);
    std::unique_ptr<const State> state_;
};

}  // namespace mapaudit::sources
