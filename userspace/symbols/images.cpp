// SPDX-License-Identifier: Apache-2.0
#include "symbols/images.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace mapaudit::symbols {
namespace {

// What libdwfl's callbacks get to know: they have no argument of ours but the module's own user data.
int the_pid = 0;
char* debug_path = nullptr;

int search_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, std::string file,
                      const char* link, GElf_Word crc, char** found, std::string folder) {
    folder = ":.debug:" + folder;
    debug_path = folder.data();
    const int fd = dwfl_standard_find_debuginfo(module, data, name, base, file.c_str(), link, crc, found);
    debug_path = nullptr;
    return fd;
}

// By build id and by .gnu_debuglink, in this mount namespace and in the target's.
int find_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, const char* file,
                    const char* link, GElf_Word crc, char** found) {
    const unsigned char* id = nullptr;
    GElf_Addr at = 0;
    // Without either there is nothing that could vouch for a file of a fitting name.
    if (link == nullptr && dwfl_module_build_id(module, &id, &at) <= 0) return -1;
    const std::string root = "/proc/" + std::to_string(the_pid) + "/root";
    const int fd = search_debug_file(module, data, name, base, file, link, crc, found, "/usr/lib/debug");
    if (fd >= 0) return fd;
    // In a container: beside the file there. The same folder again, where there is none, does no harm.
    return search_debug_file(module, data, name, base, root + file, link, crc, found, root + "/usr/lib/debug");
}

const Dwfl_Callbacks callbacks{.find_elf = dwfl_build_id_find_elf,
                               .find_debuginfo = find_debug_file,
                               .section_address = dwfl_offline_section_address,
                               .debuginfo_path = &debug_path};

struct Layout {
    std::uint64_t first_address = 0;  // of the first segment, rounded down to its alignment
    std::vector<GElf_Phdr> loads;
};

bool has_build_id(Elf* elf, const std::vector<std::byte>& expected) {
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return false;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr || header.p_type != PT_NOTE) continue;
        Elf_Data* data = elf_getdata_rawchunk(elf, static_cast<std::int64_t>(header.p_offset), header.p_filesz,
                                              header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        if (data == nullptr) continue;
        GElf_Nhdr note;
        std::size_t name = 0, id = 0, at = 0;
        while ((at = gelf_getnote(data, at, &note, &name, &id)) > 0)
            if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz == expected.size() &&
                std::memcmp(static_cast<const char*>(data->d_buf) + id, expected.data(), expected.size()) == 0)
                return true;
    }
    return false;
}

std::optional<Layout> layout_of(const MappedFile& file) {
    const std::unique_ptr<Elf, decltype(&elf_end)> elf(elf_begin(file.fd.get(), ELF_C_READ_MMAP, nullptr), &elf_end);
    std::size_t count = 0;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getphdrnum(elf.get(), &count) != 0) return {};
    if (!file.expected_build_id.empty() && !has_build_id(elf.get(), file.expected_build_id)) return {};
    Layout layout;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf.get(), static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
        if (layout.loads.empty()) layout.first_address = header.p_vaddr & -std::max<std::uint64_t>(header.p_align, 1);
        layout.loads.push_back(header);
    }
    return layout.loads.empty() ? std::optional<Layout>() : layout;
}

// Where the file's link-time address 0 lies, told from one of its mappings.
std::optional<std::uint64_t> bias_of(const Layout& layout, const Segment& segment) {
    constexpr std::uint64_t page_mask = 0xfff;
    for (const GElf_Phdr& load : layout.loads) {
        const std::uint64_t first_page = load.p_offset & ~page_mask;
        if (segment.offset < first_page || segment.offset >= load.p_offset + load.p_filesz) continue;
        return segment.start - segment.offset + first_page - (load.p_vaddr & ~page_mask);
    }
    return {};
}

}  // namespace

