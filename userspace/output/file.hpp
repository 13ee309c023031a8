// SPDX-License-Identifier: Apache-2.0
//
// Where a sink writes: a file of its own, or standard output. What fails says why and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "util/result.hpp"

namespace mapaudit::output {

// Unbuffered: what write() took is out. Not copied; the descriptor is closed with it, unless it was lent.
class OutputFile {
public:
    // Makes or empties `path`; "-" is standard output.
    static Result<OutputFile> open(const std::string& path);
    // Writes to a descriptor that stays its owner's; `name` is for messages.
    static OutputFile lent(int fd, std::string name) { return OutputFile(fd, false, std::move(name)); }

    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    // All of it or an error; a reader that went away is an error, not a signal. After a failure a file of our own ends
    // where it ended before, so that no half row is left in it.
    [[nodiscard]] Result<void> write(std::string_view text);

private:
    OutputFile(int fd, bool owned, std::string name) : fd_(fd), owned_(owned), name_(std::move(name)) {}
    int write_all(std::string_view text) const;

    int fd_;
    bool owned_;
    std::string name_;
};

}  // namespace mapaudit::output
