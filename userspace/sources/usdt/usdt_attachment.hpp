// SPDX-License-Identifier: Apache-2.0
//
// What is attached in which file of which process, and how that changes with the level.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "model/level.hpp"
#include "sources/attach/uprobe_link.hpp"
#include "sources/usdt/usdt_images.hpp"
#include "util/process.hpp"
#include "util/result.hpp"

namespace mapaudit::sources {

// Not thread safe. Detaches when it goes.
class UsdtAttachment {
public:
    // Keeps sites attached for as long as it lives.
    using Held = std::shared_ptr<void>;
    // Attaches all sites of a file in a process, or none.
    using Attach =
        std::function<Result<Held>(const UsdtImage& image, const Process& process, const std::vector<UprobeSite>&)>;

    // `switchable`: the level may change, so that what makes it is attached apart from the rest.
    explicit UsdtAttachment(bool switchable) : switchable_(switchable) {}

    // A file to attach to; `domain` goes into the cookies. The process outlives this.
    void add(std::uint32_t domain, const Process& process, UsdtImage image);
    // Attaches to all files, or to none.
    Result<void> attach(Attach attach, model::Level level);
    // Exchanges what makes the level. The new probe goes in before the old one comes out; `while_both` is called in
    // between. On failure all stays as it was, and it is not called. Processes that have ended are left out.
    Result<void> change(model::Level level, const std::function<void()>& while_both);
    void detach();

private:
    struct File {
        std::uint32_t domain;
        const Process* process;
        UsdtImage image;
    };
    Result<std::vector<Held>> attach_hot(model::Level level) const;

    bool switchable_;
    Attach attach_;
    std::vector<File> files_;
    std::vector<Held> links_, hot_links_;  // hot: what the level decides, where it may change
};

// By a link of uprobes to the program.
UsdtAttachment::Attach attach_by_uprobes(UprobeMechanism mechanism, int program_fd);

}  // namespace mapaudit::sources
