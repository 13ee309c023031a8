// SPDX-License-Identifier: Apache-2.0
//
// nats-server on a loopback port of its choosing, and clients that speak its protocol.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "support/child.hpp"
#include "support/tcp_client.hpp"

namespace mapaudit::test {

class NatsServer {
public:
    // Throws std::runtime_error when it does not get ready.
    explicit NatsServer(const std::string& program);
    pid_t pid() const { return server_.pid(); }
    TcpClient connect() const;
    Finished stop();

private:
    Child server_;
    std::uint16_t port_ = 0;
};

// Waits until the server has worked off all that it was sent by this client; throws when it does not.
void flush(TcpClient& client);
// Subscribes to `subjects` subjects, in its own name; returns what stays subscribed.
TcpClient subscriber(const NatsServer& server, int subjects);
// Has messages sent to each of them, in order, and waits until they have arrived: false when others did, or none.
bool messages_arrive(TcpClient& from, TcpClient& to, int subjects, int messages);

}  // namespace mapaudit::test