Images::Images(const MappedFiles& files, Marker& marker) : files_(files), marker_(marker) {
    the_pid = files.pid();
    elf_version(EV_CURRENT);
    dwfl_.reset(dwfl_begin(&callbacks));
    if (dwfl_) dwfl_report_begin(dwfl_.get());
    for (std::uint32_t i = 0; i < files_.all().size(); ++i) {
        const Reading reading(marker_, i, Part::opening);
        report(i);
    }
    if (dwfl_) dwfl_report_end(dwfl_.get(), nullptr, nullptr);
    std::sort(placed_.begin(), placed_.end(),
              [](const Placed& a, const Placed& b) { return a.segment.start < b.segment.start; });
    open_all();
}

// A file may be mapped at several places, by dlmopen for one: a module each.
void Images::report(std::uint32_t index) {
    const MappedFile& file = files_.all()[index];
    const bool readable = dwfl_ && file.fd && !file.distrust.symbols;
    const std::optional<Layout> layout = readable ? layout_of(file) : std::nullopt;
    std::vector<Placed> done;
    for (const Segment& segment : file.segments) {
        Placed placed{segment, index, 0, nullptr};
        if (const auto bias = layout ? bias_of(*layout, segment) : std::nullopt) {
            placed.bias = *bias;
            const auto same = std::find_if(done.begin(), done.end(), [&](const Placed& p) { return p.bias == *bias; });
            placed.module = same != done.end() ? same->module : report_at(file, *bias + layout->first_address);
        }
        done.push_back(placed);
    }
    placed_.insert(placed_.end(), done.begin(), done.end());
}

Dwfl_Module* Images::report_at(const MappedFile& file, std::uint64_t base) {
    const int fd = ::fcntl(file.fd.get(), F_DUPFD_CLOEXEC, 0);  // libdwfl closes it
    if (fd < 0) return nullptr;
    Dwfl_Module* module = dwfl_report_elf(dwfl_.get(), file.name().c_str(), file.path.c_str(), fd, base, false);
    if (module == nullptr) ::close(fd);
    return module;
}

void Images::open_all() {
    for (const Placed& placed : placed_) {
        if (placed.module == nullptr) continue;
        const Distrust& distrust = files_.all()[placed.index].distrust;
        GElf_Addr bias = 0;
        {
            const Reading reading(marker_, placed.index, Part::symbols);
            dwfl_module_getelf(placed.module, &bias);
            dwfl_module_getsymtab(placed.module);
        }
        const Reading reading(marker_, placed.index, Part::debug_info);
        if (!distrust.debug_info) dwfl_module_getdwarf(placed.module, &bias);
    }
}

Images::Found Images::find(std::uint64_t address) const {
    const auto behind = std::upper_bound(placed_.begin(), placed_.end(), address,
                                         [](std::uint64_t a, const Placed& p) { return a < p.segment.start; });
    if (behind == placed_.begin()) return {0, nullptr, nullptr, address};
    const Placed& placed = *std::prev(behind);
    if (address >= placed.segment.end) return {0, nullptr, nullptr, address};
    const std::uint64_t offset =
        placed.module != nullptr ? address - placed.bias : address - placed.segment.start + placed.segment.offset;
    return {placed.index, &files_.all()[placed.index], placed.module, offset};
}

bool Images::read_constant(std::uint64_t address, std::uint64_t& word) const {
    Dwfl_Module* module = dwfl_ ? dwfl_addrmodule(dwfl_.get(), address) : nullptr;
    if (module == nullptr) return false;
    GElf_Addr bias = 0;
    Elf_Scn* section = dwfl_module_address_section(module, &address, &bias);
    GElf_Shdr header;
    if (section == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS ||
        (header.sh_flags & SHF_WRITE) != 0)
        return false;
    const Elf_Data* data = elf_rawdata(section, nullptr);
    if (data == nullptr || data->d_size < sizeof word || address > data->d_size - sizeof word) return false;
    std::memcpy(&word, static_cast<const char*>(data->d_buf) + address, sizeof word);
    return true;
}

}  // namespace mapaudit::symbols
