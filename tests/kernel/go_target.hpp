// SPDX-License-Identifier: Apache-2.0
//
// A Go program of tests/kernel/targets/go under audit, in step with the test: it waits on stdin before its load, and
// again after it has said what it knows of its maps.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/audited_run.hpp"
#include "support/child.hpp"

namespace mapaudit::test {

// Waits for a condition with a limit; a condition that never comes is a failure with its name.
inline bool comes_true(const char* what, const std::function<bool()>& condition,
                       std::chrono::seconds limit = std::chrono::seconds(30)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            ADD_FAILURE() << "waited in vain for: " << what;
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

class GoTarget {
public:
    explicit GoTarget(const std::string& program, const std::vector<std::string>& arguments = {})
        : child_(command(program, arguments), Child::Input::pipe) {
        if (child_.read_line() != "ready") ADD_FAILURE() << program << " did not get ready: " << child_.err();
    }
    Child& child() { return child_; }
    pid_t pid() const { return child_.pid(); }
    // Does its load, and returns what the program knows of its maps then; it lives on.
    nlohmann::json load() {
        EXPECT_TRUE(child_.write_line("go"));
        const auto line = child_.read_line(Child::Seconds(60));
        if (!line) ADD_FAILURE() << "no answer: " << child_.err();
        return nlohmann::json::parse(line.value_or("[]"));
    }
    Finished end() {
        child_.end_input();
        return child_.finish();
    }

private:
    static std::vector<std::string> command(const std::string& program, const std::vector<std::string>& arguments) {
        // A path is one.
        std::vector<std::string> argv{program.starts_with('/') ? program : MAPAUDIT_GO_TARGETS "/" + program};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return argv;
    }
    Child child_;
};

// The auditor, attached to a program before its load and detached after it.
struct GoAudit {
    nlohmann::json known;
    std::vector<CsvRow> csv;
    Finished auditor, target;
};

inline GoAudit audit_go(const std::string& program, const std::vector<std::string>& arguments,
                        const std::vector<std::string>& options = {}) {
    GoAudit result;
    const ScratchFolder scratch;
    GoTarget target(program, arguments);
    std::vector<std::string> argv{
        MAPAUDIT_AUDITOR, "attach",        "-p", std::to_string(target.pid()), "--csv", scratch.file("a.csv"),
        "--stacks",       "--fail-on-loss"};
    argv.insert(argv.end(), options.begin(), options.end());
    Child auditor(argv);
    if (!auditor.wait_for("attached to")) {
        ADD_FAILURE() << auditor.err();
        return result;
    }
    result.known = target.load();
    auditor.send(SIGINT);
    result.auditor = auditor.finish();
    EXPECT_EQ(result.auditor.exit_code, 0) << result.auditor.err;
    result.target = target.end();
    EXPECT_EQ(result.target.exit_code, 0) << result.target.err;
    result.csv = read_csv(scratch.file("a.csv"));
    return result;
}

// Total rows of the program's own maps: those that were first met in main's code.
inline std::vector<CsvRow> own_maps(const std::vector<CsvRow>& csv) {
    std::vector<CsvRow> rows;
    for (const CsvRow& row : rows_of(csv, "total"))
        if (row.at("map_name").find(" main.") != std::string::npos) rows.push_back(row);
    return rows;
}

inline long sum(const std::vector<CsvRow>& rows, const std::string& column) {
    long all = 0;
    for (const CsvRow& row : rows) all += std::stol(row.at(column));
    return all;
}

// Whatever fired was handled.
inline void expect_balance(const Finished& auditor) {
    const LedgerLine ledger = ledger_of(auditor);
    EXPECT_EQ(ledger.fired, ledger.handled + ledger.lost);
    EXPECT_EQ(ledger.lost, 0u);
    EXPECT_GT(ledger.fired, 0u);
}

// The rows that an auditor has written so far: whole lines of a file that grows.
inline std::vector<CsvRow> rows_so_far(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    text.resize(text.rfind('\n') + 1);
    return text.empty() ? std::vector<CsvRow>{} : parse_csv(text);
}

// Rounds, operations: how many of what a test does, more by an environment variable, for a proof.
inline int asked(const char* variable, int usual) {
    const char* const value = std::getenv(variable);
    return value != nullptr ? std::atoi(value) : usual;
}

}  // namespace mapaudit::test
