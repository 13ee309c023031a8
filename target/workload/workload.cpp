// SPDX-License-Identifier: Apache-2.0
//
// mapaudit-workload: a known load on audited maps, with exact counts of its own.
#include <exception>
#include <iostream>
#include <limits>

#include "kinds.hpp"
#include "workload_report.hpp"

namespace {

using namespace mapaudit::workload;

int run(const Options& options) {
    if (options.list) {
        for (const Kind& kind : all_kinds()) std::cout << kind.name << '\n';
        return 0;
    }
    const auto result = find_kind(options.kind)->run(options);
    if (const auto* failure = std::get_if<Failure>(&result)) {
        std::cerr << "mapaudit-workload: " << failure->line << '\n';
        return failure->exit_code;
    }
    const auto& outcome = std::get<Outcome>(result);
    if (options.json)
        std::cout << to_json(outcome, options) << '\n';
    else
        print_text(std::cout, outcome);
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "mapaudit-workload: cannot write the report to stdout\n";
        return exit_failed;
    }
    if (options.hold) std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto parsed = parse_options(argc, argv);
        if (const int* code = std::get_if<int>(&parsed)) return *code;
        return run(std::get<Options>(parsed));
    } catch (const std::exception& error) {
        std::cerr << "mapaudit-workload: " << error.what() << '\n';
        return exit_failed;
    }
}
