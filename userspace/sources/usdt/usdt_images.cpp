// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_images.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace mapaudit::sources {
namespace {

constexpr std::uint64_t page_mask = 0xfff;

// Where the file's link-time address 0 lies in the process, told from its executable mapping.
std::uint64_t load_bias(const Mapping& mapping, const ElfProbes& probes) {
    const std::uint64_t segment_page = probes.first_load_offset & ~page_mask;
    return mapping.start - mapping.offset + segment_page - (probes.first_load_address & ~page_mask);
}

// Files of one process share a registry where the dynamic linker could make it so: a program and the libraries that it
// is linked with. A library that keeps its symbols to itself has one of its own.
std::uint64_t registry_of(const Process& process, const Mapping& mapping, const ElfProbes& probes) {
    if (probes.registry_address == 0) return 0;
    const std::uint64_t bias = load_bias(mapping, probes);
    std::uint64_t resolved = 0;
    if (probes.registry_slot != 0) (void)process.read(bias + probes.registry_slot, &resolved, sizeof resolved);
    return resolved != 0 ? resolved : bias + probes.registry_address;
}

Result<std::shared_ptr<const ElfProbes>> probes_of(const std::string& path, ProbeFiles& files) {
    const auto fd = open_to_read(path);
    if (!fd) return fd.error();
    return files.get(fd->get(), [&] { return read_probes(fd->get(), path); });
}

}  // namespace

Result<std::vector<UsdtImage>> find_images(const Process& process) {
    ProbeFiles files;
    return find_images(process, files);
}

Result<std::vector<UsdtImage>> find_images(const Process& process, ProbeFiles& files) {
    auto mappings = process.mappings();
    if (!mappings) return mappings.error();
    std::vector<UsdtImage> images;
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    Error refused;
    bool any_refused = false;
    for (const Mapping& mapping : *mappings) {
        if (!mapping.executable || !seen.insert({mapping.device, mapping.inode}).second) continue;
        const std::string attach_path = process.path_to(mapping);
        if (attach_path.empty()) continue;
        auto probes = probes_of(attach_path, files);
        if (!probes) {
            if (probes.error().kind == Failure::not_permitted && !std::exchange(any_refused, true))
                refused = probes.error();
            continue;
        }
        if ((*probes)->sites.empty()) continue;
        const std::uint64_t registry = registry_of(process, mapping, **probes);
        images.push_back({attach_path, mapping.path, std::move(*probes), registry});
    }
    if (images.empty() && any_refused) return refused;
    std::stable_partition(images.begin(), images.end(),
                          [](const UsdtImage& image) { return image.attach_path.ends_with("/exe"); });
    return images;
}

}  // namespace mapaudit::sources
