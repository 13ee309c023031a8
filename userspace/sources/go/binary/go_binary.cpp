// SPDX-License-Identifier: Apache-2.0
#include "sources/go/binary/go_binary.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "sources/go/binary/go_build_info.hpp"
#include "sources/go/binary/go_code.hpp"
#include "sources/go/binary/go_line_table.hpp"
#include "sources/go/binary/go_map_functions.hpp"
#include "sources/go/binary/go_pclntab.hpp"

namespace mapaudit::sources {

struct GoBinary::State {
    explicit State(GoImage opened) : image(std::move(opened)) {}

    GoImage image;
    GoModule module;
    GoMapDesign design = GoMapDesign::classic;
    std::string version;
    std::vector<GoFunction> functions;
    std::vector<GoRefusal> refused;
    std::uint32_t goid_offset = 0;
};

namespace {

constexpr std::size_t longest_name = 64;           // of the functions looked for
constexpr std::uint64_t longest_code = 64 * 1024;  // of one of them: the longest known has 3 KiB
constexpr std::string_view status_function = "runtime.casgstatus";
constexpr std::uint32_t from_status_to_goid = 8;

// A function found by its name, before its code was looked at.
struct Named {
    std::string name;
    std::uint64_t index;
};

std::vector<Named> find_names(GoReader& reader, const GoModule& module) {
    std::vector<Named> found;
    for (std::uint64_t i = 0; i < module.table.function_count; ++i) {
        auto name = name_at(reader, module, i, longest_name);
        if (!name) continue;
        if (*name == status_function || map_function(*name, GoMapDesign::classic) ||
            map_function(*name, GoMapDesign::swiss))
            found.push_back({std::move(*name), i});
    }
    return found;
}

const Named* find_named(const std::vector<Named>& names, std::string_view name) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const Named& named) { return named.name == name; });
    return found == names.end() ? nullptr : &*found;
}

Result<std::vector<std::uint8_t>> bytes_of(GoReader& reader, const GoRecord& record) {
    if (record.end <= record.entry || record.end - record.entry > longest_code)
        return Error::of(Failure::failed, "its length is not plausible");
    std::vector<std::uint8_t> bytes(record.end - record.entry);
    const GoSegment* segment = reader.image().loaded(record.entry, bytes.size());
    if (segment == nullptr || !segment->executable || !reader.copy(record.entry, bytes.data(), bytes.size()))
        return Error::of(Failure::failed, "its code is not in the file");
    return bytes;
}

struct Resolved {
    GoFunction function;
    std::vector<std::uint64_t> calls;
};

Result<Resolved> resolve(GoReader& reader, const GoModule& module, const Named& named, const GoMapFunction& what) {
    const auto record = function_at(reader, module, named.index);
    if (!record) return Error::of(Failure::failed, "its table entry is damaged");
    const auto bytes = bytes_of(reader, *record);
    if (!bytes) return bytes.error();
    auto code = read_code(*bytes, record->entry);
    if (!code) return code.error();
    // What ends the program runs on whatever stack is left, without a check.
    if (!code->stack_check && what.role != GoRole::fatal && what.role != GoRole::panic)
        return Error::of(Failure::failed, "its prologue is not a known stack check");
    const auto offset_of = [&](std::uint64_t address) { return *reader.image().file_offset(address); };
    Resolved resolved{{named.name,
                       what.role,
                       record->entry,
                       offset_of(code->stack_check.value_or(record->entry)),
                       code->stack_check.has_value(),
                       what.map_in,
                       what.type_in,
                       {}},
                      std::move(code->calls)};
    for (const std::uint64_t address : code->returns) resolved.function.returns.push_back(offset_of(address));
    return resolved;
}

