// SPDX-License-Identifier: Apache-2.0
#include "symbols/resolver.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "symbols/demangle.hpp"
#include "symbols/scopes.hpp"

namespace mapaudit::symbols {
namespace {

constexpr std::size_t most_known = 1 << 17;

struct Place {
    std::string file;
    std::uint32_t line = 0;
};

Place line_at(Dwarf_Die* unit, Dwarf_Addr address) {
    // libdw takes the last line before an address, however far; between two units that is somebody else's.
    if (dwarf_hasattr(unit, DW_AT_ranges) != 0 && dwarf_haspc(unit, address) == 0) return {};
    Dwarf_Line* line = dwarf_getsrc_die(unit, address);
    int number = 0;
    if (line == nullptr || dwarf_lineno(line, &number) != 0) return {};
    const char* file = dwarf_linesrc(line, nullptr, nullptr);
    return {file == nullptr ? std::string() : shortened(file), static_cast<std::uint32_t>(std::max(number, 0))};
}

// Where an inlined function was called.
Place call_of(Dwarf_Die* unit, Dwarf_Die* inlined) {
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) != 0) return {};
    Place place{{}, static_cast<std::uint32_t>(line)};
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) != 0 ||
        dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return place;
    if (const char* name = dwarf_filesrc(files, file, nullptr, nullptr)) place.file = shortened(name);
    return place;
}

std::string symbol_at(Dwfl_Module* module, std::uint64_t address) {
    GElf_Off offset = 0;
    GElf_Sym symbol;
    const char* name = dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
    if (name == nullptr || (symbol.st_size != 0 && offset >= symbol.st_size)) return {};
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) return {};
    return readable_name(name);
}

bool is_first_function(std::string_view name) {
    static constexpr std::array<std::string_view, 8> first{"_start",  "__libc_start_main", "__libc_start_call_main",
                                                           "__clone", "__clone3",          "clone",
                                                           "clone3",  "start_thread"};
    return std::find(first.begin(), first.end(), name.substr(0, name.find('@'))) != first.end();
}

}  // namespace

bool Resolver::look_up_debug_info(const Images::Found& found, std::uint64_t address,
                                  std::vector<model::Frame>& frames) {
    const Reading reading(images_.marker(), found.index, Part::debug_info);
    CompileUnits::Unit unit;
    if (!units_.find(found.module, address, unit)) return false;
    const model::Frame bare = frames[0];
    Place place = line_at(&unit.lines, unit.address);
    std::vector<Dwarf_Die> functions = functions_at(unit.tree, unit.address);
    frames[0].file = place.file;
    frames[0].line = place.line;
    if (functions.empty()) return true;
    frames.clear();
    for (auto function = functions.rbegin(); function != functions.rend(); ++function) {
        model::Frame frame = bare;
        FunctionName name = function_name(*function);
        frame.inlined = std::next(function) != functions.rend();
        // A symbol tells a static function's parameters; an inlined one has none.
        if (frame.inlined || name.whole || frame.function.empty()) frame.function = std::move(name.text);
        frame.file = std::move(place.file);
        frame.line = place.line;
        if (frame.inlined) place = call_of(&unit.lines, &*function);
        frames.push_back(std::move(frame));
    }
    return true;
}

std::vector<model::Frame> Resolver::look_up(std::uint64_t address) {
    const Images::Found found = images_.find(address);
    std::vector<model::Frame> frames(1);
    frames[0].offset = found.offset;
    if (found.file == nullptr) return frames;
    frames[0].module = found.file->name();
    if (found.module == nullptr) return frames;
    if (!found.file->distrust.symbols) {
        const Reading reading(images_.marker(), found.index, Part::symbols);
        frames[0].function = symbol_at(found.module, address);
    }
    if (!found.file->distrust.debug_info) look_up_debug_info(found, address, frames);
    return frames;
}

const std::vector<model::Frame>& Resolver::frames_at(const Step& step) {
    const std::uint64_t address = step.is_return_address && step.address != 0 ? step.address - 1 : step.address;
    if (known_.size() >= most_known) known_.clear();
    const auto [slot, is_new] = known_.try_emplace(address);
    if (is_new) slot->second = look_up(address);
    return slot->second;
}

model::Stack Resolver::stack_of(const Walk& walk) {
    std::vector<model::Frame> all;
    for (const Step& step : walk.steps) {
        const auto& frames = frames_at(step);
        all.insert(all.end(), frames.begin(), frames.end());
    }
    return {std::move(all), walk.cut};
}

bool Resolver::reaches_the_beginning(const Walk& walk) {
    return is_first_function(frames_at(walk.steps.back()).back().function);
}

}  // namespace mapaudit::symbols
