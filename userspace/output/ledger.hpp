// SPDX-License-Identifier: Apache-2.0
//
// The sentences that every output for people shares: the ledger, the tool's own cost, why there is nothing to show.
#pragma once

#include <string>

#include "model/report.hpp"

namespace mapaudit::output {

// "1000003 fired = 1000003 handled + 0 lost", then the causes; says so if it does not balance.
std::string ledger_line(const model::Ledger& ledger);
// "1.2 % of a core, 24.0 MiB + 3.50 MiB in the kernel"
std::string self_line(const model::SelfCost& self);
// "about 1.2 % of its CPU time"; where nobody measured the prices on this host, it says so. Empty where not known.
std::string overhead_line(const model::Overhead& overhead);
// What that rests on: "45 ns an operation timed, …", the budget, the switches.
std::string overhead_grounds(const model::Overhead& overhead);
// Says why a report shows no row.
std::string why_empty(const model::Report& report);
// "pid 7 (worker, full), 8 (worker, sampled, ended) and 2 more": at most `most` of them by name.
std::string targets_line(const model::Report& report, std::size_t most);

}  // namespace mapaudit::output