// Where two functions have the same role and one calls the other, an operation would be seen twice.
bool passes_on(const Resolved& one, const std::vector<Resolved>& all) {
    return std::any_of(all.begin(), all.end(), [&](const Resolved& other) {
        return other.function.role == one.function.role && other.function.entry != one.function.entry &&
               std::find(one.calls.begin(), one.calls.end(), other.function.entry) != one.calls.end();
    });
}

// By the code, which cannot be wrong about it; by the version where that code is not as expected.
std::optional<std::uint32_t> find_goid(GoReader& reader, const GoModule& module, const std::vector<Named>& names,
                                       std::string_view version) {
    if (const Named* named = find_named(names, status_function))
        if (const auto record = function_at(reader, module, named->index))
            if (const auto bytes = bytes_of(reader, *record))
                if (const auto status = status_offset(*bytes, record->entry)) return *status + from_status_to_goid;
    if (!version.starts_with("go1.")) return {};
    const int minor = std::atoi(std::string(version.substr(4)).c_str());
    return minor == 23 || minor == 24 ? 160 : 152;
}

}  // namespace

GoBinary::GoBinary(std::unique_ptr<const State> state) : state_(std::move(state)) {}
GoBinary::GoBinary(GoBinary&&) noexcept = default;
GoBinary& GoBinary::operator=(GoBinary&&) noexcept = default;
GoBinary::~GoBinary() = default;

Result<std::optional<GoBinary>> GoBinary::read(const std::string& path) {
    auto image = GoImage::open(path);
    if (!image) return image.error();
    if (!*image) return std::optional<GoBinary>();
    auto state = std::make_unique<State>(std::move(**image));
    GoReader reader(state->image);
    if (!looks_like_go(reader)) return std::optional<GoBinary>();
    const auto refuse = [&](const std::string& why) {
        return Error::of(Failure::failed, path + " is a Go program that cannot be audited: " + why);
    };
    if (!state->image.is_x86_64()) return refuse("it is not for x86-64");
    const auto module = find_module(reader);
    if (!module) return refuse(module.error().what);
    state->module = *module;
    state->version = go_version(reader);

    const std::vector<Named> names = find_names(reader, state->module);
    const bool swiss = find_named(names, swiss_sign) != nullptr;
    if (!swiss && find_named(names, classic_sign) == nullptr) return refuse("it has no map function known by name");
    state->design = swiss ? GoMapDesign::swiss : GoMapDesign::classic;
    const auto goid = find_goid(reader, state->module, names, state->version);
    if (!goid) return refuse("where its goroutines keep their numbers is not known");
    state->goid_offset = *goid;

    std::vector<Resolved> all;
    for (const Named& named : names) {
        const auto what = map_function(named.name, state->design);
        if (!what) continue;
        auto resolved = resolve(reader, state->module, named, *what);
        if (resolved)
            all.push_back(std::move(*resolved));
        else
            state->refused.push_back({named.name, resolved.error().what});
    }
    for (const Resolved& one : all)
        if (!passes_on(one, all)) state->functions.push_back(one.function);
    return std::optional<GoBinary>(GoBinary(std::move(state)));
}

GoMapDesign GoBinary::design() const { return state_->design; }
const std::string& GoBinary::version() const { return state_->version; }
const std::vector<GoFunction>& GoBinary::functions() const { return state_->functions; }
const std::vector<GoRefusal>& GoBinary::refused() const { return state_->refused; }
std::uint64_t GoBinary::types() const { return state_->module.types; }
std::uint64_t GoBinary::end_of_types() const { return state_->module.end_of_types; }
std::uint32_t GoBinary::goid_offset() const { return state_->goid_offset; }
bool GoBinary::position_independent() const { return state_->image.position_independent(); }

std::optional<GoLine> GoBinary::line_of(std::uint64_t address) const {
    GoReader reader(state_->image);
    return line_at(reader, state_->module, address);
}

std::optional<std::uint64_t> GoBinary::file_offset(std::uint64_t address) const {
    return state_->image.file_offset(address);
}

}  // namespace mapaudit::sources
