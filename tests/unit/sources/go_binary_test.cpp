// SPDX-License-Identifier: Apache-2.0
//
// The map functions of Go programs, stripped and not, against what nm, objdump and addr2line say of them.
#include "sources/go/binary/go_binary.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "unit/sources/other_tools.hpp"

namespace mapaudit::sources {
namespace {

// A program, and the one with symbols whose addresses are the same.
struct Program {
    const char* name;
    const char* twin;
};

GoBinary read_program(const std::string& path) {
    auto binary = GoBinary::read(path);
    if (!binary) throw std::runtime_error(binary.error().line());
    if (!*binary) throw std::runtime_error(path + " is said to be no Go program");
    return std::move(**binary);
}

// Is this name, from nm's list, one of the functions to be found? Those of the other design are not there.
bool is_map_function(const std::string& name, GoMapDesign design) {
    static const std::regex both(
        R"(runtime\.(mapassign(_fast(32|64|str|32ptr|64ptr))?|mapaccess[12](_fast(32|64|str))?|fatal|gopanic))");
    static const std::regex classic(R"(runtime\.(mapdelete(_fast(32|64|str))?|mapclear|mapiter(init|next)|hashGrow))");
    static const std::regex swiss(
        R"(internal/runtime/maps\.(\(\*Map\)\.(Delete|Clear|growToTable)|\(\*table\)\.(grow|split)|\(\*Iter\)\.(Init|Next)))");
    return std::regex_match(name, both) || std::regex_match(name, design == GoMapDesign::classic ? classic : swiss);
}

const Disassembled* at(const std::vector<Disassembled>& code, std::uint64_t address) {
    const auto found = std::find_if(code.begin(), code.end(), [&](const auto& one) { return one.address == address; });
    return found == code.end() ? nullptr : &*found;
}

// Holds one function against objdump's reading of its code.
void expect_as_disassembled(const GoBinary& binary, const GoFunction& function, const std::vector<Disassembled>& code) {
    SCOPED_TRACE(function.name);
    ASSERT_FALSE(code.empty());
    ASSERT_EQ(code[0].address, function.entry);
    std::vector<std::uint64_t> returns;
    std::uint64_t probed = 0;
    for (const Disassembled& one : code) {
        if (one.mnemonic == "ret") returns.push_back(*binary.file_offset(one.address));
        if (binary.file_offset(one.address) == function.probe_offset) probed = one.address;
    }
    EXPECT_EQ(function.returns, returns);
    ASSERT_NE(probed, 0u);
    if (!function.on_stack_check) {
        EXPECT_EQ(probed, function.entry);
        EXPECT_THAT(function.role, testing::AnyOf(GoRole::fatal, GoRole::panic));
        return;
    }
    EXPECT_EQ(at(code, probed)->mnemonic, "jbe");
    const bool large_frame = code[0].mnemonic == "lea";
    EXPECT_EQ(code[large_frame ? 1 : 0].mnemonic, "cmp");
    EXPECT_EQ(code[large_frame ? 1 : 0].operands, large_frame ? "0x10(%r14),%r12" : "0x10(%r14),%rsp");
    EXPECT_EQ(code[large_frame ? 2 : 1].address, probed);
}

class GoPrograms : public testing::TestWithParam<Program> {
protected:
    std::string program() const { return go_program(GetParam().name); }
    std::string twin() const { return go_program(GetParam().twin); }
    std::uint64_t next_function(std::uint64_t entry) {
        if (starts_.empty())
            for (const auto& [name, address] : functions_by_nm(twin())) starts_.insert(address);
        const auto next = starts_.upper_bound(entry);
        return next == starts_.end() ? ~std::uint64_t{0} : *next;
    }

private:
    std::set<std::uint64_t> starts_;
};

TEST_P(GoPrograms, EachMapFunctionIsWhereNmSaysItIs) {
    const GoBinary binary = read_program(program());
    std::map<std::string, std::uint64_t> expected, found;
    for (const auto& [name, address] : functions_by_nm(twin()))
        if (is_map_function(name, binary.design())) expected[name] = address;
    for (const GoFunction& function : binary.functions()) found[function.name] = function.entry;
    EXPECT_EQ(found, expected);
    EXPECT_GE(found.size(), 20u);
    EXPECT_THAT(binary.refused(), testing::IsEmpty());
}

TEST_P(GoPrograms, ProbesAndReturnsAreWhereObjdumpSeesThem) {
    const GoBinary binary = read_program(program());
    for (const GoFunction& function : binary.functions())
        expect_as_disassembled(binary, function, disassembly(twin(), function.entry, next_function(function.entry)));
}

TEST_P(GoPrograms, SaysWhatItIs) {
    const GoBinary binary = read_program(program());
    EXPECT_EQ(binary.version(), read_program(twin()).version());
    EXPECT_TRUE(binary.version().starts_with("go1."));
    const std::string name = GetParam().name;
    EXPECT_EQ(binary.position_independent(), name.find("pie") != std::string::npos);
    const auto symbols = symbols_by_nm(twin());
    EXPECT_EQ(binary.types(), symbols.at("runtime.types"));
    if (name.find("bare") == std::string::npos) {  // which is linked anew, with its own link flags among the data
        EXPECT_EQ(binary.end_of_types(), symbols.at("runtime.etypes"));
    }
    EXPECT_EQ(binary.goid_offset(), member_offset_by_dwarf(twin(), "runtime.g", "goid"));
}

// Calls, as a stack walk asks for them.
TEST_P(GoPrograms, LinesAreThoseOfDwarf) {
    const GoBinary binary = read_program(program());
    const std::regex wanted(R"((main|fmt|reflect|strconv|os)\..*|runtime\.map.*)");
    std::vector<std::uint64_t> addresses;
    std::map<std::uint64_t, std::string> names;
    for (const auto& [name, entry] : functions_by_nm(twin())) names[entry] = name;
    for (const Disassembled& one : disassembly(twin(), names.begin()->first, names.rbegin()->first)) {
        const auto& name = std::prev(names.upper_bound(one.address))->second;
        if (one.mnemonic == "call" && std::regex_match(name, wanted)) addresses.push_back(one.address);
    }
    ASSERT_GT(addresses.size(), 500u);
    const std::vector<SourceLine> expected = lines_by_dwarf(twin(), addresses);
    ASSERT_EQ(expected.size(), addresses.size());
    std::size_t compared = 0;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (expected[i].line == 0 || expected[i].function.empty()) continue;
        SCOPED_TRACE(testing::Message() << std::hex << addresses[i]);
        const auto line = binary.line_of(addresses[i]);
        ASSERT_TRUE(line);
        EXPECT_EQ((SourceLine{line->function, line->file, line->line}), expected[i]);
        ++compared;
    }
    EXPECT_GT(compared, 500u);
}

INSTANTIATE_TEST_SUITE_P(Ways, GoPrograms,
                         testing::Values(Program{"plain", "plain"}, Program{"plain_stripped", "plain"},
                                         Program{"plain_bare", "plain"}, Program{"pie", "pie"},
                                         Program{"pie_stripped", "pie"}, Program{"pie_bare", "pie"},
                                         Program{"external", "external"}, Program{"external_stripped", "external"},
                                         Program{"cgo", "cgo"}, Program{"cgo_stripped", "cgo"},
                                         Program{"cgo_pie", "cgo_pie"}, Program{"cgo_pie_stripped", "cgo_pie"}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST(GoBinaryFile, RegistersAreThoseOfTheFunctionsArguments) {
    const GoBinary binary = read_program(go_program("plain"));
    for (const GoFunction& function : binary.functions()) {
        SCOPED_TRACE(function.name);
        // A step's map is in its iterator.
        const bool on_map =
            function.role != GoRole::fatal && function.role != GoRole::panic && function.role != GoRole::step;
        EXPECT_EQ(function.map_in.has_value(), on_map);
        if (!on_map || !function.name.starts_with("runtime.")) continue;
        EXPECT_EQ(function.map_in, GoRegister::rbx);
        EXPECT_EQ(function.type_in, GoRegister::rax);
    }
}

// The line that is marked in maps.go, for a call in it.
TEST(GoBinaryFile, AnInlinedFunctionIsNamed) {
    const GoBinary binary = read_program(go_program("plain_stripped"));
    const auto functions = functions_by_nm(go_program("plain"));
    const std::uint64_t caller = functions.at("main.callsInlined"), callee = functions.at("runtime.mapaccess1_faststr");
    for (const Disassembled& one : disassembly(go_program("plain"), caller, caller + 200)) {
        if (one.mnemonic != "call" || std::stoull(one.operands, nullptr, 16) != callee) continue;
        const auto line = binary.line_of(one.address);
        ASSERT_TRUE(line);
        EXPECT_EQ(line->function, "main.countOf");
        EXPECT_THAT(line->file, testing::EndsWith("/programs/maps.go"));
        EXPECT_EQ(line->line, line_marked("inlined"));
        return;
    }
    FAIL() << "main.callsInlined makes no look-up";
}

TEST(GoBinaryFile, AnAddressOutsideOfTheTextHasNoLine) {
    const GoBinary binary = read_program(go_program("plain"));
    for (const std::uint64_t address : {std::uint64_t{0}, binary.types(), ~std::uint64_t{0}})
        EXPECT_FALSE(binary.line_of(address)) << address;
    EXPECT_FALSE(binary.file_offset(~std::uint64_t{0}));
}

TEST(GoBinaryFile, ProgramsOfOtherLanguagesAreNone) {
    for (const std::string path : {"/proc/self/exe", MAPAUDIT_TEST_DATA "/programs/maps.go", "/dev/null"}) {
        const auto binary = GoBinary::read(path);
        ASSERT_TRUE(binary) << binary.error().line();
        EXPECT_FALSE(*binary) << path;
    }
}

TEST(GoBinaryFile, AFileThatIsNotThereIsAnError) {
    const auto binary = GoBinary::read("/nonexistent/program");
    ASSERT_FALSE(binary);
    EXPECT_THAT(binary.error().line(), testing::HasSubstr("/nonexistent/program: No such file"));
}

// Without symbols: a function ends with its way back from a larger stack to its entry, or where padding begins.
std::vector<Disassembled> code_to_its_end(const std::string& program, const GoFunction& function) {
    std::vector<Disassembled> code = disassembly(program, function.entry, function.entry + 16384);
    const std::string back = fmt::format("{:#x}", function.entry);
    const auto last = std::find_if(code.begin(), code.end(), [&](const Disassembled& one) {
        return one.mnemonic == "int3" || (one.mnemonic == "jmp" && one.operands == back);
    });
    EXPECT_NE(last, code.end()) << function.name;
    code.erase(last, code.end());
    return code;
}

// Programs of other versions of Go, stripped, where scripts/go_samples.sh could fetch them.
TEST(GoSamples, AreReadAsDisassembled) {
    if (!std::filesystem::exists(GO_SAMPLES))
        GTEST_SKIP() << "no Go programs of other versions: scripts/go_samples.sh " GO_SAMPLES " fetches some";
    bool swiss = false;
    for (const auto& file : std::filesystem::directory_iterator(GO_SAMPLES)) {
        SCOPED_TRACE(file.path().string());
        const int minor = std::atoi(file.path().filename().c_str() + std::string("go1.").size());
        ASSERT_GT(minor, 0);
        const GoBinary binary = read_program(file.path());
        EXPECT_EQ(binary.design(), minor < 24 ? GoMapDesign::classic : GoMapDesign::swiss);
        swiss = swiss || binary.design() == GoMapDesign::swiss;
        EXPECT_EQ(binary.goid_offset(), minor == 23 || minor == 24 ? 160u : 152u);
        if (!binary.version().empty()) {
            EXPECT_TRUE(binary.version().starts_with("go1." + std::to_string(minor)));
        }
        EXPECT_THAT(binary.refused(), testing::IsEmpty());
        EXPECT_GE(binary.functions().size(), 15u);
        for (const GoFunction& function : binary.functions()) {
            expect_as_disassembled(binary, function, code_to_its_end(file.path(), function));
            const auto line = binary.line_of(function.entry);
            ASSERT_TRUE(line) << function.name;
            EXPECT_EQ(line->function, function.name);
            EXPECT_THAT(line->file, testing::MatchesRegex("(.*/)?(runtime|internal/runtime/maps)/[a-z0-9_]*\\.go"));
        }
    }
    EXPECT_TRUE(swiss) << "no program with Swiss maps is among them";
}

}  // namespace
}  // namespace mapaudit::sources
