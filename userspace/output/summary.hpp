// SPDX-License-Identifier: Apache-2.0
//
// The end of an audit in plain words: what was called how often and how slow it was, what grew, who
// waited for whom, who raced, what to do about it, what was lost.
#pragma once

#include <cstddef>
#include <string>

#include "output/evidence_text.hpp"
#include "output/file.hpp"
#include "output/sink.hpp"

namespace mapaudit::output {

// The summary's table.
struct SummaryRows {
    std::size_t most = 20;
    SortColumn sort = SortColumn::trouble;
};

// Takes a total report. Single CPUs and threads are left to the CSV.
std::string summary_text(const model::Report& total, const EvidenceView& evidence = {}, const SummaryRows& table = {});

// Writes the summary when the total comes, and nothing before.
class SummarySink final : public Sink {
public:
    explicit SummarySink(OutputFile file, EvidenceView evidence = {}, SummaryRows table = {})
        : file_(std::move(file)), evidence_(std::move(evidence)), table_(table) {}
    [[nodiscard]] Result<void> write(const model::Report& report) override;

private:
    OutputFile file_;
    EvidenceView evidence_;
    SummaryRows table_;
};

}  // namespace mapaudit::output
