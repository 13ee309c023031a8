// SPDX-License-Identifier: Apache-2.0
//
// mapaudit run -- COMMAND [ARG…]: the command is held at its first instruction until the probes are attached.
#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <vector>

#include "cli/audit.hpp"
#include "cli/commands.hpp"

namespace mapaudit::cli {
namespace {

struct Arguments {
    std::vector<std::string> command;
    AuditOptions options;
};

// A child held, under ptrace, right after it executed the command. Killed when abandoned before release().
class HeldChild {
public:
    static Result<HeldChild> start(const std::vector<std::string>& command) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(Failure::failed, "cannot make a pipe", errno);
        UniqueFd failed_exec(ends[0]), report(ends[1]);
        const pid_t pid = ::fork();
        if (pid < 0) return Error::from_errno(Failure::failed, "cannot fork", errno);
        if (pid == 0) execute(command, report.get());
        report.reset();
        HeldChild child(pid);
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFSTOPPED(status)) return child;
        child.pid_ = -1;
        int err = 0;
        if (::read(failed_exec.get(), &err, sizeof err) != static_cast<ssize_t>(sizeof err)) err = ECHILD;
        return Error::from_errno(Failure::failed, "cannot run " + command.front(), err);
    }
    HeldChild(HeldChild&& other) noexcept : pid_(std::exchange(other.pid_, -1)), held_(other.held_) {}
    HeldChild& operator=(HeldChild&&) = delete;
    ~HeldChild() {
        if (pid_ < 0) return;
        if (held_) ::kill(pid_, SIGKILL);
        wait();
    }

    pid_t pid() const { return pid_; }
    Result<void> release() {
        if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) != 0)
            return Error::from_errno(Failure::failed, "cannot let the command run", errno);
        held_ = false;
        return {};
    }
    // Waits for its end and says so when that was no success.
    void wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            spdlog::warn("the command exited with {}", WEXITSTATUS(status));
        if (WIFSIGNALED(status) && !held_) spdlog::warn("the command was ended by signal {}", WTERMSIG(status));
    }

private:
    explicit HeldChild(pid_t pid) : pid_(pid) {}
    [[noreturn]] static void execute(const std::vector<std::string>& command, int report) {
        std::vector<char*> arguments;
        for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
        arguments.push_back(nullptr);
        collect::StopSignals::give_back();
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::execvp(arguments[0], arguments.data());
        const int err = errno;
        (void)!::write(report, &err, sizeof err);
        ::_exit(127);
    }
    pid_t pid_;
    bool held_ = true;
};

Result<int> run(const Arguments& arguments) {
    set_verbosity(arguments.options.verbose, arguments.options.quiet);
    auto signals = collect::StopSignals::take();
    if (!signals) return signals.error();
    auto outputs = Outputs::open(arguments.options);
    if (!outputs) return outputs.error();
    auto child = HeldChild::start(arguments.command);
    if (!child) return child.error();
    auto process = Process::open(child->pid());
    if (!process) return process.error();
    AuditHooks hooks;
    hooks.attached = [&] { return child->release(); };
    // The command is ours: what ends the audit ends it, too.
    hooks.stopped = [&](int signal) { ::kill(child->pid(), signal == 0 ? SIGTERM : signal); };
    return audit({&*process}, arguments.options, std::move(*outputs), *signals, hooks);
}

}  // namespace

void add_run(CLI::App& program, Outcome& outcome) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = program.add_subcommand("run", "Start a command and audit it from its first instruction");
    command->add_option("command", arguments->command, "The command and its arguments, after --")
        ->type_name("COMMAND [ARG...]")
        ->required();
    command->positionals_at_end();
    add_audit_options(*command, arguments->options);
    command->callback([arguments, &outcome] { outcome = run(*arguments); });
}

}  // namespace mapaudit::cli
