// SPDX-License-Identifier: Apache-2.0
//
// The harness's end of the measured process.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child.hpp"

namespace mapaudit::bench {

// What went wrong with the measurement itself; a figure is never printed after one.
struct BenchError : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Window {
    double ns_per_op;
    std::uint64_t ops;
};

class Subject {
public:
    Subject(const std::string& binary, const std::string& map, const std::string& mix);
    // The same with words in front: a program that starts it, with its options.
    Subject(std::vector<std::string> starter, const std::string& binary, const std::string& map,
            const std::string& mix);

    // The process that was started here, which is the starter where there is one.
    pid_t pid() const noexcept { return child_.pid(); }
    Window measure(unsigned ms);
    double clock_pair_ns();
    // The probes' semaphores, in the order of thunks.hpp.
    std::vector<unsigned> semaphores();
    // Until some semaphore is up and none changed for 50 ms · until all are down.
    void await_attached();
    void await_detached();
    // Tells it to end, and waits for that. It cannot be asked anything afterwards.
    test::Finished end();

private:
    std::string ask(const std::string& command);
    test::Child child_;
};

}  // namespace mapaudit::bench
