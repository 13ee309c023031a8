// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <deque>

#include "peers/peers.hpp"
#include "processes.hpp"
#include "tool_output.hpp"

namespace mapaudit::bench {
namespace {

class Funclatency : public Tracer {
public:
    explicit Funclatency(std::vector<std::string> functions) : functions_(std::move(functions)) {}

    void attach(Subject& subject) override {
        for (const std::string& function : functions_) {
            // Its marker would stay in the buffer of a stdout that is a pipe.
            test::Child& child = children_.emplace_back(std::vector<std::string>{
                "stdbuf", "-oL", "funclatency", "-p", std::to_string(subject.pid()), ":" + function});
            if (child.wait_for("Hit Ctrl-C")) continue;
            child.send(SIGKILL);
            throw BenchError("funclatency did not attach: " + complaint(child.finish().err));
        }
    }

    Seen detach(Subject&) override {
        std::uint64_t calls = 0;
        for (const test::Child& child : children_) child.send(SIGINT);
        for (test::Child& child : children_) {
            const test::Finished ended = child.finish();
            if (ended.exit_code != 0) throw BenchError("funclatency: " + complaint(ended.err));
            calls += funclatency_calls(ended.out).value_or(0);
        }
        children_.clear();
        return {calls, 0};
    }

    std::uint64_t cpu_ns() const override {
        std::uint64_t sum = 0;
        for (const test::Child& child : children_) sum += tree_cpu_ns(child.pid());
        return sum;
    }

private:
    std::vector<std::string> functions_;
    std::deque<test::Child> children_;
};

}  // namespace

std::unique_ptr<Tracer> make_funclatency(std::vector<std::string> functions) {
    return std::make_unique<Funclatency>(std::move(functions));
}

}  // namespace mapaudit::bench
