// SPDX-License-Identifier: Apache-2.0
#include "symbols/mapped_files.hpp"

#include <elf.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace mapaudit::symbols {
namespace {

constexpr std::size_t most_headers = 64, most_note_bytes = 4096, most_build_id_bytes = 64;
constexpr std::size_t most_files = 4096;  // descriptors are finite
constexpr std::string_view deleted = " (deleted)";

UniqueFd open_file(const std::string& path) {
    return path.empty() ? UniqueFd() : UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

std::string map_files_path(int pid, const Mapping& m) {
    std::array<char, 96> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m.start, m.end);
    return path.data();
}

std::vector<std::byte> build_id_in_note(const std::vector<std::byte>& notes) {
    for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
        Elf64_Nhdr note;
        std::memcpy(&note, &notes[at], sizeof note);
        const std::uint64_t name_at = at + sizeof note;
        const std::uint64_t id_at = name_at + ((std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3});
        const std::uint64_t end = id_at + ((std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3});
        if (end > notes.size()) return {};
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(&notes[name_at], "GNU", 4) == 0 &&
            note.n_descsz <= most_build_id_bytes)
            return {notes.begin() + static_cast<std::ptrdiff_t>(id_at),
                    notes.begin() + static_cast<std::ptrdiff_t>(id_at + note.n_descsz)};
        at = end;
    }
    return {};
}

}  // namespace

std::vector<std::byte> build_id_in_memory(const Process& process, std::uint64_t base) {
    Elf64_Ehdr head;
    if (!process.read(base, &head, sizeof head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > most_headers)
        return {};
    std::vector<Elf64_Phdr> headers(head.e_phnum);
    if (headers.empty() || !process.read(base + head.e_phoff, headers.data(), headers.size() * sizeof headers[0]))
        return {};
    for (const Elf64_Phdr& header : headers) {
        if (header.p_type != PT_NOTE || header.p_filesz > most_note_bytes) continue;
        std::vector<std::byte> notes(header.p_filesz);
        // The notes lie in the first segment, whose file offset 0 is at `base`.
        if (!process.read(base + header.p_offset, notes.data(), notes.size())) continue;
        if (auto id = build_id_in_note(notes); !id.empty()) return id;
    }
    return {};
}

MappedFile& MappedFiles::file_of(const Process& process, const Mapping& mapping) {
    for (MappedFile& file : files_)
        if (file.device == mapping.device && file.inode == mapping.inode && mapping.path.starts_with(file.path) &&
            !file.segments.empty())
            return file;
    MappedFile file;
    file.path =
        mapping.path.ends_with(deleted) ? mapping.path.substr(0, mapping.path.size() - deleted.size()) : mapping.path;
    file.device = mapping.device;
    file.inode = mapping.inode;
    file.fd = open_file(process.path_to(mapping));
    if (!file.fd) file.fd = open_file(map_files_path(process.pid(), mapping));
    files_.push_back(std::move(file));
    return files_.back();
}

bool MappedFiles::add(MappedFile& file, const Segment& segment) {
    if (std::find(file.segments.begin(), file.segments.end(), segment) != file.segments.end()) return false;
    for (MappedFile& other : files_)
        std::erase_if(other.segments,
                      [&](const Segment& old) { return old.start < segment.end && segment.start < old.end; });
    const auto behind = std::find_if(file.segments.begin(), file.segments.end(),
                                     [&](const Segment& other) { return other.start > segment.start; });
    file.segments.insert(behind, segment);
    return true;
}

Result<bool> MappedFiles::refresh(const Process& process) {
    auto mappings = process.mappings();
    if (!mappings) return mappings.error();
    pid_ = process.pid();
    bool changed = false;
    for (const Mapping& mapping : *mappings) {
        if (!mapping.executable || files_.size() >= most_files) continue;
        MappedFile& file = file_of(process, mapping);
        changed |= add(file, {mapping.start, mapping.end, mapping.offset});
        if (file.fd || !file.expected_build_id.empty()) continue;
        // Neither /proc/PID/exe nor map_files: without privilege, or on a file system whose inodes differ by way of
        // access. By name, then, if the build id in memory can vouch for it.
        const auto first = std::find_if(mappings->begin(), mappings->end(), [&](const Mapping& m) {
            return m.device == mapping.device && m.inode == mapping.inode && m.offset == 0;
        });
        if (first == mappings->end()) continue;
        file.expected_build_id = build_id_in_memory(process, first->start);
        if (file.expected_build_id.empty()) continue;
        file.fd = open_file("/proc/" + std::to_string(process.pid()) + "/root" + file.path);
        if (!file.fd) file.fd = open_file(file.path);
    }
    return changed;
}

}  // namespace mapaudit::symbols
