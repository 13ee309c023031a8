// SPDX-License-Identifier: Apache-2.0
//
// The doctor's answers, with all rights and with none.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sources/host/capabilities.hpp"
#include "sources/host/uprobe_scaling.hpp"
#include "support/child.hpp"

namespace mapaudit::test {
namespace {

using sources::Capability;
using sources::State;

std::map<std::string, nlohmann::json> by_name(const nlohmann::json& object) {
    std::map<std::string, nlohmann::json> found;
    for (const auto& capability : object.at("capabilities")) {
        EXPECT_TRUE(found.emplace(capability.at("name").get<std::string>(), capability).second) << capability;
        EXPECT_TRUE((std::set<std::string>{"ok", "degraded", "missing"}).contains(capability.at("state")));
        EXPECT_FALSE(capability.at("found").get<std::string>().empty()) << capability;
        EXPECT_FALSE(capability.at("origin").get<std::string>().empty()) << capability;
    }
    return found;
}

TEST(Doctor, RootCanAudit) {
    const Finished table = run({MAPAUDIT_AUDITOR, "doctor"});
    EXPECT_EQ(table.exit_code, 0) << table.out << table.err;
    EXPECT_EQ(table.err, "");
    EXPECT_NE(table.out.find("can be audited here"), std::string::npos) << table.out;
    const Finished json = run({MAPAUDIT_AUDITOR, "doctor", "--json"});
    EXPECT_EQ(json.exit_code, 0) << json.err;
    const auto object = nlohmann::json::parse(json.out);
    EXPECT_TRUE(object.at("can_audit").get<bool>());
    const auto found = by_name(object);
    for (const char* name : {"bpf", "bpf_ringbuf", "uprobe_semaphores", "perf_clock", "cap_bpf", "cap_perfmon"})
        EXPECT_EQ(found.at(name).at("state"), "ok") << found.at(name);
    for (const char* name :
         {"uprobe_multi", "uprobe_perf", "uprobe_optimised", "uprobe_scaling", "kernel_btf", "tp_btf", "hw_cycles",
          "hw_instructions", "hw_cache_misses", "hw_branch_misses", "cap_sys_ptrace", "cap_sys_admin", "lockdown",
          "unprivileged_bpf", "perf_event_paranoid", "pid_namespace", "invariant_tsc", "unwinder"})
        EXPECT_TRUE(found.contains(name)) << name;
}

TEST(Doctor, WithoutRightsSaysWhichAndWhatToDo) {
    const std::vector<std::string> without{"setpriv", "--bounding-set=-all", "--inh-caps=-all", MAPAUDIT_AUDITOR,
                                           "doctor"};
    const Finished table = run(without);
    EXPECT_EQ(table.exit_code, 4) << table.out << table.err;
    EXPECT_NE(table.out.find("run as root, or with CAP_BPF and CAP_PERFMON"), std::string::npos) << table.out;
    std::vector<std::string> as_json = without;
    as_json.push_back("--json");
    const Finished json = run(as_json);
    EXPECT_EQ(json.exit_code, 4);
    const auto object = nlohmann::json::parse(json.out);
    EXPECT_FALSE(object.at("can_audit").get<bool>());
    const auto found = by_name(object);
    for (const char* name : {"bpf", "bpf_ringbuf", "uprobe_multi", "uprobe_perf", "cap_bpf", "cap_perfmon"}) {
        EXPECT_EQ(found.at(name).at("state"), "missing") << found.at(name);
        EXPECT_FALSE(found.at(name).at("remedy").get<std::string>().empty()) << found.at(name);
    }
}

TEST(Doctor, LeavesNothingAttached) {
    run({MAPAUDIT_AUDITOR, "doctor"});
    // The kernel frees a program a moment after its last user has gone.
    const Finished programs = run({"sh", "-c",
                                   "PATH=$PATH:/usr/sbin; for i in $(seq 100); do"
                                   " bpftool prog show | grep mapaudit_try || exit 0; sleep 0.1; done; exit 1"});
    EXPECT_EQ(programs.exit_code, 0) << programs.out;
}

TEST(Doctor, TriesWhetherProbesScaleOnAsManyThreadsAsItSays) {
    const auto scaling = sources::try_uprobe_scaling(8);
    ASSERT_TRUE(scaling) << scaling.error().line();
    EXPECT_EQ(scaling->threads, sources::scaling_threads(8));
    EXPECT_GE(scaling->threads, 2u);
    EXPECT_LE(scaling->threads, 8u);
    // Unprobed, a site is passed hundreds of millions of times a second: it was hit.
    for (const double rate : {scaling->alone, scaling->together}) {
        EXPECT_GT(rate, 1000);
        EXPECT_LT(rate, 50e6);
    }
}

TEST(Scaling, IsOfAThreadsOwnSpeed) {
    EXPECT_DOUBLE_EQ((sources::UprobeScaling{8, 4e6, 1e6}.kept()), 0.25);
    EXPECT_FALSE((sources::UprobeScaling{8, 4e6, 1e6}.scales()));
    EXPECT_TRUE((sources::UprobeScaling{8, 4e6, 2e6}.scales()));
    EXPECT_TRUE(sources::UprobeScaling{}.scales()) << "not known";
}

TEST(Capabilities, OneWayToAttachIsEnough) {
    const auto with = [](State multi, State perf, State bpf = State::ok) {
        return std::vector<Capability>{{"bpf", {}, bpf, {}, {}, {}},
                                       {"bpf_ringbuf", {}, State::ok, {}, {}, {}},
                                       {"uprobe_semaphores", {}, State::ok, {}, {}, {}},
                                       {"uprobe_multi", {}, multi, {}, {}, {}},
                                       {"uprobe_perf", {}, perf, {}, {}, {}}};
    };
    EXPECT_TRUE(sources::can_audit(with(State::ok, State::degraded)));
    EXPECT_TRUE(sources::can_audit(with(State::degraded, State::ok)));
    EXPECT_FALSE(sources::can_audit(with(State::missing, State::missing)));
    EXPECT_FALSE(sources::can_audit(with(State::ok, State::ok, State::missing)));
    EXPECT_FALSE(sources::can_audit({}));
}

}  // namespace
}  // namespace mapaudit::test
