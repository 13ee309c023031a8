// SPDX-License-Identifier: Apache-2.0
#include "model/headline.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "model/thresholds.hpp"

namespace mapaudit::model {
namespace {

// A share of fewer calls is chance.
constexpr std::uint64_t timed_calls_worth_telling = 20;
// Of the span: an operation may wait for all of its time, and if that is 1 ms a second, nobody misses it.
constexpr double lost_share_worth_telling = 0.01;
// Of the span: so much waiting is trouble, however few waits it was.
constexpr double waited_share_worth_telling = 0.25;
// "Most of the time".
constexpr double growth_share_in_headline = 0.50;
constexpr double holder_share_worth_naming = 0.50;

bool is_of(const Evidence& evidence, const Row& row) { return evidence.map->id == row.map->id; }

Finding about(const Row& row, FindingKind kind) {
    Finding finding;
    finding.kind = kind;
    finding.map = row.map;
    finding.op = row.op;
    return finding;
}

bool is_enough(const Row& row, double lost_ns, double seconds) {
    return row.timed >= timed_calls_worth_telling && lost_ns >= lost_share_worth_telling * seconds * 1e9;
}

std::optional<Finding> waiting_of(const Row& row, double seconds) {
    const double lost_ns = row.wait_total_ns, share = wait_share(row).value_or(0);
    if (!is_enough(row, lost_ns, seconds) || share < wait_share_worth_telling) return {};
    if (row.waits < waits_worth_telling && lost_ns < waited_share_worth_telling * seconds * 1e9) return {};
    Finding finding = about(row, FindingKind::waiting);
    finding.events = row.waits;
    finding.lost_ns = lost_ns;
    finding.share = share;
    return finding;
}

std::optional<Finding> growing_of(const Row& row, double seconds) {
    if (!row.mean_ns || row.op == Op::grow) return {};
    const double timed_ns = *row.mean_ns * static_cast<double>(row.timed);
    const double lost_ns = row.growth.total_ns * std::max(row.weight, 1.0);
    if (!is_enough(row, lost_ns, seconds) || row.growth.total_ns < growth_share_in_headline * timed_ns) return {};
    Finding finding = about(row, FindingKind::growing);
    finding.events = row.grows;
    finding.lost_ns = lost_ns;
    finding.share = std::min(row.growth.total_ns / timed_ns, 1.0);
    return finding;
}

// The conflicts of a map stand on several of its rows.
void add_conflicts(std::vector<std::pair<Finding, const Row*>>& findings, const Row& row) {
    if (row.conflicts_seen() == 0) return;
    auto known = std::find_if(findings.begin(), findings.end(), [&](const auto& found) {
        return found.first.kind == FindingKind::conflict && found.first.map->id == row.map->id;
    });
    if (known == findings.end()) known = findings.emplace(known, about(row, FindingKind::conflict), &row);
    known->first.events += row.conflicts_seen();
}

bool is_graver(const Finding& a, const Finding& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.kind == FindingKind::conflict ? a.events > b.events : a.lost_ns > b.lost_ns;
}

// The caller who held the lock for most of the time that the operation waited.
void name_holder(Finding& finding, const Row& row, const std::vector<Evidence>& evidence) {
    std::map<std::string, std::pair<const Frame*, double>> holders;
    double waited_ns = 0;
    for (const Evidence& wait : evidence) {
        if (wait.kind != EvidenceKind::waiting || op_of(wait.detail) != row.op || !is_of(wait, row)) continue;
        const auto ns = static_cast<double>(wait.total_ns);
        waited_ns += ns;
        const Frame* const frame = caller_of(wait.other_stack, *row.map->source);
        if (frame == nullptr) continue;
        auto& [where, held_ns] = holders[frame->function];
        where = frame;
        held_ns += ns;
    }
    for (const auto& [function, holder] : holders)
        if (holder.second > holder_share_worth_naming * waited_ns) finding.where = *holder.first;
}

void name_racers(Finding& finding, const Row& row, const std::vector<Evidence>& evidence) {
    const Evidence* most = nullptr;
    for (const Evidence& race : evidence)
        if (race.kind == EvidenceKind::racing && is_of(race, row) && (most == nullptr || race.count > most->count))
            most = &race;
    if (most == nullptr) return;
    if (const Frame* frame = caller_of(most->stack, *row.map->source); frame != nullptr) finding.where = *frame;
    if (const Frame* frame = caller_of(most->other_stack, *row.map->source); frame != nullptr) finding.other = *frame;
}

Grounds grounds_of(const Headline& headline) {
    if (headline.calls == 0) return Grounds::nothing;
    if (headline.timed == 0) return Grounds::untimed;
    return headline.timed < timed_calls_worth_telling ? Grounds::few : Grounds::enough;
}

}  // namespace

Headline headline_of(const std::vector<Row>& rows, const std::vector<Evidence>& evidence, double seconds,
                     const std::function<bool(const MapDescription&)>& wanted) {
    Headline headline;
    std::vector<std::pair<Finding, const Row*>> findings;
    for (const Row& row : rows) {
        if (!row.is_sum() || row.op == Op::none || !wanted(*row.map)) continue;
        if (row.op != Op::grow) {
            headline.calls += row.calls;
            headline.timed += row.timed;
        }
        add_conflicts(findings, row);
        if (auto waiting = waiting_of(row, seconds)) findings.emplace_back(std::move(*waiting), &row);
        if (auto growing = growing_of(row, seconds)) findings.emplace_back(std::move(*growing), &row);
    }
    headline.grounds = grounds_of(headline);
    if (findings.empty()) return headline;
    const auto gravest = std::min_element(findings.begin(), findings.end(),
                                          [](const auto& a, const auto& b) { return is_graver(a.first, b.first); });
    std::set<MapId> maps;
    for (const auto& [finding, row] : findings) maps.insert(finding.map->id);
    headline.other_maps = maps.size() - 1;
    headline.gravest = gravest->first;
    if (gravest->first.kind == FindingKind::waiting) name_holder(*headline.gravest, *gravest->second, evidence);
    if (gravest->first.kind == FindingKind::conflict) name_racers(*headline.gravest, *gravest->second, evidence);
    return headline;
}

}  // namespace mapaudit::model
