// SPDX-License-Identifier: Apache-2.0
#include "peers/climb.hpp"

#include <algorithm>
#include <iostream>

#include "peers/interruption.hpp"
#include "variants.hpp"

namespace mapaudit::bench {
namespace {

struct Contender {
    const Variant* variant;
    Rung rung;
    bool out = false;
};

class Climb {
public:
    Climb(Ladder& ladder, const Load& load, const std::vector<Variant>& variants) : ladder_(ladder), load_(load) {
        for (const Variant& variant : variants) {
            Contender contender{&variant, {}};
            contender.rung.row.map = load.map;
            contender.rung.row.mix = load.mix;
            contender.rung.row.variant = variant.name;
            contender.rung.events_per_op = variant.events_per_op;
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

    std::vector<std::string> finish(Rung compiled_out) {
        ladder_.rungs.push_back(std::move(compiled_out));
        for (Contender& contender : contenders_)
            if (!contender.out) ladder_.rungs.push_back(std::move(contender.rung));
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
            contender.rung.add(measured);
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
        ladder_.left_out.push_back(line);
    }

    Ladder& ladder_;
    const Load& load_;
    std::vector<Contender> contenders_;
    std::vector<std::string> refused_;
};

}  // namespace

std::vector<std::string> climb(Ladder& ladder, const Load& load, const std::string& with_probes,
                               const std::string& without_probes, const std::vector<Variant>& variants,
                               unsigned rounds) {
    Climb climb(ladder, load, variants);
    Rung compiled_out;
    compiled_out.row.map = load.map;
    compiled_out.row.mix = load.mix;
    compiled_out.row.variant = compiled_out_variant;
    for (unsigned round = 0; round < rounds; ++round) {
        check_interruption();
        // New processes each round: where memory happens to lie is part of the spread.
        Subject without(without_probes, load.map, load.mix), with(with_probes, load.map, load.mix);
        if (ladder.clock_pair_ns == 0) ladder.clock_pair_ns = with.clock_pair_ns();
        compiled_out.add(measure(without, nullptr));
        climb.round(with, "round " + std::to_string(round + 1) + " of " + std::to_string(rounds));
    }
    return climb.finish(std::move(compiled_out));
}

}  // namespace mapaudit::bench
