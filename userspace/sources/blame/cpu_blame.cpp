// SPDX-License-Identifier: Apache-2.0
#include "sources/blame/cpu_blame.hpp"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>

namespace mapaudit::sources {
namespace {

constexpr ino_t initial_pidns = 0xEFFFFFFC;  // PROC_PID_INIT_INO

struct PidNamespace {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const PidNamespace&) const = default;
};

Result<PidNamespace> pid_namespace(const std::string& process) {
    struct stat found;
    const std::string path = "/proc/" + process + "/ns/pid";
    if (::stat(path.c_str(), &found) != 0)
        return Error::from_errno(Failure::not_permitted, "cannot read " + path, errno,
                                 "run as root, or with CAP_SYS_PTRACE");
    return PidNamespace{found.st_dev, found.st_ino};
}

// What bpf_ktime_get_ns() says.
std::uint64_t monotonic_ns() {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

model::OpBlame difference(const wire_blame& now, const wire_blame& before) {
    model::OpBlame gained;
    for (std::size_t i = 0; i < WIRE_PHASES; ++i) gained.samples[i] = now.samples[i] - before.samples[i];
    for (std::size_t i = 0; i < WIRE_COUNTERS; ++i) gained.events[i] = now.events[i] - before.events[i];
    gained.sleeps = now.sleeps - before.sleeps;
    gained.slept_ns = now.slept_ns - before.slept_ns;
    gained.lock_sleeps = now.lock_sleeps - before.lock_sleeps;
    gained.lock_slept_ns = now.lock_slept_ns - before.lock_slept_ns;
    gained.preemptions = now.preemptions - before.preemptions;
    gained.preempted_ns = now.preempted_ns - before.preempted_ns;
    gained.lock_preemptions = now.lock_preemptions - before.lock_preemptions;
    gained.lock_preempted_ns = now.lock_preempted_ns - before.lock_preempted_ns;
    gained.migrations = now.migrations - before.migrations;
    return gained;
}

}  // namespace

Result<std::unique_ptr<Blame>> Blame::make(const std::vector<BlameTarget>& targets, BlameOptions options) {
    std::unique_ptr<Blame> blame(new Blame(std::move(options)));
    blame->targets_ = targets;
    blame->rests_before_.resize(targets.size());
    auto programs = BlamePrograms::load(blame->options_.sizes);
    if (!programs) return programs.error();
    blame->programs_ = std::move(*programs);
    for (std::uint32_t i = 0; i < targets.size(); ++i)
        if (auto introduced = blame->introduce(targets[i], i); !introduced) return introduced.error();
    return blame;
}

Result<void> Blame::introduce(const BlameTarget& target, std::uint32_t index) {
    const auto own = pid_namespace("self");
    const auto its = pid_namespace(std::to_string(target.process->pid()));
    if (!own) return own.error();
    if (!its) return its.error();
    if (own->inode != initial_pidns && *own != *its)
        return Error::of(Failure::not_permitted,
                         "cannot tell the threads of process " + std::to_string(target.process->pid()) +
                             ", which has a PID namespace of its own, from in here",
                         "run the audit from the host, or inside that namespace");
    wire_blame_process process{};
    process.index = index;
    process.first_domain = target.first_domain;
    process.domains = target.domains;
    if (its->inode != initial_pidns) {
        process.pidns_device = its->device;
        process.pidns_inode = its->inode;
    }
    return programs_->set_process(static_cast<std::uint32_t>(target.process->pid()), process);
}

void Blame::note(const Error& error) const {
    if (options_.on_note) options_.on_note(error.line());
}

void Blame::learn(std::uint32_t domain, std::uint64_t registry, const BlocksByThread& blocks) {
    programs_->set_registry(domain, registry);
    auto& told = blocks_[domain];
    for (auto thread = told.begin(); thread != told.end();) {
        if (blocks.contains(thread->first)) {
            ++thread;
            continue;
        }
        programs_->forget_block(domain, thread->first);
        thread = told.erase(thread);
    }
    for (const auto& [tid, address] : blocks) {
        const auto before = told.find(tid);
        if (before != told.end() && before->second == address) continue;
        if (!programs_->set_block(domain, tid, address)) continue;  // full: the program looks for it itself
        told[tid] = address;
    }
}

Result<void> Blame::start() {
    if (auto started = start_sampling(); !started) return started;
    start_counters();
    if (auto watched = programs_->watch_scheduler(); watched)
        able_.scheduler = true;
    else
        note(watched.error());
    return {};
}

// By cycles where the processor counts them, which leaves halted CPUs alone; by the kernel's clock where not.
Result<void> Blame::start_sampling() {
    std::uint64_t cookie = WIRE_IS_SAMPLE | WIRE_COUNT_CYCLES;
    PerfCounter clock = options_.counters.front();
    auto events = open_everywhere(clock, options_.cycles_hz);
    if (!events) {
        cookie = WIRE_IS_SAMPLE | WIRE_COUNT_NONE;
        clock = cpu_clock();
        events = open_everywhere(clock, options_.clock_hz);
    }
    if (!events) return events.error();
    if (auto started = programs_->sample(std::move(*events), cookie); !started) return started;
    able_.clock = clock.name;
    able_.counters[WIRE_COUNT_CYCLES] = cookie == (WIRE_IS_SAMPLE | WIRE_COUNT_CYCLES);
    return {};
}

void Blame::start_counters() {
    if (!able_.counters[WIRE_COUNT_CYCLES]) return;  // no PMU: doctor says why
    for (std::size_t i = WIRE_COUNT_INSTRUCTIONS; i < std::min<std::size_t>(options_.counters.size(), WIRE_COUNTERS);
         ++i) {
        auto events = open_everywhere(options_.counters[i], options_.counter_hz);
        if (!events) {
            note(events.error());
            continue;
        }
        if (auto started = programs_->sample(std::move(*events), i); !started)
            note(started.error());
        else
            able_.counters[i] = true;
    }
}

void Blame::collect_rest(const BlameTarget& target, std::uint32_t index, model::BlameAggregator& aggregator) {
    const wire_blame_rest now = programs_->rest(index);
    const wire_blame_rest& before = rests_before_[index];
    model::ProcessBlame gained;
    gained.pid = target.process->pid();
    gained.samples = now.samples - before.samples;
    gained.elsewhere = now.elsewhere - before.elsewhere;
    gained.unknown = now.unknown - before.unknown;
    gained.lost = now.lost - before.lost;
    for (std::size_t i = 0; i < WIRE_COUNTERS; ++i) gained.events[i] = now.events[i] - before.events[i];
    gained.off_cpu_lost = now.off_cpu_lost - before.off_cpu_lost;
    aggregator.add(gained);
    rests_before_[index] = now;
}

std::uint64_t Blame::samples() const {
    std::uint64_t sum = 0;
    for (const wire_blame_rest& rest : rests_before_) sum += rest.samples;
    return sum;
}

// Who is off the CPU is asked first: whose sleep ends in between is counted twice, and taken back the next time.
model::Gained Blame::gained() {
    std::vector<model::OffCpu> off;
    for (const auto& [tid, one] : programs_->off_cpus()) {
        const bool waiting = (one.op & MAPAUDIT_IN_WAIT) != 0;
        off.push_back(
            {tid, one.since_ns, one.key, one.preempted != 0, waiting, !waiting && (one.op & MAPAUDIT_IN_LOCK) != 0});
    }
    const std::uint64_t now_ns = monotonic_ns();
    model::Gained gained;
    for (const auto& [key, now] : programs_->blames()) {
        wire_blame& before = before_[key];
        gained[key] = difference(now, before);
        before = now;
    }
    ongoing_.settle(off, now_ns, gained);
    return gained;
}

void Blame::collect(model::BlameAggregator& aggregator) {
    aggregator.set_able(able_);
    for (const auto& [key, blame] : gained()) {
        const auto domain = static_cast<std::uint32_t>(key >> 40);
        const auto target = std::find_if(targets_.begin(), targets_.end(), [&](const BlameTarget& t) {
            return domain - t.first_domain < t.domains;  // wraps round below the first
        });
        if (target == targets_.end()) continue;
        aggregator.add({target->process->pid(), domain - target->first_domain, static_cast<std::uint32_t>(key)},
                       static_cast<std::uint32_t>(key >> 32 & 0xff), blame);
    }
    for (std::uint32_t i = 0; i < targets_.size(); ++i) {
        collect_rest(targets_[i], i, aggregator);
        // Its id may become another process's.
        if (!targets_[i].process->alive())
            programs_->forget_process(static_cast<std::uint32_t>(targets_[i].process->pid()));
    }
}

}  // namespace mapaudit::sources
