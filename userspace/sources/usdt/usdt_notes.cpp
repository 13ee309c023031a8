// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_notes.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <mapaudit/probe_abi.h>

#include "util/unique_fd.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::string_view provider = "mapaudit";
constexpr unsigned stapsdt_type = 3;

struct ElfCloser {
    void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

std::optional<std::uint64_t> file_offset(Elf* elf, std::uint64_t address) {
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return {};
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr || segment.p_type != PT_LOAD) continue;
        if (address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
            return address - segment.p_vaddr + segment.p_offset;
    }
    return {};
}

void find_load(Elf* elf, ElfProbes& probes) {
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr || segment.p_type != PT_LOAD) continue;
        if ((segment.p_flags & PF_X) == 0) continue;
        probes.first_load_address = segment.p_vaddr;
        probes.first_load_offset = segment.p_offset;
        return;
    }
}

// Takes the next NUL-terminated string off `text`; nothing when it is not terminated.
std::optional<std::string_view> take_string(std::string_view& text) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return {};
    const std::string_view head = text.substr(0, end);
    text.remove_prefix(end + 1);
    return head;
}

struct NoteSection {
    std::uint64_t base = 0;  // address of .stapsdt.base; 0: none
    Elf_Data* stapsdt = nullptr;
    Elf_Data* own = nullptr;
};

NoteSection find_notes(Elf* elf) {
    NoteSection found;
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0) return found;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr) continue;
        const char* name = elf_strptr(elf, names, header.sh_name);
        if (name == nullptr) continue;
        if (std::strcmp(name, ".stapsdt.base") == 0) found.base = header.sh_addr;
        if (header.sh_type != SHT_NOTE) continue;
        if (std::strcmp(name, ".note.stapsdt") == 0) found.stapsdt = elf_getdata(section, nullptr);
        if (std::strcmp(name, ".note.mapaudit") == 0) found.own = elf_getdata(section, nullptr);
    }
    return found;
}

// Calls visit(type, owner, descriptor) for each note.
template <class Visit>
void for_each_note(Elf_Data* data, Visit visit) {
    if (data == nullptr || data->d_buf == nullptr) return;
    const auto* bytes = static_cast<const char*>(data->d_buf);
    GElf_Nhdr note;
    std::size_t name_at = 0, descriptor_at = 0;
    for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name_at, &descriptor_at)) > 0;) {
        std::string_view owner(bytes + name_at, note.n_namesz);
        owner = owner.substr(0, owner.find('\0'));
        visit(note.n_type, owner, std::string_view(bytes + descriptor_at, note.n_descsz));
    }
}

void add_site(Elf* elf, std::uint64_t base, std::string_view descriptor, ElfProbes& probes) {
    std::uint64_t words[3];  // site, base, semaphore
    if (descriptor.size() < sizeof words) return;
    std::memcpy(words, descriptor.data(), sizeof words);
    descriptor.remove_prefix(sizeof words);
    const auto owner = take_string(descriptor);
    const auto name = take_string(descriptor);
    if (!owner || !name || *owner != provider) return;
    const std::uint64_t moved = base != 0 ? base - words[1] : 0;  // prelink moved the file after it was linked
    const auto offset = file_offset(elf, words[0] + moved);
    const auto semaphore = words[2] == 0 ? std::optional<std::uint64_t>(0) : file_offset(elf, words[2] + moved);
    if (!offset || !semaphore) return;
    for (const ProbeSite& known : probes.sites)
        if (known.name == *name && known.offset == *offset) return;
    probes.sites.push_back({std::string(*name), *offset, *semaphore});
}

}  // namespace

Result<ElfProbes> read_probes(const std::string& path) {
    elf_version(EV_CURRENT);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return Error::from_errno(errno == EACCES || errno == EPERM ? Failure::not_permitted : Failure::failed,
                                 "cannot open " + path, errno, "run as root, or with CAP_SYS_PTRACE");
    const ElfHandle elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getclass(elf.get()) != ELFCLASS64)
        return Error::of(Failure::failed, path + " is not a 64-bit ELF file");
    ElfProbes probes;
    const NoteSection notes = find_notes(elf.get());
    for_each_note(notes.stapsdt, [&](unsigned type, std::string_view owner, std::string_view descriptor) {
        if (type == stapsdt_type && owner == "stapsdt") add_site(elf.get(), notes.base, descriptor, probes);
    });
    for_each_note(notes.own, [&](unsigned type, std::string_view owner, std::string_view descriptor) {
        if (type == MAPAUDIT_NOTE_REGISTRY && owner == MAPAUDIT_NOTE_NAME && descriptor.size() >= sizeof(std::uint64_t))
            std::memcpy(&probes.registry_address, descriptor.data(), sizeof(std::uint64_t));
    });
    find_load(elf.get(), probes);
    return probes;
}

}  // namespace mapaudit::sources
