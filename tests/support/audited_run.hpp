// SPDX-License-Identifier: Apache-2.0
//
// The workload driver and the auditor, side by side, on one exact load.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/child.hpp"
#include "support/csv.hpp"

namespace mapaudit::test {

// A folder that goes away with all that is in it.
class ScratchFolder {
public:
    ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

// What both sides said at the end.
struct AuditedRun {
    nlohmann::json driver;
    std::vector<CsvRow> csv;
    Finished auditor;
};

// Starts the driver with `workload` (kind, threads, …) and --wait-attach, attaches the auditor with `audit` options,
// waits for both. A failure of either is a test failure.
AuditedRun run_audited(const std::vector<std::string>& workload, const std::vector<std::string>& audit = {});

// The driver alone, waiting to be attached to.
std::vector<std::string> waiting_workload(const std::vector<std::string>& workload);

// Calls by map id and operation ("grow" included), from the driver's JSON and from the CSV's `total` rows.
using CallCounts = std::map<std::pair<int, std::string>, std::uint64_t>;
CallCounts driver_counts(const nlohmann::json& driver);
CallCounts audited_counts(const std::vector<CsvRow>& csv);

// The summary's line: "Ledger: N fired = N handled + N lost".
struct LedgerLine {
    std::uint64_t fired = 0, handled = 0, lost = 0;
};
LedgerLine ledger_of(const Finished& auditor);

// The block of lines of `text` that begins with the first one from `from` on that holds `first`, as far as the next
// that is indented no deeper; empty where there is none.
std::string block_of(const std::string& text, const std::string& first, std::size_t from = 0);

}  // namespace mapaudit::test
