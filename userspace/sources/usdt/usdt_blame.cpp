// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_blame.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "sources/usdt/usdt_sizes.hpp"

namespace mapaudit::sources {

std::unique_ptr<UsdtBlame> UsdtBlame::start(const UsdtDomains& domains, std::uint32_t cells,
                                            const std::function<void(const std::string&)>& on_note) {
    std::vector<BlameTarget> targets;
    for (std::uint32_t i = 0; i < domains.size(); ++i) {
        if (targets.empty() || targets.back().process != domains[i].process)
            targets.push_back({domains[i].process, i, 0});
        ++targets.back().domains;
    }
    BlameOptions options;
    options.on_note = on_note;
    options.sizes.blames = std::min(MAPAUDIT_HOT_OPS * cells, largest_map_table);
    const auto note = [&](const Error& error) {
        if (on_note) on_note("CPU time is not blamed on maps: " + error.line());
    };
    auto made = Blame::make(targets, std::move(options));
    if (!made) {
        note(made.error());
        return nullptr;
    }
    std::unique_ptr<UsdtBlame> blame(new UsdtBlame(domains, std::move(*made)));
    blame->tell_blocks();
    if (const auto started = blame->blame_->start(); !started) {
        note(started.error());
        return nullptr;
    }
    return blame;
}

void UsdtBlame::collect(model::BlameAggregator& aggregator) {
    tell_blocks();
    blame_->collect(aggregator);
}

void UsdtBlame::tell_blocks() {
    for (std::uint32_t i = 0; i < domains_.size(); ++i) {
        const UsdtDomain& domain = domains_[i];
        BlocksByThread blocks;  // none before the first map is made
        if (domain.in_use)
            for (const RegistryBlock& block : domain.registry.blocks(domain.thread_limit))
                if (block.tid != 0) blocks[block.tid] = block.address;
        blame_->learn(i, domain.registry.address(), blocks);
    }
}

}  // namespace mapaudit::sources
