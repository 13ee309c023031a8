// SPDX-License-Identifier: Apache-2.0
#include "symbols/unwinder.hpp"

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <elfutils/version.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

namespace mapaudit::symbols {
namespace {

#if defined(__x86_64__)
constexpr int bp_register = 6, sp_register = 7;
constexpr std::optional<int> ip_register = 16;
#else
constexpr int bp_register = 29, sp_register = 31;
constexpr std::optional<int> ip_register;
#endif
constexpr pid_t the_thread = 1;  // libdwfl wants an id; the copy is of one thread

constexpr const char* copy_ends = "the copy of the stack ends here";

// One walk, as libdwfl's callbacks see it.
struct Progress {
    const Images* images = nullptr;
    const CapturedStack* captured = nullptr;
    Walk walk;
    std::uint64_t sp = 0;
    bool read_behind_copy = false, read_nonsense = false;  // since the latest frame
};

// What dwfl_attach_state was given for good; each walk sets what it points at.
Progress* current = nullptr;

pid_t next_thread(Dwfl*, void*, void** thread) {
    if (*thread != nullptr) return 0;
    *thread = &current;
    return the_thread;
}

bool read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* word, void*) {
    const auto& copy = current->captured->memory;
    const std::uint64_t from = current->captured->sp;
    if (address >= from && copy.size() >= sizeof *word && address - from <= copy.size() - sizeof *word) {
        std::memcpy(word, &copy[address - from], sizeof *word);
        return true;
    }
    std::uint64_t constant = 0;
    if (current->images->read_constant(address, constant)) {
        *word = constant;
        return true;
    }
    (address >= from ? current->read_behind_copy : current->read_nonsense) = true;
    return false;
}

bool set_register(Dwfl_Thread* thread, int number, std::uint64_t value) {
    const Dwarf_Word word = value;
    return dwfl_thread_state_registers(thread, number, 1, &word);
}

bool set_registers(Dwfl_Thread* thread, void*) {
    const CapturedStack& captured = *current->captured;
    bool good = set_register(thread, bp_register, captured.bp) && set_register(thread, sp_register, captured.sp);
    for (std::size_t i = 0; i < saved_registers.size() && good; ++i)
        good = set_register(thread, saved_registers[i], captured.saved[i]);
    if (ip_register) return good && set_register(thread, *ip_register, captured.ip);
    dwfl_thread_state_register_pc(thread, captured.ip);
    return good;
}

// A caller's frame lies above its callee's. (The kernel puts a signal's frame on another stack if told to; the copy
// does not reach there.)
bool moves_up(Dwfl_Frame* frame) {
#if _ELFUTILS_PREREQ(0, 188)
    Dwarf_Word sp = 0;
    if (dwfl_frame_reg(frame, sp_register, &sp) != 0) return true;
    const bool first = current->walk.steps.empty();
    // A leaf of aarch64 may leave sp alone: once.
    const bool may_equal = current->walk.steps.size() == 1;
    if (!first && (sp < current->sp || (sp == current->sp && !may_equal))) return false;
    current->sp = sp;
#else
    (void)frame;
#endif
    return true;
}

bool covers(Dwarf_CFI* info, Dwarf_Addr address) {
    Dwarf_Frame* frame = nullptr;
    if (info == nullptr || dwarf_cfi_addrframe(info, address, &frame) != 0) return false;
    std::free(frame);
    return true;
}

// Why a frame at this address cannot be left by call frame information; empty: it can.
std::string why_no_frame_info(const Images& images, std::uint64_t address, bool is_return_address) {
    const std::uint64_t looked_up = address - (is_return_address ? 1 : 0);
    const Images::Found found = images.find(looked_up);
    if (found.file == nullptr) return code_in_no_file;
    if (found.module == nullptr) return found.file->name() + " cannot be read";
    if (found.file->distrust.unwinding) return "the unwind information of " + found.file->name() + " is damaged";
    Dwarf_Addr bias = 0;
    Dwarf_CFI* info = dwfl_module_eh_cfi(found.module, &bias);
    if (covers(info, looked_up - bias)) return {};
    info = found.file->distrust.debug_info ? nullptr : dwfl_module_dwarf_cfi(found.module, &bias);
    if (covers(info, looked_up - bias)) return {};
    return "no unwind information in " + found.file->name();
}

int take_frame(Dwfl_Frame* frame, void*) {
    Walk& walk = current->walk;
    Dwarf_Addr pc = 0;
    bool is_activation = false;
    if (!dwfl_frame_pc(frame, &pc, nullptr) || pc == 0) return DWARF_CB_ABORT;
    if (walk.steps.size() >= max_depth) {
        walk.cut = "deeper than " + std::to_string(max_depth) + " frames";
        return DWARF_CB_ABORT;
    }
    if (!moves_up(frame)) {
        walk.cut = "the stack loops";
        return DWARF_CB_ABORT;
    }
    const Images& images = *current->images;
    images.marker().file = images.find(pc).index;
    images.marker().part = Part::unwinding;
    current->read_behind_copy = current->read_nonsense = false;
    // To tell whether it was interrupted, libdwfl walks on to the caller, here and now.
    if (!dwfl_frame_pc(frame, &pc, &is_activation)) return DWARF_CB_ABORT;
    walk.steps.push_back({pc, !is_activation});
    // Where there is no information, it guessed by frame pointers, and believed whatever it found.
    walk.cut = why_no_frame_info(images, pc, !is_activation);
    return walk.cut.empty() ? DWARF_CB_OK : DWARF_CB_ABORT;
}

const Dwfl_Thread_Callbacks callbacks{.next_thread = next_thread,
                                      .get_thread = nullptr,
                                      .memory_read = read_memory,
                                      .set_initial_registers = set_registers,
                                      .detach = nullptr,
                                      .thread_detach = nullptr};

// Where the chain of frame pointers goes on behind the last step; all of it behind a walk that did not leave ip.
std::span<const std::uint64_t> rest_of_chain(const std::vector<Step>& steps, std::span<const std::uint64_t> chain) {
    if (!chain.empty() && chain[0] == steps[0].address) chain = chain.subspan(1);
    if (steps.size() == 1) return chain;
    const auto joint = std::find(chain.begin(), chain.end(), steps.back().address);
    return joint == chain.end() ? std::span<const std::uint64_t>() : std::span(joint + 1, chain.end());
}

}  // namespace

