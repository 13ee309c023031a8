// SPDX-License-Identifier: Apache-2.0
//
// A way of seeing maps in processes. Every source fills the same book, so that every output works for every source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/book.hpp"
#include "util/result.hpp"

namespace mapaudit::sources {

enum class Level { full, sampled, events };
std::string_view level_name(Level level);

class Source {
public:
    virtual ~Source() = default;
    virtual std::string_view name() const = 0;
    // Adds to the book all that happened since the last call.
    virtual void collect(model::Book& book) = 0;
    // Ends the attachment and adds what was still under way. Targets that have ended are no error.
    virtual void detach(model::Book& book) = 0;
    virtual model::Ledger ledger() const = 0;
    // Kernel memory held for the audit.
    virtual std::uint64_t kernel_bytes() const = 0;
    // A file descriptor that is readable when collect() should not wait for the interval's end; -1 for none.
    virtual int urgent_fd() const = 0;
};

}  // namespace mapaudit::sources
