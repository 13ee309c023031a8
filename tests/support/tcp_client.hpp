// SPDX-License-Identifier: Apache-2.0
//
// A plain blocking client of a server on loopback.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mapaudit::test {

class TcpClient {
public:
    // Throws std::system_error when nobody listens there. Sending and receiving wait for so long at most.
    explicit TcpClient(std::uint16_t port, std::chrono::seconds limit = std::chrono::seconds(30));
    TcpClient(TcpClient&& other) noexcept;
    TcpClient& operator=(TcpClient&& other) noexcept;
    ~TcpClient();

    // False when the peer has closed, or reads too slowly.
    bool send(std::string_view bytes);
    // All up to and with `end`; less, or nothing, when the peer has closed or the time was up before.
    std::string receive_until(std::string_view end);
    // As many bytes; fewer when the peer has closed or the time was up before.
    std::string receive(std::size_t bytes);
    // Until the peer closes.
    std::string receive_all();
    bool timed_out() const noexcept { return timed_out_; }
    // Tells the peer that nothing more comes.
    void end_sending();

private:
    bool receive_some();

    int fd_ = -1;
    std::string received_;
    bool timed_out_ = false;
};

}  // namespace mapaudit::test
