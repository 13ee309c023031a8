// SPDX-License-Identifier: Apache-2.0
//
// One connection's conversation: bytes in, bytes out. No sockets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "request_parser.hpp"
#include "statistics.hpp"
#include "store.hpp"

namespace kvd {

// Not thread-safe; any number of sessions may share a store. It may throw std::bad_alloc, and must not be used again
// after that.
class Session {
public:
    // What the connection is to do when it has sent what run() gave it.
    enum class Next { read, run, close };

    // Replies are given out when there is so much of them, at most a value more: a client that asks for much and reads
    // little makes the server keep no more than that for it.
    static constexpr std::size_t enough_bytes = 1 << 16;

    // Both outlive the session.
    Session(Store& store, Statistics& statistics) : store_(store), statistics_(statistics) {}

    // Only when run() said `read`.
    void receive(std::string_view bytes) { parser_.feed(bytes); }
    // Carries out what was received, and appends the replies.
    Next run(std::string& out);

private:
    Next refuse(const Refusal& refusal, std::string& out);
    Next carry_out(Request& request, std::string& out);
    // False when there are keys left and `out` has enough.
    bool go_on_getting(std::string& out);
    std::string_view store(Request& request);
    void count(const Request& request, bool up, std::string& out);

    Store& store_;
    Statistics& statistics_;
    RequestParser parser_;
    std::optional<Request> getting_;  // a get that has keys left
    std::size_t keys_done_ = 0;       // of it
};

}  // namespace kvd
