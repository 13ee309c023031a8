// SPDX-License-Identifier: Apache-2.0
//
// The auditor and bpftrace, attached to the measured process.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "support/child.hpp"
#include "tracer.hpp"

namespace mapaudit::bench {

// `mapaudit attach --level LEVEL`, whose totals are read from its CSV.
class Auditor : public Tracer {
public:
    // `option`: one more, or null.
    Auditor(std::string binary, std::string level, std::string csv, const char* option);
    void attach(Subject& subject) override;
    Seen detach(Subject& subject) override;
    std::uint64_t cpu_ns() const override;

private:
    std::string binary_, level_, csv_;
    const char* option_;
    std::optional<test::Child> child_;
};

// bpftrace with a script whose @count map has the operations.
class Bpftrace : public Tracer {
public:
    // Time from entry to return of the functions that operate on the map, as a histogram.
    static std::unique_ptr<Tracer> function(const std::string& binary, const std::string& map, bool assigns);
    // The latency argument of the per-operation probes, as a histogram.
    static std::unique_ptr<Tracer> probe(const std::string& binary, bool assigns);
    // The per-operation probes counted, and nothing else.
    static std::unique_ptr<Tracer> count(const std::string& binary, bool assigns);

    void attach(Subject& subject) override;
    Seen detach(Subject& subject) override;
    std::uint64_t cpu_ns() const override;

private:
    static std::unique_ptr<Tracer> on_probes(const std::string& binary, bool assigns, const std::string& body);
    explicit Bpftrace(std::string script) : script_(std::move(script)) {}
    std::string script_;
    std::optional<test::Child> child_;
};

// The sums of `calls` and `lost` over a CSV's total rows of the operations that batches carry.
Seen total_calls(const std::string& csv_path);

}  // namespace mapaudit::bench
