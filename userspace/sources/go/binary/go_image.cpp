// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_image.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace mapaudit::sources {
namespace {

struct ElfCloser {
    void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

constexpr std::size_t most_segments = 64;  // linkers make about ten

std::vector<GoSegment> segments_of(Elf* elf) {
    std::vector<GoSegment> segments;
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return segments;
    for (std::size_t i = 0; i < count && segments.size() < most_segments; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr) continue;
        if (header.p_type != PT_LOAD && header.p_type != PT_NOTE && header.p_type != PT_DYNAMIC) continue;
        segments.push_back({header.p_type, header.p_vaddr, header.p_offset, header.p_filesz,
                            (header.p_flags & PF_X) != 0, (header.p_flags & PF_W) != 0});
    }
    return segments;
}

std::vector<GoSection> sections_of(Elf* elf) {
    std::vector<GoSection> sections;
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0) return sections;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_ALLOC) == 0) continue;
        const char* name = elf_strptr(elf, names, header.sh_name);
        if (name != nullptr) sections.push_back({name, header.sh_addr, header.sh_size});
    }
    return sections;
}

}  // namespace

bool GoSegment::is_loaded() const { return type == PT_LOAD; }

Result<std::optional<GoImage>> GoImage::open(const std::string& path) {
    elf_version(EV_CURRENT);
    GoImage image;
    image.fd_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!image.fd_ && (errno == EACCES || errno == EPERM))
        return Error::from_errno(Failure::not_permitted, "cannot open " + path, errno,
                                 "run as root, or with CAP_SYS_PTRACE");
    if (!image.fd_) return Error::from_errno(Failure::failed, "cannot open " + path, errno);
    const ElfHandle elf(elf_begin(image.fd(), ELF_C_READ, nullptr));
    GElf_Ehdr header;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr)
        return std::optional<GoImage>();
    image.x86_64_ = header.e_machine == EM_X86_64 && header.e_ident[EI_CLASS] == ELFCLASS64;
    image.position_independent_ = header.e_type == ET_DYN;
    image.segments_ = segments_of(elf.get());
    image.sections_ = sections_of(elf.get());
    return std::optional<GoImage>(std::move(image));
}

const GoSection* GoImage::section(std::string_view name) const {
    const auto found = std::find_if(sections_.begin(), sections_.end(),
                                    [&](const GoSection& section) { return section.name == name; });
    return found == sections_.end() ? nullptr : &*found;
}

const GoSegment* GoImage::loaded(std::uint64_t address, std::uint64_t length) const {
    const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const GoSegment& segment) {
        return segment.is_loaded() && segment.holds(address, length);
    });
    return found == segments_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> GoImage::file_offset(std::uint64_t address) const {
    const GoSegment* segment = loaded(address);
    if (segment == nullptr) return {};
    return address - segment->address + segment->offset;
}

const GoReader::Block* GoReader::block(std::uint64_t number) {
    Block& kept = blocks_[number % block_count];
    if (kept.number == number) return &kept;
    kept.number = ~std::uint64_t{0};
    kept.bytes.resize(block_size);
    std::size_t have = 0;
    while (have < block_size) {
        const ssize_t got = ::pread(image_.fd(), kept.bytes.data() + have, block_size - have,
                                    static_cast<off_t>(number * block_size + have));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    if (have == 0) return nullptr;
    kept.bytes.resize(have);
    kept.number = number;
    return &kept;
}

bool GoReader::copy(std::uint64_t address, void* to, std::size_t length) {
    const GoSegment* segment = image_.loaded(address, length);
    if (segment == nullptr) return false;
    std::uint64_t offset = segment->offset + (address - segment->address);
    auto* out = static_cast<std::uint8_t*>(to);
    while (length > 0) {
        const Block* from = block(offset / block_size);
        const std::size_t skip = offset % block_size;
        if (from == nullptr || skip >= from->bytes.size()) return false;
        const std::size_t part = std::min(length, from->bytes.size() - skip);
        std::memcpy(out, from->bytes.data() + skip, part);
        out += part;
        offset += part;
        length -= part;
    }
    return true;
}

std::optional<std::string> GoReader::text(std::uint64_t address, std::size_t limit) {
    std::string found;
    char piece[64];
    while (found.size() < limit) {
        const GoSegment* segment = image_.loaded(address);
        if (segment == nullptr) return {};
        const std::size_t length = std::min({std::uint64_t{sizeof piece}, std::uint64_t{limit - found.size()},
                                             segment->size - (address - segment->address)});
        if (!copy(address, piece, length)) return {};
        const std::size_t part = ::strnlen(piece, length);
        found.append(piece, part);
        if (part < length) return found;
        address += length;
    }
    return {};
}

void GoReader::for_each_relative(const std::function<bool(std::uint64_t, std::uint64_t)>& visit) {
    std::uint64_t table = 0, size = 0;
    for (const GoSegment& segment : image_.segments()) {
        if (segment.type != PT_DYNAMIC) continue;
        for (std::uint64_t at = 0; segment.size >= sizeof(Elf64_Dyn) && at <= segment.size - sizeof(Elf64_Dyn);
             at += sizeof(Elf64_Dyn)) {
            const auto entry = get<Elf64_Dyn>(segment.address + at);
            if (!entry || entry->d_tag == DT_NULL) break;
            if (entry->d_tag == DT_RELA) table = entry->d_un.d_ptr;
            if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
        }
    }
    if (image_.loaded(table, size) == nullptr) return;
    for (std::uint64_t i = 0; i < size / sizeof(Elf64_Rela); ++i) {
        const auto entry = get<Elf64_Rela>(table + i * sizeof(Elf64_Rela));
        if (!entry) return;
        if (ELF64_R_TYPE(entry->r_info) == R_X86_64_RELATIVE &&
            !visit(entry->r_offset, static_cast<std::uint64_t>(entry->r_addend)))
            return;
    }
}

}  // namespace mapaudit::sources
