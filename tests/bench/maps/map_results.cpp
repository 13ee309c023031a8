// SPDX-License-Identifier: Apache-2.0
#include "maps/map_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "results.hpp"

namespace mapaudit::bench {
namespace {

bool same_group(const Point& a, const Point& b) {
    return a.kind == b.kind && a.keys == b.keys && a.distribution == b.distribution && a.threads == b.threads;
}

double millions(double ops_per_s) { return ops_per_s / 1e6; }

// Half the distance from the least to the most, of the median.
double spread_percent(const MapFigure& figure) { return 50 * (figure.most() - figure.least()) / figure.median(); }

std::vector<std::vector<Point>> groups_of(const MapOutcome& outcome) {
    std::vector<std::vector<Point>> groups;
    for (const Point& point : outcome.points()) {
        if (groups.empty() || !same_group(groups.back().front(), point)) groups.emplace_back();
        groups.back().push_back(point);
    }
    return groups;
}

std::vector<std::string> maps_of(const MapOutcome& outcome, const std::vector<Point>& group) {
    std::vector<std::string> maps;
    for (const MapFigure& figure : outcome.figures)
        if (same_group(figure.point, group.front()) && std::ranges::find(maps, figure.map) == maps.end())
            maps.push_back(figure.map);
    return maps;
}

// Where the repetitions of two overlap, neither has won.
bool apart(const MapFigure& a, const MapFigure& b) { return a.least() > b.most() || b.least() > a.most(); }

// The worst of the points that `applies` to, as a goal's line.
struct WorstRatio {
    double ratio = 0;
    std::string where;
    bool any = false;
    unsigned points = 0, met = 0;

