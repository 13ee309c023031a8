// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <thread>

#include "peers/peers.hpp"
#include "processes.hpp"
#include "tool_output.hpp"

namespace mapaudit::bench {
namespace {

constexpr const char* session = "bench";
constexpr const char* channel = "operations";

class Lttng : public Tracer {
public:
    Lttng(std::string binary, std::filesystem::path scratch)
        : binary_(std::move(binary)),
          trace_(scratch / "lttng-trace"),
          // It has processes and threads of its own to end, and so is never killed outright; and it ends when this
          // process does, however that happens.
          daemon_({"setpriv", "--pdeathsig", "TERM", "lttng-sessiond", "--no-kernel"}) {
        await_daemon();
    }
    ~Lttng() override {
        daemon_.send(SIGTERM);
        daemon_.finish(test::Child::Seconds(20));
        std::error_code ignored;
        std::filesystem::remove_all(trace_, ignored);
    }

    // The program registers with the daemon before its main begins.
    std::unique_ptr<Subject> launch(const std::string& map, const std::string& mix) override {
        return std::make_unique<Subject>(binary_, map, mix);
    }

    void attach(Subject&) override {
        lttng({"create", session, "--output", trace_});
        // 32 MiB a CPU instead of half of one, so that it need not discard.
        lttng({"enable-channel", "--userspace", "--session", session, "--subbuf-size", "4M", "--num-subbuf", "8",
               channel});
        lttng({"enable-event", "--userspace", "--session", session, "--channel", channel, "mapaudit_bench:*"});
        lttng({"start", session});
    }

    Seen detach(Subject&) override {
        lttng({"stop", session});
        const auto discarded = lttng_discarded(lttng({"--mi", "xml", "list", session}));
        if (!discarded) throw BenchError("lttng list does not say how many events were discarded");
        const auto events = babeltrace_events(
            output_of({"babeltrace2", "convert", trace_, "--component", "sink.utils.counter", "--params", "step=+0"}));
        lttng({"destroy", session});
        return {events.value_or(0), *discarded};
    }

    std::uint64_t cpu_ns() const override { return tree_cpu_ns(daemon_.pid()); }

private:
    // Never with a daemon that the client would start.
    static std::string lttng(const std::vector<std::string>& words) {
        std::vector<std::string> command{"lttng", "--no-sessiond"};
        command.insert(command.end(), words.begin(), words.end());
        return output_of(command);
    }

    void await_daemon() {
        using Clock = std::chrono::steady_clock;
        for (const auto deadline = Clock::now() + std::chrono::seconds(10);;) {
            try {
                lttng({"list"});
                return;
            } catch (const BenchError& error) {
                if (Clock::now() < deadline && !daemon_.wait_for("Error:", test::Child::Seconds(0.05))) continue;
                throw BenchError(std::string(error.what()) + "; lttng-sessiond: " + complaint(daemon_.err()));
            }
        }
    }

    std::string binary_;
    std::filesystem::path trace_;
    test::Child daemon_;
};

}  // namespace

std::unique_ptr<Tracer> make_lttng(std::string binary, std::filesystem::path scratch) {
    return std::make_unique<Lttng>(std::move(binary), std::move(scratch));
}

}  // namespace mapaudit::bench
