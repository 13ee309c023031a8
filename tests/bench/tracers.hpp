// SPDX-License-Identifier: Apache-2.0
//
// What gets attached to the measured process. Each counts the operations it saw, to be held against those done.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "subject.hpp"
#include "support/child.hpp"

namespace mapaudit::bench {

class Tracer {
public:
    virtual ~Tracer() = default;
    // Returns once everything is attached; throws BenchError when that fails.
    virtual void attach(Subject& subject) = 0;
    // Detaches; the operations that were seen, or nothing where the variant counts none.
    virtual std::optional<std::uint64_t> detach(Subject& subject) = 0;
};

// `mapaudit attach --level LEVEL`, whose totals are read from its CSV.
class Auditor : public Tracer {
public:
    // `option`: one more, or null.
    Auditor(std::string binary, std::string level, std::string csv, const char* option);
    void attach(Subject& subject) override;
    std::optional<std::uint64_t> detach(Subject& subject) override;

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

    void attach(Subject& subject) override;
    std::optional<std::uint64_t> detach(Subject& subject) override;

private:
    explicit Bpftrace(std::string script) : script_(std::move(script)) {}
    std::string script_;
    std::optional<test::Child> child_;
};

// The sum of `calls` over a CSV's total rows of the operations that batches carry. Throws when anything was lost.
std::uint64_t total_calls(const std::string& csv_path);

}  // namespace mapaudit::bench
