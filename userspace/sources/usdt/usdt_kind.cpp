// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_kind.hpp"

#include <set>

#include "sources/usdt/usdt_images.hpp"
#include "sources/usdt/usdt_registry.hpp"
#include "sources/usdt/usdt_source.hpp"
#include "sources/usdt/usdt_traits.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::size_t most_listed_maps = 1u << 16;

class UsdtSearch final : public SourceSearch {
public:
    Result<bool> look(const Process& process) override {
        const auto images = find_images(process, files_);
        if (!images) return images.error();
        if (!images->empty()) found_.push_back(&process);
        return !images->empty();
    }

    Result<std::unique_ptr<Source>> attach(const SourceRequest& request) override {
        UsdtOptions options;
        options.level = request.level.value_or(Level::sampled);  // auto begins with what is cheap
        options.per_thread = request.per_thread;
        options.on_grow = request.on_grow;
        options.stacks = request.stacks;
        options.cpu = request.cpu;
        options.on_note = request.on_note;
        options.switchable = !request.level || request.max_overhead_percent;
        options.max_maps = request.max_maps;
        options.max_stacks = request.max_stacks;
        options.files = &files_;
        auto attached = UsdtSource::attach(found_, std::move(options));
        if (!attached) return attached.error();
        return std::unique_ptr<Source>(std::move(*attached));
    }

private:
    std::vector<const Process*> found_;
    ProbeFiles files_;
};

std::unique_ptr<SourceSearch> make_search() { return std::make_unique<UsdtSearch>(); }

// Nothing where the registry is not in use.
Result<std::optional<std::vector<ListedMap>>> list_maps(const Process& process, std::uint64_t address) {
    std::optional<std::vector<ListedMap>> listed;
    if (address == 0) return listed;
    RegistryReader registry(process, address);
    const auto in_use = registry.refresh();
    if (!in_use) return in_use.error();
    if (!*in_use) return listed;
    listed.emplace();
    for (RegistryMap& map : registry.maps(most_listed_maps))
        listed->push_back(
            {map.id, std::move(map.name), std::move(map.kind), map.size, map.buckets, map.overflow, map.grows});
    return listed;
}

Result<std::vector<Listing>> list(const Process& process) {
    auto images = find_images(process);
    if (!images) return images.error();
    std::vector<Listing> listings;
    std::set<std::uint64_t> listed;
    for (UsdtImage& image : *images) {
        // Files that share a registry have its maps listed once, under the first of them.
        auto maps = list_maps(process, listed.insert(image.registry).second ? image.registry : 0);
        if (!maps) return maps.error();
        std::string probes = "probes (" + std::to_string(image.probes->sites.size()) + "):";
        for (const auto& site : image.probes->sites) probes += " " + site.name;
        listings.push_back({std::move(image.path), {std::move(probes)}, std::move(*maps)});
    }
    return listings;
}

}  // namespace

const SourceKind usdt_kind{usdt_traits.name,
                           "programs linked with mapaudit_target",
                           "no file mapped in it has mapaudit probes",
                           "link the program with mapaudit_target",
                           make_search,
                           list};

}  // namespace mapaudit::sources
