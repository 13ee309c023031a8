// SPDX-License-Identifier: Apache-2.0
//
// Which processes run one executable file, now and as soon as one does.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit {

// Not thread safe.
class ExecutableWatch {
public:
    // Fails where there is no such file. It is the file that counts: a link leads to it, a copy is another.
    static Result<ExecutableWatch> make(const std::string& path);

    // Their ids, ascending.
    std::vector<int> running() const;
    // Waits until there are any, or until `stop` is readable: then none are returned. Notices a process within a
    // millisecond or two of its exec, where the file system tells of opened files; within a quarter of a second
    // elsewhere.
    std::vector<int> wait(int stop) const;

private:
    ExecutableWatch(dev_t device, ino_t inode, UniqueFd opened)
        : device_(device), inode_(inode), opened_(std::move(opened)) {}
    dev_t device_;
    ino_t inode_;
    UniqueFd opened_;  // inotify; none: it is not told
};

}  // namespace mapaudit
