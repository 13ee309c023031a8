// SPDX-License-Identifier: Apache-2.0
#include "util/parsed_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace mapaudit {
namespace {

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

Result<FileIdentity> identify(int fd) {
    struct stat file;
    if (::fstat(fd, &file) != 0) return Error::from_errno(Failure::failed, "cannot tell which file is open", errno);
    return FileIdentity{file.st_dev, file.st_ino, static_cast<std::uint64_t>(file.st_size), ns_of(file.st_mtim),
                        ns_of(file.st_ctim)};
}

Result<UniqueFd> open_to_read(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) return fd;
    const int why = errno;
    if (why != EACCES && why != EPERM) return Error::from_errno(Failure::failed, "cannot open " + path, why);
    return Error::from_errno(Failure::not_permitted, "cannot open " + path, why, "run as root, or with CAP_SYS_PTRACE");
}

}  // namespace mapaudit
