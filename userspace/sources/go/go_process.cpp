// SPDX-License-Identifier: Apache-2.0
#include "sources/go/go_process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mapaudit::sources {
namespace {

// abi.Type of Go's runtime (internal/abi/type.go; runtime/type.go before 1.20): its layout is the compiler's.
constexpr std::uint64_t tflag_at = 20, kind_at = 23, str_at = 40, type_bytes = 48;
constexpr std::uint8_t kind_mask = 0x1f, kind_map = 21;
constexpr std::uint8_t extra_star = 2;         // the name's first character is a '*' that belongs to another type
constexpr std::size_t longest_type_name = 96;  // of a name that is to fit into a row

constexpr std::size_t most_types = 1u << 16, most_frames = 1u << 16;

template <class T>
T at(const unsigned char* bytes, std::uint64_t offset) {
    T value;
    std::copy_n(bytes + offset, sizeof value, reinterpret_cast<unsigned char*>(&value));
    return value;
}

// Which probe a rare function has.
wire_go_probe rare_probe_of(const GoFunction& function, GoMapDesign design) {
    if (function.role == GoRole::fatal) return design == GoMapDesign::swiss ? WIRE_GO_SWISS_FATAL : WIRE_GO_FATAL;
    if (function.name.ends_with("(*Map).growToTable")) return WIRE_GO_SWISS_TO_TABLE;
    if (function.name.ends_with("(*table).grow")) return WIRE_GO_SWISS_GROW;
    if (function.name.ends_with("(*table).split")) return WIRE_GO_SWISS_SPLIT;
    return WIRE_GO_GROW;
}

wire_go_probe probe_of(const GoFunction& function, GoProbes kind, GoMapDesign design) {
    switch (kind) {
        case GoProbes::rare: return rare_probe_of(function, design);
        case GoProbes::operations: return WIRE_GO_OPERATION;
        case GoProbes::steps: return WIRE_GO_STEP;
        case GoProbes::ends: break;
    }
    return function.role == GoRole::panic  ? WIRE_GO_PANIC
           : function.role == GoRole::step ? WIRE_GO_STEP_RETURN
                                           : WIRE_GO_RETURN;
}

mapaudit_op op_of(GoRole role) {
    switch (role) {
        case GoRole::assign: return MAPAUDIT_OP_ASSIGN;
        case GoRole::lookup: return MAPAUDIT_OP_LOOKUP;
        case GoRole::erase:
        case GoRole::clear: return MAPAUDIT_OP_ERASE;
        default: return MAPAUDIT_OP_WHOLE;
    }
}

wire_go_places places_of(const GoFunction& function) {
    if (function.role == GoRole::step) return WIRE_GO_ITERATOR;
    if (function.map_in == GoRegister::rbx) return WIRE_GO_TYPE_MAP;
    return function.map_in == GoRegister::rax ? WIRE_GO_MAP_TYPE : WIRE_GO_OTHER_TYPE_MAP;
}

bool is_operation(GoRole role) {
    return role == GoRole::assign || role == GoRole::lookup || role == GoRole::erase || role == GoRole::clear ||
           role == GoRole::iterate;
}

std::string base_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::string go_place(const model::Frame& frame) {
    std::string text;
    if (!frame.file.empty()) text = base_name(frame.file) + ':' + std::to_string(frame.line) + ' ';
    return text + frame.function;
}

Result<std::unique_ptr<GoProcess>> GoProcess::find(const Process& process) {
    GoFiles files;
    return find(process, files);
}

Result<std::unique_ptr<GoProcess>> GoProcess::find(const Process& process, GoFiles& files) {
    const std::string path = "/proc/" + std::to_string(process.pid()) + "/exe";
    UniqueFd executable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!executable) {
        const int why = errno;
        if (why == ENOENT || !process.alive()) return std::unique_ptr<GoProcess>();  // a kernel's thread, or ended
        return Error::from_errno(Failure::not_permitted, "cannot open " + path, why,
                                 "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE");
    }
    std::unique_ptr<GoProcess> found(new GoProcess(process, std::move(executable)));
    // By the open file: it is read again when lines are asked for, and the process may have ended by then.
    const int fd = found->executable_.get();
    auto binary = files.get(fd, [&] { return GoBinary::read("/proc/self/fd/" + std::to_string(fd)); });
    if (!binary) return binary.error();
    if (!**binary) return std::unique_ptr<GoProcess>();
    found->binary_ = std::shared_ptr<const GoBinary>(*binary, &***binary);
    if (auto bias = found->find_bias(); !bias) return bias.error();
    return found;
}

// By the mapping that holds the first map function's code.
Result<void> GoProcess::find_bias() {
    auto mappings = process_.mappings();
    if (!mappings) return mappings.error();
    for (const Mapping& mapping : *mappings) {
        if (!mapping.executable || process_.path_to(mapping) != attach_path()) continue;
        path_ = mapping.path;
        module_ = base_name(mapping.path);
        if (!binary_->position_independent()) return {};
        for (const GoFunction& function : binary_->functions()) {
            const auto offset = binary_->file_offset(function.entry);
            if (!offset || *offset < mapping.offset || *offset - mapping.offset >= mapping.end - mapping.start)
                continue;
            bias_ = mapping.start + (*offset - mapping.offset) - function.entry;
            return {};
        }
    }
    if (!binary_->position_independent()) return {};
    return Error::of(Failure::failed, "cannot tell where the Go program of process " + std::to_string(process_.pid()) +
                                          " lies in its memory");
}

