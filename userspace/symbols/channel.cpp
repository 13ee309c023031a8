// SPDX-License-Identifier: Apache-2.0
#include "symbols/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace mapaudit::symbols {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t longest_message = 64u << 20;

bool send_all(int socket, const char* bytes, std::size_t length) {
    while (length > 0) {
        const ssize_t sent = ::send(socket, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes += sent;
        length -= static_cast<std::size_t>(sent);
    }
    return true;
}

bool wait_readable(int socket, std::optional<Clock::time_point> deadline) {
    for (;;) {
        int left = -1;
        if (deadline) {
            const auto until = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
            left = static_cast<int>(std::max<std::int64_t>(until, 0));
        }
        pollfd wait{socket, POLLIN, 0};
        const int ready = ::poll(&wait, 1, left);
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

bool receive_all(int socket, char* bytes, std::size_t length, std::optional<Clock::time_point> deadline) {
    while (length > 0) {
        if (!wait_readable(socket, deadline)) return false;
        const ssize_t got = ::recv(socket, bytes, length, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        bytes += got;
        length -= static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace

bool send_message(int socket, const std::string& message) {
    const auto length = static_cast<std::uint32_t>(message.size());
    return message.size() <= longest_message &&
           send_all(socket, reinterpret_cast<const char*>(&length), sizeof length) &&
           send_all(socket, message.data(), message.size());
}

bool receive_message(int socket, std::string& message, std::optional<std::chrono::milliseconds> limit) {
    std::optional<Clock::time_point> deadline;
    if (limit) deadline = Clock::now() + *limit;
    std::uint32_t length = 0;
    if (!receive_all(socket, reinterpret_cast<char*>(&length), sizeof length, deadline) || length > longest_message)
        return false;
    message.resize(length);
    return receive_all(socket, message.data(), length, deadline);
}

}  // namespace mapaudit::symbols
