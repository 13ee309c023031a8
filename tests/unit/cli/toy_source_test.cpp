// SPDX-License-Identifier: Apache-2.0
//
// A source that no output has heard of, seen in every output; and two of its maps that differ in nothing but the
// domain that their ids are from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "collect/audit_session.hpp"
#include "output/csv_recording.hpp"
#include "output/csv_sink.hpp"
#include "output/evidence_text.hpp"
#include "output/folded.hpp"
#include "output/layout.hpp"
#include "output/report_page.hpp"
#include "output/rows.hpp"
#include "output/summary.hpp"
#include "support/csv.hpp"
#include "unit/output/files.hpp"

namespace mapaudit {
namespace {

using testing::HasSubstr;

constexpr std::array<std::string_view, 1> toy_library{"toy_"};
constexpr model::SourceTraits toy_traits{.name = "toy",
                                         .thread = "fiber",
                                         .absent_thread = "a fiber that had ended",
                                         .lock_advice = "give it to one fiber",
                                         .size_hint = "toy_reserve()",
                                         .library = toy_library};

constexpr std::uint32_t the_id = 3;
constexpr std::uint64_t calls[] = {1009, 2003};  // by domain

model::Stack stack_in(const char* function) {
    model::Frame library, caller;
    library.function = "toy_assign";
    caller.function = function;
    return {{library, caller}, {}};
}

// Two maps of one id, name and kind, in two domains of this process.
class ToySource final : public sources::Source {
public:
    const model::SourceTraits& traits() const override { return toy_traits; }
    void collect(model::Aggregator& aggregator) override {
        for (std::uint32_t domain = 0; domain < std::size(calls) && !told_; ++domain) {
            model::MapInfo info;
            info.source = &toy_traits;
            info.name = "twins";
            info.kind = "toy_map";
            info.checked = true;
            info.size = info.buckets = calls[domain];
            aggregator.describe(id(domain), info);
            model::Counts counts;
            counts.calls = calls[domain];
            counts.conflicts = domain + 1;
            counts.latency.add(100, calls[domain]);
            counts.latency_sum = 100 * calls[domain];
            aggregator.add({id(domain), model::Op::assign, 0, 0}, counts);
            model::Counts grown;
            grown.calls = grown.grows = 7 + domain;
            aggregator.add({id(domain), model::Op::grow, 0, 0}, grown);
            model::OpBlame blame;
            blame.samples[WIRE_PHASE_WORK] = 10 + domain;
            aggregator.blame().add(id(domain), MAPAUDIT_OP_ASSIGN, blame);
        }
        if (!told_) {
            aggregator.blame().set_able({"cpu-clock", false, {}});
            model::ProcessBlame process;
            process.pid = ::getpid();
            process.samples = 21;
            aggregator.blame().add(process);
        }
        told_ = true;
    }
    void detach(model::Aggregator&) override {}
    model::Ledger ledger() const override { return {calls[0] + calls[1], calls[0] + calls[1], {}}; }
    sources::Level level() const override { return sources::Level::full; }
    model::Activity activity() const override { return {}; }
    std::vector<model::Evidence> evidence() override {
        std::vector<model::Evidence> rows;
        for (std::uint32_t domain = 0; domain < std::size(calls); ++domain) {
            model::Evidence row;
            row.kind = model::EvidenceKind::racing;
            row.map = model::MapDescription{.id = id(domain)};
            row.detail = MAPAUDIT_CONFLICT_WRITE_WRITE;
            row.count = domain + 1;
            row.tid = 71 + domain;
            row.stack = stack_in(domain == 0 ? "first_writer" : "second_writer");
            rows.push_back(row);
            row.kind = model::EvidenceKind::waiting;
            row.detail = MAPAUDIT_OP_ASSIGN;
            row.total_ns = row.max_ns = 1000 * (domain + 1);
            row.other_stack = row.stack;
            rows.push_back(row);
        }
        return rows;
    }
    std::uint64_t kernel_bytes() const override { return 0; }
    int urgent_fd() const override { return -1; }

private:
    static model::MapId id(std::uint32_t domain) { return {::getpid(), domain, the_id}; }
    bool told_ = false;
};

class ToySourceIn : public testing::Test {
protected:
    ToySourceIn() {
        auto process = Process::open(::getpid());
        EXPECT_TRUE(process) << process.error().line();
        std::vector<std::unique_ptr<sources::Source>> sources;
        sources.push_back(std::make_unique<ToySource>());
        collect::Session session({&*process}, std::move(sources), {});
        interval_ = session.finish();
        total_ = session.total();
    }
    std::string csv() {
        const std::string path = folder_ / "toy.csv";
        auto sink = output::CsvSink::make(path);
        EXPECT_TRUE(sink && (*sink)->write(interval_) && (*sink)->write(total_));
        return output::content_of(path);
    }

