// SPDX-License-Identifier: Apache-2.0
#include "request_parser.hpp"

#include <algorithm>
#include <utility>

namespace kvd {

void RequestParser::feed(std::string_view bytes) {
    if (expecting_ == Expecting::nothing) return;
    buffer_.erase(0, std::exchange(read_, 0));
    buffer_.append(bytes);
}

std::optional<Parsed> RequestParser::next() {
    while (!ready_ && step()) {
    }
    return std::exchange(ready_, std::nullopt);
}

bool RequestParser::step() {
    switch (expecting_) {
        case Expecting::line: return read_line();
        case Expecting::value: return read_value();
        case Expecting::value_end: return read_value_end();
        case Expecting::bytes_to_skip: return skip_bytes();
        case Expecting::line_to_skip: return skip_line();
        case Expecting::nothing: break;
    }
    return false;
}

void RequestParser::finish(Parsed parsed, Expecting next) {
    ready_ = std::move(parsed);
    expecting_ = next;
}

bool RequestParser::read_line() {
    const std::size_t end = unread().find('\n', searched_);
    if (end == std::string_view::npos) {
        searched_ = unread().size();
        if (searched_ <= max_line_bytes) return false;
        buffer_.clear();
        read_ = searched_ = 0;
        finish(Refusal{.line = "CLIENT_ERROR line too long", .close = true}, Expecting::nothing);
        return true;
    }
    std::string_view line = unread().substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    CommandLine command = parse_command_line(line);
    read_ += end + 1;
    searched_ = 0;
    data_left_ = command.data_bytes;
    if (!command.has_data) {
        finish(std::move(command.parsed), Expecting::line);
    } else if (auto* refusal = std::get_if<Refusal>(&command.parsed)) {
        refusal_ = std::move(*refusal);
        expecting_ = Expecting::bytes_to_skip;
    } else {
        request_ = std::get<Request>(std::move(command.parsed));
        expecting_ = Expecting::value;
    }
    return true;
}

bool RequestParser::read_value() {
    const std::string_view part = unread().substr(0, data_left_);
    value_.append(part);
    read_ += part.size();
    data_left_ -= part.size();
    if (data_left_ != 0) return false;
    expecting_ = Expecting::value_end;
    return true;
}

// A line end must follow. If none does, the command's length was wrong; the rest of the line is still its data.
bool RequestParser::read_value_end() {
    const std::string_view end = unread().substr(0, 2);
    if (end.empty() || end == "\r") return false;
    if (end == "\r\n") {
        read_ += end.size();
        request_.value = std::exchange(value_, {});
        finish(std::move(request_), Expecting::line);
        return true;
    }
    refusal_ = Refusal{.line = "CLIENT_ERROR bad data chunk", .noreply = request_.noreply};
    value_ = {};
    expecting_ = Expecting::line_to_skip;
    return true;
}

bool RequestParser::skip_bytes() {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(data_left_, unread().size()));
    read_ += part;
    data_left_ -= part;
    if (data_left_ != 0) return false;
    expecting_ = Expecting::line_to_skip;
    return true;
}

bool RequestParser::skip_line() {
    const std::size_t end = unread().find('\n');
    if (end == std::string_view::npos) {
        read_ = buffer_.size();
        return false;
    }
    read_ += end + 1;
    finish(std::move(refusal_), Expecting::line);
    return true;
}

}  // namespace kvd
