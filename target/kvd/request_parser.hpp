// SPDX-License-Identifier: Apache-2.0
//
// Makes commands of the bytes that a connection receives, however they are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol.hpp"

namespace kvd {

// Takes bytes by feed() and gives commands by next() until it gives none; only then should it be fed again: what it
// keeps is then at most a line or a value, and what was fed at once. Not thread-safe.
class RequestParser {
public:
    // Without its line end: a get of 250 of the longest keys.
    static constexpr std::size_t max_line_bytes = 1 << 16;

    void feed(std::string_view bytes);
    std::optional<Parsed> next();

    // What it holds.
    std::size_t buffered_bytes() const noexcept { return unread().size() + value_.size(); }

private:
    enum class Expecting { line, value, value_end, bytes_to_skip, line_to_skip, nothing };

    std::string_view unread() const noexcept { return std::string_view(buffer_).substr(read_); }
    // Each does what the bytes at hand let it do; false when it needs more.
    bool read_line();
    bool read_value();
    bool read_value_end();
    bool skip_bytes();
    bool skip_line();
    bool step();
    void finish(Parsed parsed, Expecting next);

    Expecting expecting_ = Expecting::line;
    std::string buffer_;
    std::size_t read_ = 0;         // bytes of buffer_ that are done with
    std::size_t searched_ = 0;     // bytes of unread() that hold no line end
    std::uint64_t data_left_ = 0;  // of a value, or to be skipped
    Request request_;              // whose value is being read
    std::string value_;
    Refusal refusal_;  // to be given when its data has been skipped
    std::optional<Parsed> ready_;
};

}  // namespace kvd
