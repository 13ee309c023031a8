// SPDX-License-Identifier: Apache-2.0
//
// The kernel's definitions of the per-operation probes of one binary, which perf needs to record them. They are in
// everybody's sight, and outlive who made them: hence a group named after this process, and a destructor.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mapaudit::bench {

class UprobeEvents {
public:
    // Defines lookup, and assign where asked, as perf would; `scratch` takes perf's cache of notes. Takes back, too,
    // what a bench that was killed has left. Throws BenchError.
    UprobeEvents(const std::string& binary, const std::filesystem::path& scratch, bool assigns);
    UprobeEvents(const UprobeEvents&) = delete;
    UprobeEvents& operator=(const UprobeEvents&) = delete;
    ~UprobeEvents();  // takes them back

    // As `perf record -e` takes them.
    const std::vector<std::string>& names() const noexcept { return names_; }

private:
    void remove_all();
    std::vector<std::string> names_;
};

}  // namespace mapaudit::bench
