// SPDX-License-Identifier: Apache-2.0
//
// Messages over a stream socket: a length, then that many bytes.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace mapaudit::symbols {

// False when the other end is gone.
bool send_message(int socket, const std::string& message);
// False when the other end is gone, sends nonsense, or the time is up; without a limit it waits forever.
bool receive_message(int socket, std::string& message, std::optional<std::chrono::milliseconds> limit);

}  // namespace mapaudit::symbols
