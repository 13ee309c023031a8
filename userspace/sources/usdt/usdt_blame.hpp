// SPDX-License-Identifier: Apache-2.0
//
// Blame on the maps of registries: which processes, and which thread has which block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sources/blame/cpu_blame.hpp"
#include "sources/usdt/usdt_domains.hpp"

namespace mapaudit::sources {

class UsdtBlame {
public:
    // Starts sampling; `cells`: of maps in the eBPF program. Null, with a note of why, where it cannot be had: the
    // audit goes on without it. The domains outlive this.
    static std::unique_ptr<UsdtBlame> start(const UsdtDomains& domains, std::uint32_t cells,
                                            const std::function<void(const std::string&)>& on_note);

    // Tells which thread has which block now, and adds what was gained since the last call.
    void collect(model::BlameAggregator& aggregator);
    // Ends the sampling. What was gained stays to be collected.
    void stop() { blame_->stop(); }
    std::uint64_t samples() const { return blame_->samples(); }
    std::uint64_t kernel_bytes() const { return blame_->kernel_bytes(); }

private:
    UsdtBlame(const UsdtDomains& domains, std::unique_ptr<Blame> blame) : domains_(domains), blame_(std::move(blame)) {}
    void tell_blocks();

    const UsdtDomains& domains_;
    std::unique_ptr<Blame> blame_;
};

}  // namespace mapaudit::sources
