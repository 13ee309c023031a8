// SPDX-License-Identifier: Apache-2.0
#include "support/tcp_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mapaudit::test {

TcpClient::TcpClient(std::uint16_t port, std::chrono::seconds limit)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval time{limit.count(), 0};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0 ||
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) != 0 ||
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        if (fd_ >= 0) ::close(fd_);
        throw std::system_error(error, std::generic_category(), "connect to port " + std::to_string(port));
    }
}

TcpClient::TcpClient(TcpClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)), timed_out_(other.timed_out_) {}

TcpClient& TcpClient::operator=(TcpClient&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(received_, other.received_);
    std::swap(timed_out_, other.timed_out_);
    return *this;
}

TcpClient::~TcpClient() {
    if (fd_ >= 0) ::close(fd_);
}

bool TcpClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool TcpClient::receive_some() {
    char buffer[65536];
    for (;;) {
        const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (got <= 0) return false;
        received_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }
}

std::string TcpClient::receive_until(std::string_view end) {
    std::size_t found = received_.find(end);
    while (found == std::string::npos) {
        const std::size_t searched = received_.size() < end.size() ? 0 : received_.size() - end.size();
        if (!receive_some()) return std::exchange(received_, {});
        found = received_.find(end, searched);
    }
    return receive(found + end.size());
}

std::string TcpClient::receive(std::size_t bytes) {
    while (received_.size() < bytes && receive_some()) {
    }
    const std::string taken = received_.substr(0, bytes);
    received_.erase(0, taken.size());
    return taken;
}

std::string TcpClient::receive_all() {
    while (receive_some()) {
    }
    return std::exchange(received_, {});
}

void TcpClient::end_sending() { ::shutdown(fd_, SHUT_WR); }

}  // namespace mapaudit::test
