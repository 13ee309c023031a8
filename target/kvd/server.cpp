// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "reply.hpp"

namespace kvd {
namespace {

using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds linger{2};
constexpr std::size_t read_bytes = 1 << 14;

// An error of one connection ends that connection alone.
void log_failure(const char* what, const std::exception_ptr& error) {
    if (error == nullptr) return;
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& failure) {
        spdlog::error("{} ended by an error: {}", what, failure.what());
    } catch (...) {
        spdlog::error("{} ended by an unknown error", what);
    }
}

}  // namespace

struct Server::Connection : std::enable_shared_from_this<Connection> {
    Connection(Server& s, Socket&& accepted)
        : server(s), socket(std::move(accepted)), timer(socket.get_executor()), session(s.store_, s.statistics_) {
        server.statistics_.connected();
    }
    ~Connection() {
        server.statistics_.disconnected();
        const std::lock_guard lock(server.mutex_);
        server.connections_.erase(this);
        if (server.stopping_ && server.connections_.empty()) server.io_.stop();
    }

    Server& server;
    Socket socket;
    asio::steady_timer timer;
    Session session;
    std::array<char, read_bytes> in;
    std::string out;
};

Server::Server(Store& store, Statistics& statistics)
    : store_(store),
      statistics_(statistics),
      io_(static_cast<int>(statistics.threads)),
      acceptor_(asio::make_strand(io_)),
      pause_(acceptor_.get_executor()),
      last_call_(acceptor_.get_executor()),
      signals_(acceptor_.get_executor()) {}

Server::~Server() {
    const std::lock_guard lock(mutex_);
    stopping_ = false;  // nobody runs io_ any more: connections need not stop it
}

std::optional<std::string> Server::listen(const Endpoint& where) {
    std::error_code error;
    const auto address = asio::ip::make_address(where.address, error);
    const tcp::endpoint endpoint(address, where.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) signals_.add(SIGINT, error);
    if (!error) signals_.add(SIGTERM, error);
    if (error)
        return "cannot listen on " + where.address + " port " + std::to_string(where.port) + ": " + error.message();
    await_signal();
    asio::co_spawn(acceptor_.get_executor(), accept(),
                   [](const std::exception_ptr& failure) { log_failure("accepting", failure); });
    return std::nullopt;
}

std::uint16_t Server::port() const { return acceptor_.local_endpoint().port(); }

// The first one lets the connections come to an end, the second does not wait for that.
void Server::await_signal() {
    signals_.async_wait([this](const std::error_code& error, int) {
        if (error) return;
        say_farewell();
        signals_.async_wait([this](const std::error_code& again, int) {
            if (!again) io_.stop();
        });
    });
}

void Server::stop() {
    asio::post(acceptor_.get_executor(), [this] { say_farewell(); });
}

void Server::say_farewell() {
    std::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    last_call_.expires_after(farewell);
    last_call_.async_wait([this](const std::error_code& error) {
        if (!error) io_.stop();
    });
    std::vector<ConnectionPtr> connections;  // outlives the lock, which the last owner of one takes
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (connections_.empty()) io_.stop();
    for (Connection* connection : connections_)
        if (auto alive = connection->weak_from_this().lock()) connections.push_back(std::move(alive));
    for (const ConnectionPtr& connection : connections)
        asio::post(connection->socket.get_executor(), [connection] {
            // What has come can still be read; then it looks as if the client had closed.
            std::error_code gone;
            connection->socket.shutdown(tcp::socket::shutdown_receive, gone);
        });
}

asio::awaitable<void> Server::accept() {
    bool complained = false;
    while (acceptor_.is_open()) {
        Socket socket(asio::make_strand(io_));
        std::error_code error;
        co_await acceptor_.async_accept(socket, redirect_error(use_awaitable, error));
        if (!acceptor_.is_open()) co_return;
        if (!error) {
            complained = false;
            welcome(std::move(socket));
            continue;
        }
        // Out of file descriptors, most likely: the client waits in the queue, and this does not spin.
        if (!std::exchange(complained, true)) spdlog::warn("cannot accept a connection: {}", error.message());
        pause_.expires_after(accept_pause);
        co_await pause_.async_wait(redirect_error(use_awaitable, error));
    }
}

void Server::welcome(Socket socket) {
    try {
        std::error_code ignored;
        if (statistics_.has_all_connections()) {
            statistics_.count(Counter::rejected_connections);
            std::string line;
            append_line(line, "SERVER_ERROR too many open connections");
            socket.non_blocking(true, ignored);
            socket.write_some(asio::buffer(line), ignored);
            return;
        }
        statistics_.count(Counter::total_connections);
        socket.set_option(tcp::no_delay(true), ignored);  // a reply is written as a whole
        auto connection = std::make_shared<Connection>(*this, std::move(socket));
        {
            const std::lock_guard lock(mutex_);
            connections_.insert(connection.get());
        }
        const auto executor = connection->socket.get_executor();
        asio::co_spawn(executor, converse(std::move(connection)),
                       [](const std::exception_ptr& failure) { log_failure("a connection", failure); });
    } catch (...) {
        log_failure("a new connection", std::current_exception());
    }
}

asio::awaitable<void> Server::converse(ConnectionPtr connection) {
    Socket& socket = connection->socket;
    Session& session = connection->session;
    std::string& out = connection->out;
    std::error_code error;
    for (;;) {
        const Session::Next next = session.run(out);
        if (!out.empty()) co_await asio::async_write(socket, asio::buffer(out), redirect_error(use_awaitable, error));
        if (error) co_return;
        out.clear();
        if (out.capacity() > 2 * Session::enough_bytes) out.shrink_to_fit();  // a large value is an exception
        if (next == Session::Next::close) break;
        if (next == Session::Next::run) continue;
        const std::size_t got =
            co_await socket.async_read_some(asio::buffer(connection->in), redirect_error(use_awaitable, error));
        if (error) co_return;
        session.receive({connection->in.data(), got});
    }
    co_await close_gently(std::move(connection));
}

// Closing a socket with unread input resets the connection, and the peer may never see what it was told last. So this
// takes leave, and throws away what still comes, for a while.
asio::awaitable<void> Server::close_gently(ConnectionPtr connection) {
    std::error_code error;
    connection->socket.shutdown(tcp::socket::shutdown_send, error);
    connection->timer.expires_after(linger);
    connection->timer.async_wait([connection](const std::error_code& aborted) {
        std::error_code ignored;
        if (!aborted) connection->socket.close(ignored);
    });
    while (!error)
        co_await connection->socket.async_read_some(asio::buffer(connection->in), redirect_error(use_awaitable, error));
    connection->timer.cancel();
}

void Server::work() {
    for (;;) {
        try {
            io_.run();
            return;
        } catch (...) {
            log_failure("a handler", std::current_exception());
        }
    }
}

void Server::run() {
    std::vector<std::jthread> others;
    try {
        for (unsigned i = 1; i < statistics_.threads; ++i) others.emplace_back([this] { work(); });
    } catch (...) {
        io_.stop();
        throw;
    }
    work();
}

}  // namespace kvd
