// SPDX-License-Identifier: Apache-2.0
#include "peers/peer_runs.hpp"

#include <algorithm>
#include <iostream>

#include "peers/interruption.hpp"
#include "variants.hpp"

namespace mapaudit::bench {
namespace {

struct Contender {
    const Variant* variant;
    BenchCase bench_case;
    bool out = false;
};

class PeerRuns {
public:
    PeerRuns(Comparison& comparison, const Load& load, const std::vector<Variant>& variants)
        : comparison_(comparison), load_(load) {
        for (const Variant& variant : variants) {
            Contender contender{&variant, {}};
            contender.bench_case.row.map = load.map;
            contender.bench_case.row.mix = load.mix;
            contender.bench_case.row.variant = variant.name;
            contender.bench_case.events_per_op = variant.events_per_op;
            contenders_.push_back(std::move(contender));
        }
    }

    void round(Subject& shared, const std::string& progress) {
        for (Contender& contender : contenders_) {
            if (contender.out) continue;
            check_interruption();
            std::cerr << "bench-peers: " << load_.map << ' ' << load_.mix << ", " << progress << ": "
                      << contender.variant->name << std::endl;
            turn(contender, shared);
        }
    }

    std::vector<std::string> finish(BenchCase compiled_out) {
        comparison_.cases.push_back(std::move(compiled_out));
        for (Contender& contender : contenders_)
            if (!contender.out) comparison_.cases.push_back(std::move(contender.bench_case));
        return std::move(refused_);
    }

private:
    void turn(Contender& contender, Subject& shared) {
        Measured measured{};
        try {
            measured = measure_with(*contender.variant, shared);
        } catch (const std::exception& error) {
            check_interruption();  // then its failure is no news
            if (!contender.variant->peer) throw;
            leave_out(contender, error.what());
            return;
        }
        try {
            contender.bench_case.add(measured);
        } catch (const BenchError& error) {
            std::cerr << "bench-peers: refused: " << error.what() << std::endl;
            refused_.emplace_back(error.what());
            contender.out = true;
        }
    }

    Measured measure_with(const Variant& variant, Subject& shared) const {
        if (!variant.make) return measure(shared, nullptr);
        const auto tracer = variant.make(load_);
        const auto own = tracer->launch(load_.map, load_.mix);
        Subject& subject = own ? *own : shared;
        tracer->attach(subject);
        return measure(subject, tracer.get());
    }

    void leave_out(Contender& contender, const std::string& why) {
        contender.out = true;
        const std::string line =
            load_.map + " " + load_.mix + ", " + contender.variant->name + ": " + why.substr(0, why.find('\n'));
        std::cerr << "bench-peers: left out: " << line << std::endl;
        comparison_.left_out.push_back(line);
    }

    Comparison& comparison_;
    const Load& load_;
    std::vector<Contender> contenders_;
    std::vector<std::string> refused_;
};

}  // namespace

std::vector<std::string> run_peers(Comparison& comparison, const Load& load, const std::string& with_probes,
                                   const std::string& without_probes, const std::vector<Variant>& variants,
                                   unsigned rounds) {
    PeerRuns runs(comparison, load, variants);
    BenchCase compiled_out;
    compiled_out.row.map = load.map;
    compiled_out.row.mix = load.mix;
    compiled_out.row.variant = compiled_out_variant;
    for (unsigned round = 0; round < rounds; ++round) {
        check_interruption();
        // New processes each round: where memory happens to lie is part of the spread.
        Subject without(without_probes, load.map, load.mix), with(with_probes, load.map, load.mix);
        if (comparison.clock_pair_ns == 0) comparison.clock_pair_ns = with.clock_pair_ns();
        compiled_out.add(measure(without, nullptr));
        runs.round(with, "round " + std::to_string(round + 1) + " of " + std::to_string(rounds));
    }
    return runs.finish(std::move(compiled_out));
}

}  // namespace mapaudit::bench
