// SPDX-License-Identifier: Apache-2.0
//
// The store's time: a class so that tests make it pass.
#pragma once

#include <chrono>
#include <cstdint>

namespace kvd {

class Clock {
public:
    virtual ~Clock() = default;

    // Steady: a clock that is set back would bring back what has expired.
    virtual std::int64_t steady_ms() const {
        using namespace std::chrono;
        return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    }
    virtual std::int64_t unix_ms() const {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }
};

}  // namespace kvd
