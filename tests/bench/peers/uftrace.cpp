// SPDX-License-Identifier: Apache-2.0
#include "peers/peers.hpp"
#include "processes.hpp"
#include "tool_output.hpp"

namespace mapaudit::bench {
namespace {

constexpr const char* operations = "bench_";  // what the names of the measured functions begin with

class Uftrace : public Tracer {
public:
    Uftrace(std::string binary, std::filesystem::path scratch)
        : binary_(std::move(binary)), data_(scratch / "uftrace.data") {}
    ~Uftrace() override {
        std::error_code ignored;
        std::filesystem::remove_all(data_, ignored);
    }

    std::unique_ptr<Subject> launch(const std::string& map, const std::string& mix) override {
        return std::make_unique<Subject>(std::vector<std::string>{"uftrace", "record", "--no-event", "--no-libcall",
                                                                  "-P", std::string("^") + operations, "-d", data_},
                                         binary_, map, mix);
    }

    // It patches before main begins; what cannot start cannot answer.
    void attach(Subject& subject) override {
        recorder_ = subject.pid();
        subject.semaphores();
    }

    Seen detach(Subject& subject) override {
        const test::Finished ended = subject.end();
        if (ended.exit_code != 0) throw BenchError("uftrace record: " + complaint(ended.err));
        const auto calls = uftrace_calls(output_of({"uftrace", "report", "-d", data_}), operations);
        return {calls.value_or(0), uftrace_lost(ended.out + ended.err)};
    }

    // Without its child, which is the measured process.
    std::uint64_t cpu_ns() const override { return process_cpu_ns(recorder_); }

private:
    std::string binary_;
    std::filesystem::path data_;
    pid_t recorder_ = 0;
};

}  // namespace

std::unique_ptr<Tracer> make_uftrace(std::string binary, std::filesystem::path scratch) {
    return std::make_unique<Uftrace>(std::move(binary), std::move(scratch));
}

}  // namespace mapaudit::bench
