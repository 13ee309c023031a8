// SPDX-License-Identifier: Apache-2.0
#include "support/nats_server.hpp"

#include <signal.h>

#include <stdexcept>

namespace mapaudit::test {
namespace {

std::string subject(int i) { return "orders." + std::to_string(i); }

}  // namespace

NatsServer::NatsServer(const std::string& program) : server_({program, "-a", "127.0.0.1", "-p", "-1"}) {
    const std::string said = "client connections on 127.0.0.1:";
    if (!server_.wait_for("Server is ready")) throw std::runtime_error("nats-server: " + server_.err());
    const std::size_t at = server_.err().find(said);
    if (at == std::string::npos) throw std::runtime_error("nats-server has no port: " + server_.err());
    port_ = static_cast<std::uint16_t>(std::stoi(server_.err().substr(at + said.size())));
}

TcpClient NatsServer::connect() const {
    TcpClient client(port_);
    if (!client.receive_until("\r\n").starts_with("INFO ")) throw std::runtime_error("nats-server does not greet");
    client.send("CONNECT {\"verbose\":false}\r\n");
    return client;
}

Finished NatsServer::stop() {
    server_.send(SIGTERM);
    return server_.finish();
}

void flush(TcpClient& client) {
    if (!client.send("PING\r\n") || !client.receive_until("PONG\r\n").ends_with("PONG\r\n"))
        throw std::runtime_error("nats-server does not answer");
}

TcpClient subscriber(const NatsServer& server, int subjects) {
    TcpClient client = server.connect();
    std::string commands;
    for (int i = 0; i < subjects; ++i) commands += "SUB " + subject(i) + " " + std::to_string(i) + "\r\n";
    client.send(commands);
    flush(client);
    return client;
}

bool messages_arrive(TcpClient& from, TcpClient& to, int subjects, int messages) {
    std::string commands, expected;
    for (int message = 0; message < messages; ++message)
        for (int i = 0; i < subjects; ++i) {
            commands += "PUB " + subject(i) + " 5\r\nmoved\r\n";
            expected += "MSG " + subject(i) + " " + std::to_string(i) + " 5\r\nmoved\r\n";
        }
    if (!from.send(commands)) return false;
    flush(from);
    return to.receive(expected.size()) == expected;
}

}  // namespace mapaudit::test
