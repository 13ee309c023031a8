// SPDX-License-Identifier: Apache-2.0
//
// The call stacks of one audit, by process and fingerprint (wire.h): walked as they come, while their memory is at
// hand, named when they are asked for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/stack_walker.hpp"
#include "symbols/symbolizer.hpp"
#include "util/process.hpp"

namespace mapaudit::symbols {

// Not thread safe.
class StackTable final : public model::StackWalker {
public:
    // Opens what the processes have mapped now: stacks are named after they have ended.
    void open(const std::vector<const Process*>& processes);
    void take(int pid, const wire_stack& stack) override;
    model::Stack resolved(int pid, std::uint64_t fingerprint) override;
    // What had to be left out, a line each, as Symbolizer has it: escape before printing.
    std::vector<std::string> remarks() const;

private:
    // Fingerprints take in what lies dead on a stack: many of them are one way through the program. Its frames are none
    // until it is asked for.
    using Paths = std::map<std::pair<int, std::vector<std::uint64_t>>, model::Frames>;
    struct Walked {
        Paths::value_type* path;  // of paths_, which nothing leaves
        std::string cut;
    };
    model::Frames frames_along(int pid, const std::vector<std::uint64_t>& addresses);
    const std::vector<model::Frame>& frames_of(int pid, std::uint64_t address, bool is_return_address);

    std::map<int, std::unique_ptr<Symbolizer>> symbolizers_;  // null: the process could not be opened
    Paths paths_;
    std::map<std::pair<int, std::uint64_t>, Walked> walked_;
    std::map<std::pair<int, std::uint64_t>, std::vector<model::Frame>> named_;
};

}  // namespace mapaudit::symbols
