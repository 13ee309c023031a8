// SPDX-License-Identifier: Apache-2.0
//
// mapaudit-kvd under test, on a free port.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child.hpp"
#include "support/tcp_client.hpp"

namespace mapaudit::test {

class KvdServer {
public:
    // Throws std::runtime_error when it does not get ready. `descriptors`: how many files it may open, 0: as we.
    explicit KvdServer(const std::vector<std::string>& options = {}, unsigned descriptors = 0)
        : child_(command(options, descriptors)) {
        const std::string marker = "ready port=";
        if (!child_.wait_for(marker) || !child_.wait_for("\n"))
            throw std::runtime_error("mapaudit-kvd did not get ready: " + child_.err());
        port_ = static_cast<std::uint16_t>(std::stoi(child_.err().substr(child_.err().find(marker) + marker.size())));
    }

    std::uint16_t port() const noexcept { return port_; }
    Child& child() noexcept { return child_; }
    // One question on a connection of its own; the answer up to and with `end`.
    std::string ask(const std::string& question, const std::string& end) {
        TcpClient client(port_);
        EXPECT_TRUE(client.send(question));
        return client.receive_until(end);
    }
    std::uint64_t resident_kib() const {
        std::ifstream status("/proc/" + std::to_string(child_.pid()) + "/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
        ADD_FAILURE() << "no VmRSS";
        return 0;
    }
    Finished stop(int signal = SIGTERM) {
        child_.send(signal);
        return child_.finish(Child::Seconds(30));
    }

private:
    static std::vector<std::string> command(const std::vector<std::string>& options, unsigned descriptors) {
        std::vector<std::string> argv{MAPAUDIT_KVD, "--port", "0"};
        if (descriptors != 0)
            argv.insert(argv.begin(),
                        {"sh", "-c", "ulimit -n " + std::to_string(descriptors) + " && exec \"$@\"", "sh"});
        argv.insert(argv.end(), options.begin(), options.end());
        return argv;
    }

    Child child_;
    std::uint16_t port_ = 0;
};

}  // namespace mapaudit::test
