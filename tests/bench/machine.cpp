// SPDX-License-Identifier: Apache-2.0
#include "machine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace mapaudit::bench {
namespace {

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    bool virtual_machine = false;
    std::string model = "unknown CPU";
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) model = line.substr(colon + 2);
        if (line.starts_with("flags")) virtual_machine = line.find(" hypervisor") != std::string::npos;
    }
    return virtual_machine ? model + " (virtual machine)" : model;
}

}  // namespace

std::string describe_machine() {
    utsname system{};
    ::uname(&system);
    const double gib = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) /
                       (1024.0 * 1024 * 1024);
    return fmt::format("{}, {} cores, {:.0f} GiB, {} {} {}", cpu_model(), ::sysconf(_SC_NPROCESSORS_ONLN), gib,
                       system.sysname, system.release, system.machine);
}

}  // namespace mapaudit::bench
