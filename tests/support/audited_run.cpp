// SPDX-License-Identifier: Apache-2.0
#include "support/audited_run.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace mapaudit::test {

ScratchFolder::ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mapaudit-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> waiting_workload(const std::vector<std::string>& workload) {
    std::vector<std::string> argv{MAPAUDIT_WORKLOAD, "--wait-attach", "30", "--json"};
    argv.insert(argv.end(), workload.begin(), workload.end());
    return argv;
}

AuditedRun run_audited(const std::vector<std::string>& workload, const std::vector<std::string>& audit) {
    AuditedRun run;
    const ScratchFolder scratch;
    Child driver(waiting_workload(workload));
    if (!driver.wait_for("ready")) {
        ADD_FAILURE() << "the driver did not get ready: " << driver.err();
        return run;
    }
    std::vector<std::string> argv{MAPAUDIT_AUDITOR,         "attach", "-p", std::to_string(driver.pid()), "--csv",
                                  scratch.file("audit.csv")};
    argv.insert(argv.end(), audit.begin(), audit.end());
    Child auditor(argv);
    const Finished driven = driver.finish(Child::Seconds(120));
    run.auditor = auditor.finish(Child::Seconds(30));
    EXPECT_EQ(driven.exit_code, 0) << driven.err;
    EXPECT_EQ(run.auditor.exit_code, 0) << run.auditor.err;
    if (driven.exit_code == 0) run.driver = nlohmann::json::parse(driven.out);
    if (run.auditor.exit_code == 0) run.csv = read_csv(scratch.file("audit.csv"));
    return run;
}

CallCounts driver_counts(const nlohmann::json& driver) {
    CallCounts counts;
    for (const auto& map : driver.at("maps")) {
        for (const auto& [op, calls] : map.at("ops").items())
            counts[{map.at("id").get<int>(), op}] = calls.get<std::uint64_t>();
        counts[{map.at("id").get<int>(), "grow"}] = map.at("grows").get<std::uint64_t>();
    }
    std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
    return counts;
}

CallCounts audited_counts(const std::vector<CsvRow>& csv) {
    CallCounts counts;
    for (const CsvRow& row : rows_of(csv, "total"))
        if (!row.at("op").empty()) counts[{std::stoi(row.at("map_id")), row.at("op")}] = std::stoull(row.at("calls"));
    std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
    return counts;
}

LedgerLine ledger_of(const Finished& auditor) {
    LedgerLine line;
    const std::string said = auditor.said();
    const std::size_t at = said.find("Ledger: ");
    unsigned long fired = 0, handled = 0, lost = 0;
    if (at == std::string::npos ||
        std::sscanf(said.c_str() + at, "Ledger: %lu fired = %lu handled + %lu lost", &fired, &handled, &lost) != 3)
        ADD_FAILURE() << "no ledger in the summary:\n" << said;
    return {fired, handled, lost};
}

std::string block_of(const std::string& text, const std::string& first, std::size_t from) {
    const std::size_t at = text.find(first, from);
    if (at == std::string::npos) return {};
    const std::size_t begin = text.rfind('\n', at) + 1;
    const std::size_t indent = text.find_first_not_of(' ', begin) - begin;
    std::size_t end = text.find('\n', at) + 1;
    while (end < text.size() && text.find_first_not_of(' ', end) - end > indent) end = text.find('\n', end) + 1;
    return text.substr(begin, end - begin);
}

}  // namespace mapaudit::test