    output::TempFolder folder_;
    model::Report interval_, total_;
};

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++count;
    return count;
}

// As an audit that was killed leaves it.
std::string without_totals(const std::string& csv) {
    std::istringstream lines(csv);
    std::string left, line;
    while (std::getline(lines, line))
        if (line.find(",total,") == std::string::npos) left += line + '\n';
    return left;
}

TEST_F(ToySourceIn, the_csv_with_a_number_for_each_map) {
    const auto rows = test::rows_of(test::parse_csv(csv()), "total");
    std::vector<std::pair<std::string, std::string>> assigns;
    for (const auto& row : rows) {
        EXPECT_EQ(row.at("source"), "toy");
        if (row.at("op") == "assign") assigns.emplace_back(row.at("map_id"), row.at("calls"));
    }
    EXPECT_EQ(assigns, (std::vector<std::pair<std::string, std::string>>{{"3", "1009"}, {"4294967299", "2003"}}));
}

TEST_F(ToySourceIn, the_rows_and_the_screen) {
    const output::MemoryFile file;
    output::RowStream rows(output::OutputFile::lent(file.fd(), "rows"), {});
    ASSERT_TRUE(rows.write(interval_));
    EXPECT_EQ(count_of(file.content(), "twins(toy_map)"), 4u);
    output::View top;
    top.top = 1;
    EXPECT_EQ(output::select_rows(interval_.rows, top).size(), 2u) << "the first map's two rows, and no other's";
    const output::Frame frame = output::layout(interval_, {}, {}, 160, 30);
    std::size_t lines = 0;
    for (const output::Line& line : frame.lines) lines += count_of(line.text, "twins(toy_map)");
    EXPECT_EQ(lines, 4u);
}

TEST_F(ToySourceIn, the_summary_in_its_own_words) {
    const std::string text = output::summary_text(total_, {});
    for (const char* const line :
         {"twins(toy_map): observed 1 time (1009 operations)", "twins(toy_map): observed 2 times (2003 operations)",
          "fiber 71 in first_writer", "fiber 72 in second_writer", "a fiber that had ended in",
          "twins(toy_map) grew 7 times", "twins(toy_map) grew 8 times",
          "was observed 1 time in 1009 operations; give it to one fiber",
          "was observed 2 times in 2003 operations; give it to one fiber", "47.6", "52.4"})
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_EQ(count_of(text, "twins(toy_map) assign: "), 2u) << "waits" << text;
}

TEST_F(ToySourceIn, the_folded_stacks) {
    const std::string text = output::folded_text(output::folded_evidence(total_, {}));
    EXPECT_THAT(text, HasSubstr("twins(toy_map);wait;first_writer;toy_assign 1000\n"));
    EXPECT_THAT(text, HasSubstr("twins(toy_map);wait;second_writer;toy_assign 2000\n"));
}

TEST_F(ToySourceIn, the_report_drawn_from_its_csv) {
    for (const bool with_totals : {true, false}) {
        const std::string text = with_totals ? csv() : without_totals(csv());
        const auto recording = output::read_recording(text, "toy.csv");
        ASSERT_TRUE(recording) << recording.error().line();
        std::vector<std::uint64_t> assigns;
        for (const model::Row& row : recording->totals)
            if (row.op == model::Op::assign) assigns.push_back(row.calls);
        EXPECT_EQ(assigns, (std::vector<std::uint64_t>{1009, 2003})) << with_totals;
        EXPECT_EQ(recording->totals.front().map->source->name, "toy");
        const std::string page = output::report_page(*recording, "toy.csv", {});
        EXPECT_EQ(count_of(output::growth_html(*recording), "twins(toy_map)"), 2u);
        EXPECT_EQ(count_of(output::conflicts_html(*recording), "twins(toy_map)"), 2u);
        EXPECT_THAT(output::charts_html(*recording), HasSubstr("twins(toy_map) assign"));
        EXPECT_THAT(page, HasSubstr("twins(toy_map)"));
    }
}

}  // namespace
}  // namespace mapaudit
