// SPDX-License-Identifier: Apache-2.0
//
// Files that many processes map, parsed once: which file one is, and what was made of it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "util/result.hpp"
#include "util/unique_fd.hpp"

namespace mapaudit {

// A file, whatever its name, for as long as nobody writes to it. A name that comes to mean another file, or one that is
// written over in place, gives another identity.
struct FileIdentity {
    std::uint64_t device = 0, inode = 0, bytes = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;  // since 1970
    auto operator<=>(const FileIdentity&) const = default;
};

// The identity of an open file.
Result<FileIdentity> identify(int fd);

// Opens a file for reading. Only where it is the rights that are missing is the error Failure::not_permitted.
Result<UniqueFd> open_to_read(const std::string& path);

// What was parsed of files, for the time of one attach or one list: what is in use of it outlives the cache. One thread
// at a time.
template <class Parsed>
class ParsedFiles {
public:
    // What parse(), which returns a Result<Parsed>, makes of the open file; it is called for a file that is not known
    // yet. An error is not kept, since it may name the way to the file: the next one who asks has it parsed again.
    template <class Parse>
    Result<std::shared_ptr<const Parsed>> get(int fd, Parse parse) {
        const auto identity = identify(fd);
        if (!identity) return identity.error();
        if (const auto known = files_.find(*identity); known != files_.end()) return known->second;
        Result<Parsed> parsed = parse();
        if (!parsed) return parsed.error();
        auto shared = std::make_shared<const Parsed>(std::move(*parsed));
        files_.emplace(*identity, shared);
        return shared;
    }
    // How many files there are; each was parsed once.
    std::size_t size() const { return files_.size(); }

private:
    std::map<FileIdentity, std::shared_ptr<const Parsed>> files_;
};

}  // namespace mapaudit