    void add(double by, double limit, const std::string& at) {
        if (!any || by < ratio) {
            ratio = by;
            where = at;
        }
        any = true;
        ++points;
        met += by >= limit;
    }
    void print(std::ostream& out, const std::string& what, double limit) const {
        if (!any) {
            out << fmt::format("  -      {}: not measured here\n", what);
            return;
        }
        out << fmt::format("  {:<6} {}: on {} of {} loads, the worst {:.2f} times (goal: at least {:.2f}) with {}\n",
                           met == points ? "met" : "MISSED", what, met, points, ratio, limit, where);
    }
};

std::string where(const Point& point) { return fmt::format("{}, {} % reads", group_label(point), point.read_percent); }

// The ratio of `map` to `other`, on the points that `applies` to.
template <class Applies>
void print_goal(std::ostream& out, const MapOutcome& outcome, const std::string& what, const std::string& map,
                const std::string& other, double limit, Applies applies) {
    WorstRatio worst;
    for (const Point& point : outcome.points()) {
        const MapFigure *mine = outcome.find(point, map), *theirs = outcome.find(point, other);
        if (mine != nullptr && theirs != nullptr && applies(point))
            worst.add(mine->median() / theirs->median(), limit, where(point));
    }
    worst.print(out, what, limit);
}

}  // namespace

double MapFigure::median() const { return median_of(ops_per_s); }
double MapFigure::least() const { return *std::ranges::min_element(ops_per_s); }
double MapFigure::most() const { return *std::ranges::max_element(ops_per_s); }

const MapFigure* MapOutcome::find(const Point& point, const std::string& map) const {
    for (const MapFigure& figure : figures)
        if (figure.point == point && figure.map == map) return &figure;
    return nullptr;
}

const MapFigure* MapOutcome::best(const Point& point, Side side) const {
    const MapFigure* quickest = nullptr;
    for (const MapFigure& figure : figures)
        if (figure.point == point && figure.side == side && figure.concurrent &&
            (quickest == nullptr || figure.median() > quickest->median()))
            quickest = &figure;
    return quickest;
}

std::vector<Point> MapOutcome::points() const {
    std::vector<Point> all;
    for (const MapFigure& figure : figures)
        if (std::ranges::find(all, figure.point) == all.end()) all.push_back(figure.point);
    return all;
}

void print_map_tables(std::ostream& out, const MapOutcome& outcome) {
    out << fmt::format("\nmachine: {}\nmillions of operations a second, over all threads (median, ± half the spread)\n",
                       outcome.machine);
    for (const auto& group : groups_of(outcome)) {
        out << fmt::format("\n{:<40}", group_label(group.front()));
        for (const Point& point : group) out << fmt::format("{:>17}", fmt::format("{} % reads", point.read_percent));
        out << '\n';
        for (const std::string& map : maps_of(outcome, group)) {
            out << fmt::format("{:<40}", map);
            for (const Point& point : group) {
                const MapFigure* figure = outcome.find(point, map);
                out << fmt::format("{:>17}", figure == nullptr
                                                 ? std::string("refused")
                                                 : fmt::format("{:.2f} ±{:>3.0f} %", millions(figure->median()),
                                                               spread_percent(*figure)));
            }
            out << '\n';
        }
    }
    if (!outcome.left_out.empty()) out << '\n';
    for (const std::string& line : outcome.left_out) out << "left out: " << line << '\n';
}

void print_winners(std::ostream& out, const MapOutcome& outcome) {
    out << fmt::format(
        "\nwho wins (of the maps that several threads may use; the ratio is ours to theirs)\n{:<42}{:>6}  {:<13}{:>7}",
        "load", "reads", "ours", "M/s");
    out << fmt::format("  {:<25}{:>7}{:>7}  {:<7}{:<27}{:>7}{:>7}\n", "others' concurrent maps", "M/s", "ratio", "wins",
                       "others' behind a mutex", "M/s", "ratio");
    for (const Point& point : outcome.points()) {
        const MapFigure *ours = outcome.best(point, Side::ours), *theirs = outcome.best(point, Side::theirs),
                        *plain = outcome.best(point, Side::plain);
        if (ours == nullptr || theirs == nullptr) continue;
        const double ratio = ours->median() / theirs->median();
        out << fmt::format("{:<42}{:>4} %  {:<13}{:>7.2f}  {:<25}{:>7.2f}{:>7.2f}  {:<7}", group_label(point),
                           point.read_percent, ours->map, millions(ours->median()), theirs->map,
                           millions(theirs->median()), ratio,
                           !apart(*ours, *theirs) ? "tie"
                           : ratio > 1            ? "ours"
                                                  : "theirs");
        if (plain != nullptr)
            out << fmt::format("{:<27}{:>7.2f}{:>7.2f}", plain->map, millions(plain->median()),
                               ours->median() / plain->median());
        out << '\n';
    }
}

void print_map_goals(std::ostream& out, const MapOutcome& outcome) {
    out << "\ngoals\n";
    const auto alone = [](const Point& point) { return point.threads == 1 && point.read_percent == 100; };
    print_goal(out, outcome, "go_map's look-ups beside absl::flat_hash_map's, one thread", "go_map",
               "absl::flat_hash_map", 1 / 1.3, alone);
    print_goal(out, outcome, "go_map's look-ups beside std::unordered_map's, one thread", "go_map",
               "std::unordered_map", 1.5, alone);
    WorstRatio reading, writing;
    for (const Point& point : outcome.points()) {
        const MapFigure* ours = outcome.best(point, Side::ours);
        if (ours == nullptr || point.threads < 2) continue;
        if (const MapFigure* other = outcome.best(point, Side::theirs); other != nullptr && point.read_percent >= 90)
            reading.add(ours->median() / other->median(), 1, where(point) + " (" + other->map + ")");
        if (const MapFigure* tbb = outcome.find(point, "tbb::concurrent_hash_map");
            tbb != nullptr && point.read_percent == 50)
            writing.add(ours->median() / tbb->median(), 1, where(point));
    }
    reading.print(
        out, "our quickest beside the quickest of tbb, libcds and liburcu, several threads, 90 % reads and more", 1);
    writing.print(out, "our quickest beside tbb::concurrent_hash_map, several threads, 50 % reads", 1);
}

void write_map_csv(std::ostream& out, const MapOutcome& outcome) {
    out << "keys,key_kind,distribution,threads,read_percent,map,ours,concurrent,repetitions,ops_per_s_median,"
           "ops_per_s_least,ops_per_s_most,ns_per_op,lookups,found,assigns,inserted,erases,erased,machine\n";
    for (const MapFigure& figure : outcome.figures) {
        const Point& point = figure.point;
        const Tally& tally = figure.tally;
        out << fmt::format("{},{},{},{},{},{},{},{},{},{:.0f},{:.0f},{:.0f},{:.3f},{},{},{},{},{},{},\"{}\"\n",
                           point.keys, point.kind == KeyKind::string ? "string" : "integer",
                           point.distribution == Distribution::zipf ? "zipf" : "uniform", point.threads,
                           point.read_percent, figure.map, figure.side == Side::ours ? 1 : 0, figure.concurrent ? 1 : 0,
                           figure.ops_per_s.size(), figure.median(), figure.least(), figure.most(),
                           1e9 / figure.median(), tally.lookups, tally.found, tally.assigns, tally.inserted,
                           tally.erases, tally.erased, outcome.machine);
    }
}

}  // namespace mapaudit::bench
