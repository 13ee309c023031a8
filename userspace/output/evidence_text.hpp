// SPDX-License-Identifier: Apache-2.0
//
// Who waited for whom, who raced with whom, what growth cost and what to do about it: the parts of the summary that
// rest on evidence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/report.hpp"
#include "output/folded.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

struct EvidenceView {
    MapFilter filter;
    bool stacks = false;    // whole stacks, not only where the caller's own code begins
    std::size_t most = 10;  // rows of each kind
};

// Each with its heading, and a line where there is nothing to tell; of a total report.
std::string waits_text(const model::Report& total, const EvidenceView& view);
// The verdict on every map that looks for concurrent access: "observed N times" or "none in N operations".
std::string conflicts_text(const model::Report& total, const EvidenceView& view);
// For sources that see callers: who called which operation how often.
std::string callers_text(const model::Report& total, const EvidenceView& view);
// Only with stacks: where maps grew.
std::string growth_stacks_text(const model::Report& total, const EvidenceView& view);
// Empty where there is nothing to advise.
std::string advice_text(const model::Report& total, const EvidenceView& view);

// "handle_request (server.cc:120)": the innermost code outside the map library, or why it is not known.
std::string place(const model::Stack& stack, const model::SourceTraits& source);

// The evidence for flame graphs, in ns where it has a duration: map;kind;frames.
std::vector<FoldedStack> folded_evidence(const model::Report& total, const MapFilter& filter);

}  // namespace mapaudit::output
