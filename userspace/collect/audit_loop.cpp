// SPDX-License-Identifier: Apache-2.0
#include "collect/audit_loop.hpp"

#include <utility>

#include "collect/wakeups.hpp"

namespace mapaudit::collect {
namespace {

class Loop {
public:
    Loop(Session& session, const LoopOptions& options, LoopObserver& observer)
        : session_(session), options_(options), observer_(observer), take_prices_(options.prices.take) {}

    Result<void> run() {
        auto wakeups = Wakeups::make(wake_options());
        if (!wakeups) return wakeups.error();
        for (;;) {
            const auto woken = wakeups->wait();
            if (!woken) return woken.error();
            const auto ended = answer(*woken);
            if (!ended) return ended.error();
            if (*ended) return {};
        }
    }

    // Once: for the estimates from then on, and for those of the whole run.
    void learn_prices() {
        const auto take = std::exchange(take_prices_, nullptr);
        if (!take) return;
        const auto prices = take();
        if (prices) session_.set_prices(*prices);
        observer_.on_prices(prices);
    }

private:
    WakeOptions wake_options() const {
        WakeOptions wake;
        wake.interval_s = options_.interval_s;
        wake.duration_s = options_.duration_s;
        wake.governed = session_.governed();
        if (options_.stop_signals != nullptr) wake.stop_fd = options_.stop_signals->fd();
        wake.priced_fd = options_.prices.ready_fd;
        wake.keyboard_fd = options_.keyboard_fd;
        wake.urgent_fds = session_.urgent_fds();
        wake.targets = session_.processes();
        return wake;
    }

    // Does what the wakeup asks for; true: the loop ends.
    Result<bool> answer(Woken woken) {
        switch (woken) {
            case Woken::priced: learn_prices(); return false;
            case Woken::governor: step_governor(); return false;
            case Woken::look: session_.collect(); return false;
            case Woken::urgent: session_.take_events(); return false;
            case Woken::keyboard: return observer_.quit_asked();
            case Woken::targets_gone: return true;
            case Woken::interval:
                if (auto taken = observer_.on_interval(session_.interval()); !taken) return taken.error();
                return false;
            case Woken::duration_over: observer_.on_stop(0); return true;
            case Woken::stop: observer_.on_stop(options_.stop_signals->receive()); return true;
        }
        return false;
    }

    void step_governor() {
        const auto stepped = session_.step_governor();
        if (stepped && *stepped) observer_.on_switch(**stepped);
        // That of a target which has just ended cannot be changed, and need not be.
        if (!stepped && session_.any_alive()) observer_.on_level_kept(stepped.error());
    }

    Session& session_;
    const LoopOptions& options_;
    LoopObserver& observer_;
    std::function<Result<model::Prices>()> take_prices_;
};

}  // namespace

LoopEnd run_audit(Session& session, const LoopOptions& options, LoopObserver& observer) {
    Loop loop(session, options, observer);
    LoopEnd end;
    end.outcome = loop.run();
    loop.learn_prices();
    end.last = session.finish();
    return end;
}

}  // namespace mapaudit::collect
