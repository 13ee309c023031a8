// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_notes.hpp"

#include <elf.h>
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <mapaudit/probe_abi.h>

#include "util/parsed_files.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::string_view provider = "mapaudit";
constexpr unsigned stapsdt_type = 3;

// More than any program has, and few enough that a file made for the purpose takes no time.
constexpr std::size_t most_segments = 64;               // linkers make about ten
constexpr std::uint64_t most_note_bytes = 16u << 20;    // a site takes about a hundred
constexpr std::size_t most_name_bytes = 1u << 20;       // of all sections
constexpr std::uint64_t most_table_bytes = 256u << 20;  // of symbols and of relocations: browsers have 20 MiB

constexpr std::string_view registry_symbol = "mapaudit_process_registry";

struct ElfCloser {
    void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

// A segment that is loaded, as far as it stands in the file.
struct Segment {
    std::uint64_t address = 0, offset = 0, bytes = 0;
    bool executable = false;
};

std::vector<Segment> loaded_segments(Elf* elf, std::uint64_t file_bytes) {
    std::vector<Segment> segments;
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0) return segments;
    for (std::size_t i = 0; i < count && segments.size() < most_segments; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
        if (header.p_offset > file_bytes) continue;
        segments.push_back({header.p_vaddr, header.p_offset, std::min(header.p_filesz, file_bytes - header.p_offset),
                            (header.p_flags & PF_X) != 0});
    }
    return segments;
}

// Where in the file the `bytes` bytes at an address stand.
std::optional<std::uint64_t> file_offset(const std::vector<Segment>& segments, std::uint64_t address,
                                         std::uint64_t bytes) {
    for (const Segment& segment : segments)
        if (address >= segment.address && segment.bytes >= bytes && address - segment.address <= segment.bytes - bytes)
            return address - segment.address + segment.offset;
    return {};
}

// Takes the next NUL-terminated string off `text`; nothing when it is not terminated.
std::optional<std::string_view> take_string(std::string_view& text) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return {};
    const std::string_view head = text.substr(0, end);
    text.remove_prefix(end + 1);
    return head;
}

struct Sections {
    std::uint64_t base = 0;  // address of .stapsdt.base; 0: none
    Elf_Scn *stapsdt = nullptr, *own = nullptr, *symbols = nullptr, *relocations = nullptr;
};

// Whether `name` stands at that place among the names of a section. Not by elf_strptr, which looks for the name's
// end from the end of all of them: a file can be made so that this takes hours.
bool is_called(std::string_view names, std::size_t at, std::string_view name) {
    return at < names.size() && names.size() - at > name.size() && names.compare(at, name.size(), name) == 0 &&
           names[at + name.size()] == '\0';
}

// The names that a section holds, unless they are more than `most` bytes.
std::string_view names_in(Elf_Scn* section, std::uint64_t most) {
    GElf_Shdr header;
    if (section == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_size > most) return {};
    const Elf_Data* names = elf_rawdata(section, nullptr);
    if (names == nullptr || names->d_buf == nullptr) return {};
    return {static_cast<const char*>(names->d_buf), names->d_size};
}

std::string_view section_names(Elf* elf) {
    std::size_t index = 0;
    if (elf_getshdrstrndx(elf, &index) != 0) return {};
    return names_in(elf_getscn(elf, index), most_name_bytes);
}

Sections find_sections(Elf* elf) {
    Sections found;
    const std::string_view names = section_names(elf);
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr) continue;
        if (is_called(names, header.sh_name, ".stapsdt.base")) found.base = header.sh_addr;
        if (header.sh_type == SHT_DYNSYM) found.symbols = section;
        if (header.sh_type == SHT_RELA && is_called(names, header.sh_name, ".rela.dyn")) found.relocations = section;
        if (header.sh_type != SHT_NOTE) continue;
        if (is_called(names, header.sh_name, ".note.stapsdt")) found.stapsdt = section;
        if (is_called(names, header.sh_name, ".note.mapaudit")) found.own = section;
    }
    return found;
}

// Calls visit(type, owner, descriptor) for each note, up to the first damaged one. False: there are too many.
template <class Visit>
bool for_each_note(Elf_Scn* section, Visit visit) {
    GElf_Shdr header;
    if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return true;
    if (header.sh_size > most_note_bytes) return false;
    Elf_Data* const data = elf_getdata(section, nullptr);
    if (data == nullptr || data->d_buf == nullptr) return true;
    const auto* bytes = static_cast<const char*>(data->d_buf);
    GElf_Nhdr note;
    std::size_t name_at = 0, descriptor_at = 0;
    for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name_at, &descriptor_at)) > 0;) {
        std::string_view owner(bytes + name_at, note.n_namesz);
        owner = owner.substr(0, owner.find('\0'));
        visit(note.n_type, owner, std::string_view(bytes + descriptor_at, note.n_descsz));
    }
    return true;
}

// A section's contents, unless they are too many.
Elf_Data* table_in(Elf_Scn* section, GElf_Shdr& header) {
    if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return nullptr;
    if (header.sh_size > most_table_bytes || header.sh_entsize == 0) return nullptr;
    return elf_getdata(section, nullptr);
}