Unwinder::Unwinder(const Images& images) : images_(images) {
    attached_ = images.dwfl() != nullptr && dwfl_attach_state(images.dwfl(), nullptr, the_thread, &callbacks, nullptr);
}

Walk Unwinder::by_frame_info(const CapturedStack& captured) {
    Progress progress;
    progress.images = &images_;
    progress.captured = &captured;
    current = &progress;
    const Reading reading(images_.marker(), 0, Part::nothing);
    const int outcome = dwfl_getthread_frames(images_.dwfl(), the_thread, take_frame, nullptr);
    current = nullptr;
    Walk walk = std::move(progress.walk);
    if (walk.steps.empty()) walk.steps.push_back({captured.ip, false});
    if (!walk.cut.empty()) return walk;
    // A return address that could not be read is as good as none to libdwfl, and none is how a stack ends.
    if (outcome == 0 && !progress.read_behind_copy && !progress.read_nonsense) return walk;
    const MappedFile* file = images_.find(walk.steps.back().address).file;
    if (progress.read_behind_copy)
        walk.cut = copy_ends;
    else if (progress.read_nonsense || file == nullptr)
        walk.cut = "the stack is damaged";
    else
        walk.cut = "the unwind information of " + file->name() + " leads nowhere";
    return walk;
}

Walk Unwinder::walk(const CapturedStack& captured) {
    Walk walk;
    if (attached_ && !captured.memory.empty()) {
        walk = by_frame_info(captured);
        if (walk.cut.empty()) return walk;
    } else {
        walk.steps.push_back({captured.ip, false});
        walk.cut = captured.memory.empty() ? "no copy of the stack" : "no file of the process can be read";
    }
    const auto rest = rest_of_chain(walk.steps, captured.frame_pointers);
    if (rest.empty()) return walk;
    for (const std::uint64_t address : rest.first(std::min(rest.size(), max_depth - walk.steps.size())))
        walk.steps.push_back({address, true});
    walk.cut = walk.steps.size() < max_depth ? "the frame pointers end here"
                                             : "deeper than " + std::to_string(max_depth) + " frames";
    return walk;
}

}  // namespace mapaudit::symbols
