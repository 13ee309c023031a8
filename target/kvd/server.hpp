// SPDX-License-Identifier: Apache-2.0
//
// Sessions on TCP connections: an io_context that several threads run, a strand a connection.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "session.hpp"

namespace kvd {

struct Endpoint {
    std::string address;  // an IP address
    std::uint16_t port;   // 0: a free one
};

class Server {
public:
    // How long connections may take to send their last replies once the server is told to end.
    static constexpr std::chrono::seconds farewell{5};

    // Both outlive the server. statistics.threads and .max_connections say how many there are to be.
    Server(Store& store, Statistics& statistics);
    ~Server();

    // Clients can connect from then on, and SIGINT and SIGTERM end run(). Says in a line why not.
    std::optional<std::string> listen(const Endpoint& where);
    std::uint16_t port() const;
    // Serves until a signal or stop(): accepts no more, lets each connection answer what it has received, and returns
    // when all are gone or the time is up. Throws std::system_error when the threads cannot be started.
    void run();
    // From any thread.
    void stop();

private:
    struct Connection;
    using ConnectionPtr = std::shared_ptr<Connection>;
    using Socket = asio::ip::tcp::socket;

    asio::awaitable<void> accept();
    asio::awaitable<void> converse(ConnectionPtr connection);
    asio::awaitable<void> close_gently(ConnectionPtr connection);
    void await_signal();
    void welcome(Socket socket);
    void say_farewell();
    void work();

    Store& store_;
    Statistics& statistics_;
    std::mutex mutex_;
    std::unordered_set<Connection*> connections_;  // under mutex_
    bool stopping_ = false;                        // under mutex_
    // After what connections look at in their destructors: those that are left over go with it.
    asio::io_context io_;
    // These are used on the acceptor's strand alone.
    asio::ip::tcp::acceptor acceptor_;
    asio::steady_timer pause_, last_call_;
    asio::signal_set signals_;
};

}  // namespace kvd