bool has_probes(const GoFunction& function, GoProbes kind) {
    switch (kind) {
        case GoProbes::rare: return function.role == GoRole::fatal || function.role == GoRole::grow;
        case GoProbes::operations: return is_operation(function.role);
        case GoProbes::steps: return function.role == GoRole::step;
        case GoProbes::ends: break;
    }
    return is_operation(function.role) || function.role == GoRole::step || function.role == GoRole::panic;
}

std::vector<UprobeSite> GoProcess::sites(GoProbes kind, std::uint32_t index) const {
    std::vector<UprobeSite> sites;
    const bool swiss = binary_->design() == GoMapDesign::swiss;
    for (const GoFunction& function : binary_->functions()) {
        if (!has_probes(function, kind)) continue;
        std::uint64_t cookie = probe_of(function, kind, binary_->design());
        if (swiss) cookie |= WIRE_GO_SWISS;
        cookie |= std::uint64_t{places_of(function)} << WIRE_GO_PLACES_SHIFT;
        cookie |= std::uint64_t{op_of(function.role)} << WIRE_GO_OP_SHIFT;
        cookie |= std::uint64_t{index} << WIRE_GO_PROCESS_SHIFT;
        cookie |= std::uint64_t{binary_->goid_offset()} << WIRE_GO_GOID_SHIFT;
        if (kind == GoProbes::ends && function.role != GoRole::panic) {
            for (const std::uint64_t offset : function.returns) sites.push_back({offset, 0, cookie});
        } else {
            if (function.on_stack_check) cookie |= WIRE_GO_STACK_CHECK;
            sites.push_back({function.probe_offset, 0, cookie});
        }
    }
    return sites;
}

bool GoProcess::read_file(std::uint64_t address, void* to, std::size_t bytes) const {
    const auto offset = binary_->file_offset(address);
    return offset && ::pread(executable_.get(), to, bytes, static_cast<off_t>(*offset)) == static_cast<ssize_t>(bytes);
}

std::string GoProcess::type_name(std::uint64_t type) {
    const auto found = type_names_.find(type);
    if (found != type_names_.end()) return found->second;
    std::string name = read_type_name(type);
    if (type_names_.size() < most_types) type_names_[type] = name;
    return name;
}

// A name is a byte of flags, its length as a varint, its bytes (internal/abi/type.go, Name).
std::string GoProcess::read_type_name(std::uint64_t type) const {
    const std::uint64_t in_file = type - bias_, types = binary_->types(), end = binary_->end_of_types();
    unsigned char header[type_bytes];
    if (in_file < types || in_file >= end || !read_file(in_file, header, sizeof header)) return {};
    if ((header[kind_at] & kind_mask) != kind_map) return {};
    const auto offset = at<std::int32_t>(header, str_at);
    if (offset <= 0 || static_cast<std::uint64_t>(offset) >= end - types) return {};
    const std::uint64_t name_at = types + static_cast<std::uint64_t>(offset);
    unsigned char head[4];
    if (!read_file(name_at, head, sizeof head)) return {};
    std::size_t length = head[1] & 0x7f, head_bytes = 2;
    if ((head[1] & 0x80) != 0) {
        length |= static_cast<std::size_t>(head[2] & 0x7f) << 7;
        head_bytes = 3;
        if ((head[2] & 0x80) != 0) return {};  // longer than any name of a type
    }
    std::string name(std::min(length, longest_type_name + 1), '\0');
    if (length == 0 || !read_file(name_at + head_bytes, name.data(), name.size())) return {};
    if ((header[tflag_at] & extra_star) != 0 && name.front() == '*') name.erase(0, 1);
    if (name.size() > longest_type_name) name = name.substr(0, longest_type_name) + "…";
    return name;
}

model::Frame GoProcess::frame(std::uint64_t return_address) {
    const auto found = frames_.find(return_address);
    if (found != frames_.end()) return found->second;
    model::Frame frame;
    frame.offset = return_address - 1 - bias_;
    frame.module = module_;
    if (const auto line = binary_->line_of(frame.offset)) {
        frame.function = line->function;
        frame.file = line->file;
        frame.line = static_cast<std::uint32_t>(std::max(line->line, 0));
    }
    if (frames_.size() < most_frames) frames_[return_address] = frame;
    return frame;
}

model::Stack GoProcess::whole_stack(std::span<const __u64> frames) {
    std::vector<model::Frame> all;
    for (std::size_t i = 0; i < frames.size() && frames[i] != 0; ++i)
        all.push_back(frame(i == 0 ? frames[i] + 1 : frames[i]));
    return {std::move(all), ""};
}

model::Stack GoProcess::stack(std::span<const __u64> frames) {
    std::vector<model::Frame> all;
    for (std::size_t i = 1; i < frames.size() && frames[i] != 0; ++i) all.push_back(frame(frames[i]));
    const char* const cut = all.empty() ? "the stack could not be read" : "";
    return {std::move(all), cut};
}

}  // namespace mapaudit::sources