// The registry among the dynamic symbols; 0: it is not there.
std::uint64_t registry_symbol_index(Elf* elf, Elf_Scn* symbols) {
    GElf_Shdr header;
    Elf_Data* const table = table_in(symbols, header);
    if (table == nullptr) return 0;
    const std::string_view names = names_in(elf_getscn(elf, header.sh_link), most_table_bytes);
    GElf_Sym symbol;
    for (int i = 1; !names.empty() && gelf_getsym(table, i, &symbol) != nullptr; ++i)
        if (is_called(names, symbol.st_name, registry_symbol)) return static_cast<std::uint64_t>(i);
    return 0;
}

// Where the dynamic linker leaves the registry's address: code that other files may override finds it through the
// global offset table. 0: nowhere, so that the code uses the file's own.
std::uint64_t registry_slot(Elf* elf, const Sections& sections) {
    const std::uint64_t wanted = registry_symbol_index(elf, sections.symbols);
    if (wanted == 0) return 0;
    GElf_Ehdr file;
    if (gelf_getehdr(elf, &file) == nullptr) return 0;
    const std::uint32_t slot_type = file.e_machine == EM_AARCH64 ? R_AARCH64_GLOB_DAT : R_X86_64_GLOB_DAT;
    GElf_Shdr header;
    Elf_Data* const table = table_in(sections.relocations, header);
    if (table == nullptr) return 0;
    GElf_Rela relocation;
    for (int i = 0; gelf_getrela(table, i, &relocation) != nullptr; ++i)
        if (GELF_R_TYPE(relocation.r_info) == slot_type && GELF_R_SYM(relocation.r_info) == wanted)
            return relocation.r_offset;
    return 0;
}

// The sites of a file as its notes come.
class Sites {
public:
    Sites(std::vector<Segment> segments, std::uint64_t base) : segments_(std::move(segments)), base_(base) {}

    void add(std::string_view descriptor) {
        std::uint64_t words[3];  // site, base, semaphore
        if (descriptor.size() < sizeof words) return;
        std::memcpy(words, descriptor.data(), sizeof words);
        descriptor.remove_prefix(sizeof words);
        const auto owner = take_string(descriptor);
        const auto name = take_string(descriptor);
        if (!owner || !name || *owner != provider) return;
        const std::uint64_t moved = base_ != 0 ? base_ - words[1] : 0;  // prelink moved the file after it was linked
        const auto offset = file_offset(segments_, words[0] + moved, 1);
        const auto semaphore = words[2] == 0 ? std::optional<std::uint64_t>(0)
                                             : file_offset(segments_, words[2] + moved, sizeof(std::uint16_t));
        if (!offset || !semaphore || !known_.emplace(*name, *offset).second) return;
        sites_.push_back({std::string(*name), *offset, *semaphore});
    }
    std::vector<ProbeSite> take() { return std::move(sites_); }

private:
    std::vector<Segment> segments_;
    std::uint64_t base_;
    std::vector<ProbeSite> sites_;
    std::set<std::pair<std::string, std::uint64_t>> known_;
};

}  // namespace

Result<ElfProbes> read_probes(int fd, const std::string& path) {
    elf_version(EV_CURRENT);
    const auto identity = identify(fd);
    if (!identity) return identity.error();
    const ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getclass(elf.get()) != ELFCLASS64)
        return Error::of(Failure::failed, path + " is not a 64-bit ELF file");
    ElfProbes probes;
    const Sections sections = find_sections(elf.get());
    const std::vector<Segment> segments = loaded_segments(elf.get(), identity->bytes);
    Sites sites(segments, sections.base);
    const bool all_sites =
        for_each_note(sections.stapsdt, [&](unsigned type, std::string_view owner, std::string_view descriptor) {
            if (type == stapsdt_type && owner == "stapsdt") sites.add(descriptor);
        });
    const bool all_own = for_each_note(sections.own, [&](unsigned type, std::string_view owner,
                                                         std::string_view descriptor) {
        if (type == MAPAUDIT_NOTE_REGISTRY && owner == MAPAUDIT_NOTE_NAME && descriptor.size() >= sizeof(std::uint64_t))
            std::memcpy(&probes.registry_address, descriptor.data(), sizeof(std::uint64_t));
    });
    if (!all_sites || !all_own)
        return Error::of(Failure::failed, path + " has more notes than a program has: no probe is looked for in it");
    probes.sites = sites.take();
    if (probes.registry_address != 0) probes.registry_slot = registry_slot(elf.get(), sections);
    const auto code =
        std::find_if(segments.begin(), segments.end(), [](const Segment& segment) { return segment.executable; });
    if (code != segments.end()) {
        probes.first_load_address = code->address;
        probes.first_load_offset = code->offset;
    }
    return probes;
}

Result<ElfProbes> read_probes(const std::string& path) {
    const auto fd = open_to_read(path);
    if (!fd) return fd.error();
    return read_probes(fd->get(), path);
}

}  // namespace mapaudit::sources
