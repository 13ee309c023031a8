// SPDX-License-Identifier: Apache-2.0
//
// Which of a file's probes are attached at which level, and in what order.
#pragma once

#include <cstdint>
#include <vector>

#include "model/level.hpp"
#include "sources/attach/uprobe_link.hpp"
#include "sources/usdt/usdt_notes.hpp"

namespace mapaudit::sources {

// Whether the file's operations come in batches; where not, one by one.
bool has_batches(const ElfProbes& probes);

// The batch probe that makes the level. None at level events, or without batches.
std::vector<UprobeSite> choose_hot(const ElfProbes& probes, model::Level level, std::uint32_t domain);

// All of the level. The rare probes come first: a target that waits for a hot semaphore to rise finds everything
// attached. `without_hot` leaves out what choose_hot() gives.
std::vector<UprobeSite> choose_sites(const ElfProbes& probes, model::Level level, std::uint32_t domain,
                                     bool without_hot);

}  // namespace mapaudit::sources
