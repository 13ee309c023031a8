// SPDX-License-Identifier: Apache-2.0
#include "tracers.hpp"

#include <signal.h>

#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "processes.hpp"
#include "tool_output.hpp"

namespace mapaudit::bench {
namespace {

// The bench's own maps have names without quotes and commas, so a field never needs RFC 4180's quoting.
std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) {
        if (!field.empty() && field.back() == '\r') field.pop_back();
        fields.push_back(field);
    }
    return fields;
}

}  // namespace

Seen total_calls(const std::string& csv_path) {
    std::ifstream file(csv_path);
    std::string line;
    if (!std::getline(file, line)) throw BenchError(csv_path + " is empty");
    std::map<std::string, std::size_t> column;
    const auto names = split(line);
    for (std::size_t i = 0; i < names.size(); ++i) column[names[i]] = i;

    std::uint64_t calls = 0, lost = 0;
    while (std::getline(file, line)) {
        auto fields = split(line);
        fields.resize(names.size());
        if (fields[column.at("scope")] != "total" || fields[column.at("cpu")] != "all") continue;
        if (const std::string& field = fields[column.at("lost")]; !field.empty()) lost += std::stoull(field);
        const std::string& op = fields[column.at("op")];
        if (op == "assign" || op == "lookup" || op == "erase") calls += std::stoull(fields[column.at("calls")]);
    }
    return {calls, lost};
}

Auditor::Auditor(std::string binary, std::string level, std::string csv, const char* option)
    : binary_(std::move(binary)), level_(std::move(level)), csv_(std::move(csv)), option_(option) {}

void Auditor::attach(Subject& subject) {
    std::vector<std::string> command{binary_, "attach", "-p", std::to_string(subject.pid()), "--level", level_,
                                     "-v",    "--csv",  csv_};
    if (option_ != nullptr) command.emplace_back(option_);
    child_.emplace(command);
    try {
        subject.await_attached();
        // Done once, beside the audit's first 200 ms: not what is measured.
        if (!child_->wait_for("calibrated what auditing costs")) throw BenchError("it does not calibrate");
    } catch (const BenchError& error) {
        child_->send(SIGKILL);
        throw BenchError("mapaudit attach --level " + level_ + ": " + error.what() + "\n" + child_->finish().err);
    }
}

Seen Auditor::detach(Subject& subject) {
    child_->send(SIGINT);
    const test::Finished ended = child_->finish();
    child_.reset();
    if (ended.exit_code != 0)
        throw BenchError("mapaudit attach ended with " + std::to_string(ended.exit_code) + ": " + ended.err);
    subject.await_detached();
    if (level_ == "events") return {};
    return total_calls(csv_);
}

std::uint64_t Auditor::cpu_ns() const { return child_ ? tree_cpu_ns(child_->pid()) : 0; }

std::unique_ptr<Tracer> Bpftrace::function(const std::string& binary, const std::string& map, bool assigns) {
    const auto script = [&](const std::string& function) {
        const std::string where = binary + ":" + function + map;
        return "uprobe:" + where + " { @start[tid] = nsecs; } uretprobe:" + where +
               " /@start[tid]/ { @ns = hist(nsecs - @start[tid]); @count = count(); } ";
    };
    return std::unique_ptr<Tracer>(new Bpftrace(script("bench_lookup_") + (assigns ? script("bench_assign_") : "")));
}

std::unique_ptr<Tracer> Bpftrace::probe(const std::string& binary, bool assigns) {
    return on_probes(binary, assigns, "@ns = hist(arg1); @count = count();");
}

std::unique_ptr<Tracer> Bpftrace::count(const std::string& binary, bool assigns) {
    return on_probes(binary, assigns, "@count = count();");
}

std::unique_ptr<Tracer> Bpftrace::on_probes(const std::string& binary, bool assigns, const std::string& body) {
    const auto script = [&](const char* name) { return "usdt:" + binary + ":mapaudit:" + name + " { " + body + " } "; };
    return std::unique_ptr<Tracer>(new Bpftrace(script("lookup") + (assigns ? script("assign") : "")));
}

std::uint64_t Bpftrace::cpu_ns() const { return child_ ? tree_cpu_ns(child_->pid()) : 0; }

void Bpftrace::attach(Subject& subject) {
    // Probes are attached in the script's order, so the first tick comes after all the others are in place.
    child_.emplace(std::vector<std::string>{"bpftrace", "-B", "line", "-p", std::to_string(subject.pid()), "-e",
                                            script_ + " interval:ms:50 { printf(\"tick\\n\"); }"});
    if (child_->wait_for("tick\n")) return;
    child_->send(SIGKILL);
    throw BenchError("bpftrace did not attach: " + child_->finish().err);
}

Seen Bpftrace::detach(Subject& subject) {
    child_->send(SIGINT);
    const test::Finished ended = child_->finish();
    child_.reset();
    subject.await_detached();
    if (const auto count = bpftrace_count(ended.out)) return {*count, 0};
    throw BenchError("bpftrace saw nothing: " + ended.err);
}

}  // namespace mapaudit::bench
