// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_code.hpp"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <array>

namespace mapaudit::sources {
namespace {

constexpr std::int64_t stack_guard = 16;  // g.stackguard0, behind stack.lo and stack.hi

struct Instruction {
    ZydisDecodedInstruction what;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    std::uint64_t address = 0;

    bool is_register(unsigned i, ZydisRegister name) const {
        return operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER && operands[i].reg.value == name;
    }
    bool is_memory(unsigned i, ZydisRegister base) const {
        return operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].mem.base == base &&
               operands[i].mem.index == ZYDIS_REGISTER_NONE;
    }
    std::optional<std::uint64_t> target() const {
        ZyanU64 to = 0;
        if (operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
            !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&what, &operands[0], address, &to)))
            return {};
        return to;
    }
};

// Calls visit for each instruction until it returns false. False: there are bytes at `stopped_at` that are none.
template <class Visit>
bool decode(std::span<const std::uint8_t> code, std::uint64_t address, std::uint64_t& stopped_at, Visit visit) {
    ZydisDecoder decoder;
    if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) return false;
    Instruction now;
    for (std::size_t at = 0; at < code.size(); at += now.what.length) {
        now.address = stopped_at = address + at;
        if (!ZYAN_SUCCESS(
                ZydisDecoderDecodeFull(&decoder, code.data() + at, code.size() - at, &now.what, now.operands.data())))
            return false;
        if (!visit(now)) break;
    }
    return true;
}

// Follows the first instructions of a function through one of the two forms.
class StackCheck {
public:
    void see(const Instruction& now) {
        switch (state_) {
            case State::start:
                if (is_compare(now, ZYDIS_REGISTER_RSP))
                    state_ = State::compared;
                else if (is_frame_end(now))
                    state_ = State::frame_end;
                else
                    state_ = State::over;
                break;
            case State::frame_end: state_ = is_compare(now, ZYDIS_REGISTER_R12) ? State::compared : State::over; break;
            case State::compared:
                if (now.what.mnemonic == ZYDIS_MNEMONIC_JBE) {
                    branch_ = now.address;
                    target_ = now.target();
                }
                state_ = State::over;
                break;
            case State::over: break;
        }
    }
    std::optional<std::uint64_t> branch() const { return branch_; }
    std::optional<std::uint64_t> target() const { return target_; }

private:
    enum class State { start, frame_end, compared, over };
    static bool is_compare(const Instruction& now, ZydisRegister with) {
        return now.what.mnemonic == ZYDIS_MNEMONIC_CMP && now.is_register(0, with) &&
               now.is_memory(1, ZYDIS_REGISTER_R14) && now.operands[1].mem.disp.value == stack_guard;
    }
    static bool is_frame_end(const Instruction& now) {
        return now.what.mnemonic == ZYDIS_MNEMONIC_LEA && now.is_register(0, ZYDIS_REGISTER_R12) &&
               now.is_memory(1, ZYDIS_REGISTER_RSP) && now.operands[1].mem.disp.value < 0;
    }

    State state_ = State::start;
    std::optional<std::uint64_t> branch_, target_;
};

}  // namespace

Result<GoCode> read_code(std::span<const std::uint8_t> code, std::uint64_t address) {
    GoCode found;
    StackCheck check;
    bool far_return = false;
    std::uint64_t at = address;
    const bool whole = decode(code, address, at, [&](const Instruction& now) {
        check.see(now);
        if (now.what.mnemonic == ZYDIS_MNEMONIC_RET) {
            found.returns.push_back(now.address);
            far_return = far_return || now.what.length != 1;
        }
        if (now.what.mnemonic == ZYDIS_MNEMONIC_CALL)
            if (const auto target = now.target()) found.calls.push_back(*target);
        return true;
    });
    if (!whole) return Error::of(Failure::failed, fmt::format("no instruction at {:#x}", at));
    if (far_return) return Error::of(Failure::failed, "it returns otherwise than by a plain RET");
    found.stack_check = check.branch();
    // The branch leads to the call of runtime.morestack at the function's end.
    if (found.stack_check &&
        (!check.target() || *check.target() <= *found.stack_check || *check.target() - address >= code.size()))
        return Error::of(Failure::failed, "its stack check branches out of it");
    return found;
}

std::optional<std::uint32_t> status_offset(std::span<const std::uint8_t> code, std::uint64_t address) {
    constexpr std::int64_t least = 64, most = 512;  // behind stack and sched, within the structure
    std::optional<std::uint32_t> found;
    std::uint64_t at = address;
    decode(code, address, at, [&](const Instruction& now) {
        if (now.what.mnemonic != ZYDIS_MNEMONIC_CMPXCHG || (now.what.attributes & ZYDIS_ATTRIB_HAS_LOCK) == 0)
            return true;
        const auto& memory = now.operands[0];
        if (memory.type != ZYDIS_OPERAND_TYPE_MEMORY || memory.size != 32 || memory.mem.disp.value % 8 != 0)
            return true;
        if (memory.mem.disp.value < least || memory.mem.disp.value > most) return true;
        found = static_cast<std::uint32_t>(memory.mem.disp.value);
        return false;
    });
    return found;
}

}  // namespace mapaudit::sources
