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

// Takes a total report. Single CPUs and threads are left to the CSV.
std::string summary_text(const model::Report& total, const EvidenceView& evidence = {}, std::size_t most_rows = 20);

// Writes the summary when the total comes, and nothing before.
class SummarySink final : public Sink {
public:
    explicit SummarySink(OutputFile file, EvidenceView evidence = {})
        : file_(std::move(file)), evidence_(std::move(evidence)) {}
    [[nodiscard]] Result<void> write(const model::Report& report) override;

private:
    OutputFile file_;
    EvidenceView evidence_;
};

}  // namespace mapaudit::output
