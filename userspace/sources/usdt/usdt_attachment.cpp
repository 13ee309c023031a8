// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_attachment.hpp"

#include <utility>

#include "sources/usdt/usdt_sites.hpp"

namespace mapaudit::sources {

void UsdtAttachment::add(std::uint32_t domain, const Process& process, UsdtImage image) {
    files_.push_back({domain, &process, std::move(image)});
}

Result<void> UsdtAttachment::attach(Attach attach, model::Level level) {
    attach_ = std::move(attach);
    std::vector<Held> links;
    for (const File& file : files_) {
        const auto sites = choose_sites(*file.image.probes, level, file.domain, switchable_);
        if (sites.empty()) continue;
        auto link = attach_(file.image, *file.process, sites);
        if (!link) return link.error();
        links.push_back(std::move(*link));
    }
    if (switchable_) {
        auto hot = attach_hot(level);
        if (!hot) return hot.error();
        hot_links_ = std::move(*hot);
    }
    links_ = std::move(links);
    return {};
}

Result<std::vector<UsdtAttachment::Held>> UsdtAttachment::attach_hot(model::Level level) const {
    std::vector<Held> links;
    for (const File& file : files_) {
        const auto sites = choose_hot(*file.image.probes, level, file.domain);
        if (sites.empty() || !file.process->alive()) continue;
        auto link = attach_(file.image, *file.process, sites);
        if (!link) return link.error();
        links.push_back(std::move(*link));
    }
    return links;
}

Result<void> UsdtAttachment::change(model::Level level, const std::function<void()>& while_both) {
    auto links = attach_hot(level);
    if (!links) return links.error();
    while_both();
    hot_links_ = std::move(*links);
    return {};
}

void UsdtAttachment::detach() {
    links_.clear();
    hot_links_.clear();
}

UsdtAttachment::Attach attach_by_uprobes(UprobeMechanism mechanism, int program_fd) {
    return [mechanism, program_fd](const UsdtImage& image, const Process& process,
                                   const std::vector<UprobeSite>& sites) -> Result<UsdtAttachment::Held> {
        auto link = UprobeLink::attach(mechanism, program_fd, image.attach_path, process.pid(), sites);
        if (!link) return link.error();
        return UsdtAttachment::Held(std::make_shared<UprobeLink>(std::move(*link)));
    };
}

}  // namespace mapaudit::sources
