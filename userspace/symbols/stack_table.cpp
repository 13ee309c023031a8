// SPDX-License-Identifier: Apache-2.0
#include "symbols/stack_table.hpp"

#include <algorithm>

namespace mapaudit::symbols {

void StackTable::open(const std::vector<const Process*>& processes) {
    for (const Process* process : processes) {
        auto made = Symbolizer::make(process->pid());
        symbolizers_[process->pid()] = made ? std::move(*made) : nullptr;
    }
}

void StackTable::take(int pid, const wire_stack& stack) {
    const auto found = symbolizers_.find(pid);
    if (found == symbolizers_.end() || found->second == nullptr) return;
    CapturedStack captured;
    captured.ip = stack.ip;
    captured.sp = stack.sp;
    captured.bp = stack.bp;
    std::copy_n(stack.saved, std::min(captured.saved.size(), std::size(stack.saved)), captured.saved.begin());
    if (captured.saved.size() > std::size(stack.saved)) captured.saved.back() = stack.link;
    captured.memory = {reinterpret_cast<const std::byte*>(stack.memory),
                       std::min<std::size_t>(stack.bytes, sizeof stack.memory)};
    const auto* const last = std::find(std::begin(stack.frames), std::end(stack.frames), 0u);
    captured.frame_pointers = {reinterpret_cast<const std::uint64_t*>(stack.frames),
                               static_cast<std::size_t>(last - stack.frames)};
    std::string cut;
    auto addresses = found->second->unwind(captured, cut);
    Paths::value_type& path = *paths_.try_emplace({pid, std::move(addresses)}).first;
    walked_[{pid, stack.fingerprint}] = {&path, std::move(cut)};
}

const std::vector<model::Frame>& StackTable::frames_of(int pid, std::uint64_t address, bool is_return_address) {
    // The same instruction as an ip and as a return address are two places in the source.
    const std::pair key{pid, address << 1 | (is_return_address ? 1 : 0)};
    const auto found = named_.find(key);
    if (found != named_.end()) return found->second;
    return named_[key] = symbolizers_.at(pid)->frames_of(address, is_return_address);
}

model::Frames StackTable::frames_along(int pid, const std::vector<std::uint64_t>& addresses) {
    std::vector<model::Frame> all;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto& frames = frames_of(pid, addresses[i], i > 0);
        all.insert(all.end(), frames.begin(), frames.end());
    }
    return all;
}

std::vector<std::string> StackTable::remarks() const {
    std::vector<std::string> all;
    for (const auto& [pid, symbolizer] : symbolizers_)
        if (symbolizer != nullptr) all.insert(all.end(), symbolizer->remarks().begin(), symbolizer->remarks().end());
    return all;
}

model::Stack StackTable::resolved(int pid, std::uint64_t fingerprint) {
    model::Stack stack;
    if (fingerprint == 0) {
        stack.cut = "not known: it did not say where it was, or too late";
        return stack;
    }
    const auto found = walked_.find({pid, fingerprint});
    if (found == walked_.end()) {
        const auto symbolizer = symbolizers_.find(pid);
        const bool readable = symbolizer != symbolizers_.end() && symbolizer->second != nullptr;
        stack.cut =
            readable ? "not kept: more stacks than the audit was sized for" : "the process's files could not be read";
        return stack;
    }
    auto& [way, frames] = *found->second.path;
    if (frames.empty()) frames = frames_along(pid, way.second);
    stack.frames = frames;
    stack.cut = found->second.cut;
    return stack;
}

}  // namespace mapaudit::symbols
