// SPDX-License-Identifier: Apache-2.0
//
// Which sources of a table are attached, and what is said where none is.
#include "cli/attach_sources.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace mapaudit::cli {
namespace {

using testing::ElementsAre;

// What a kind finds in every process.
struct Finds {
    std::shared_ptr<const Error> refused;  // null: it is not
    bool something = false;
};

struct NamedSource final : sources::Source {
    explicit NamedSource(std::string_view name) : traits_{.name = name} {}
    const model::SourceTraits& traits() const override { return traits_; }
    void collect(model::Aggregator&) override {}
    void detach(model::Aggregator&) override {}
    model::Ledger ledger() const override { return {}; }
    sources::Level level() const override { return sources::Level::full; }
    model::Activity activity() const override { return {}; }
    std::uint64_t kernel_bytes() const override { return 0; }
    int urgent_fd() const override { return -1; }
    model::SourceTraits traits_;
};

struct Search final : sources::SourceSearch {
    Search(std::string_view name, const Finds& finds) : name_(name), finds_(finds) {}
    Result<bool> look(const Process&) override {
        if (finds_.refused) return *finds_.refused;
        return finds_.something;
    }
    Result<std::unique_ptr<sources::Source>> attach(const sources::SourceRequest&) override {
        return std::unique_ptr<sources::Source>(std::make_unique<NamedSource>(name_));
    }
    std::string_view name_;
    const Finds& finds_;
};

Finds red_finds, blue_finds, green_finds;
const sources::SourceKind red{
    "red",
    "red things",
    "it is not red",
    "paint it",
    +[]() -> std::unique_ptr<sources::SourceSearch> { return std::make_unique<Search>("red", red_finds); },
    nullptr};
const sources::SourceKind blue{
    "blue",
    "blue things",
    "it is not blue",
    "",
    +[]() -> std::unique_ptr<sources::SourceSearch> { return std::make_unique<Search>("blue", blue_finds); },
    nullptr};
const sources::SourceKind green{
    "green",
    "green things",
    "it is not green",
    "",
    +[]() -> std::unique_ptr<sources::SourceSearch> { return std::make_unique<Search>("green", green_finds); },
    nullptr};
constexpr const sources::SourceKind* kinds[] = {&red, &blue, &green};

class AttachSources : public testing::Test {
protected:
    AttachSources() { red_finds = blue_finds = green_finds = {}; }
    Result<Sources> attach(std::string_view choice) {
        sources::SourceRequest request;
        request.on_note = [this](const std::string& note) { notes_.push_back(note); };
        return attach_sources({&*process_}, kinds, choice, request);
    }
    std::vector<std::string> names(const Result<Sources>& attached) {
        std::vector<std::string> names;
        if (!attached) return {attached.error().line()};
        for (const auto& source : *attached) names.emplace_back(source->name());
        return names;
    }
    std::string nothing() const { return "nothing to audit in process " + std::to_string(::getpid()) + ": "; }

    Result<Process> process_ = Process::open(::getpid());
    std::vector<std::string> notes_;
};

TEST_F(AttachSources, all_that_find_something_in_the_order_of_the_table) {
    red_finds.something = green_finds.something = true;
    EXPECT_THAT(names(attach("auto")), ElementsAre("red", "green"));
    EXPECT_THAT(notes_, ElementsAre());
}

TEST_F(AttachSources, none_but_the_one_that_was_chosen) {
    red_finds.something = green_finds.something = true;
    EXPECT_THAT(names(attach("green")), ElementsAre("green"));
    EXPECT_EQ(attach("blue").error().line(),
              nothing() + "it is not blue (--source auto looks for everything that can be audited)");
}

TEST_F(AttachSources, each_says_why_where_none_finds_anything) {
    const auto refused = attach("auto");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::no_target);
    EXPECT_EQ(refused.error().line(), nothing() +
                                          "it is not red, it is not blue, and it is not green (paint it; "
                                          "`mapaudit list` shows what was found)");
}

TEST_F(AttachSources, what_cannot_be_audited_is_a_note_beside_what_can) {
    red_finds.refused = std::make_shared<const Error>(Error::of(Failure::not_permitted, "red is too bright"));
    EXPECT_EQ(attach("auto").error().kind, Failure::not_permitted);
    EXPECT_EQ(attach("auto").error().line(), "red is too bright");
    EXPECT_THAT(notes_, ElementsAre());
    blue_finds.something = true;
    EXPECT_THAT(names(attach("auto")), ElementsAre("blue"));
    EXPECT_THAT(notes_, ElementsAre("red is too bright"));
}

TEST(SourceTable, is_what_the_command_line_offers) {
    EXPECT_THAT(source_choices(kinds), ElementsAre("auto", "red", "blue", "green"));
    EXPECT_EQ(source_help(kinds),
              "red (red things), blue (blue things), green (green things), auto (every one that finds something)");
    EXPECT_THAT(source_choices(source_kinds()), ElementsAre("auto", "usdt", "go"));
    for (const sources::SourceKind* kind : source_kinds()) {
        EXPECT_NE(kind->search, nullptr) << kind->name;
        EXPECT_NE(kind->list, nullptr) << kind->name;
        EXPECT_NE(kind->absence, "") << kind->name;
    }
}

}  // namespace
}  // namespace mapaudit::cli
