// SPDX-License-Identifier: Apache-2.0
#include "output/csv_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "output/csv_text.hpp"
#include "output/format.hpp"

namespace mapaudit::output {
namespace {

constexpr std::array<std::string_view, 4> needed{"scope", "map_name", "op", "calls"};

using Columns = std::map<std::string, std::size_t, std::less<>>;

// The fields of one record by their columns' names. The first that is not what it should be is remembered.
class Fields {
public:
    Fields(const Columns& columns, const CsvRecord& record) : columns_(columns), record_(record) {}

    std::string_view text(std::string_view column) const {
        const auto found = columns_.find(column);
        return found == columns_.end() ? std::string_view() : std::string_view(record_.fields[found->second]);
    }
    std::optional<double> number(std::string_view column) {
        const std::string_view field = text(column);
        double value = 0;
        if (field.empty()) return {};
        const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
        if (error == std::errc() && end == field.data() + field.size() && std::isfinite(value) && value >= 0)
            return value;
        if (wrong_.empty()) wrong_ = fmt::format("'{}' in column {} is no number", escape(field), column);
        return {};
    }
    // Counts are exact: not by way of a double.
    std::optional<std::uint64_t> integer(std::string_view column) {
        const std::string_view field = text(column);
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
        if (!field.empty() && error == std::errc() && end == field.data() + field.size()) return value;
        const std::optional<double> rounded = number(column);
        return rounded && *rounded < 1.8e19 ? std::optional(static_cast<std::uint64_t>(*rounded)) : std::nullopt;
    }
    const std::string& wrong() const { return wrong_; }

private:
    const Columns& columns_;
    const CsvRecord& record_;
    std::string wrong_;
};

// The maps of a file, one description for all rows of each.
class Maps {
public:
    explicit Maps(std::map<std::string, model::SourceTraits>& sources) : sources_(sources) {}

    model::MapRef of(Fields& fields) {
        const int pid = static_cast<int>(fields.integer("pid").value_or(0));
        const std::uint64_t number = fields.integer("map_id").value_or(0);
        model::MapRef& map = maps_[{pid, number, std::string(fields.text("map_name"))}];
        const std::string_view kind = fields.text("map_kind"), source = fields.text("source");
        if (map->kind == kind && map->source->name == source && map->id.pid == pid) return map;
        const auto [entry, made] = sources_.try_emplace(std::string(source));
        if (made) entry->second.name = entry->first;
        map = model::MapDescription{
            .id = {pid, static_cast<std::uint32_t>(number >> 32), static_cast<std::uint32_t>(number)},
            .number = number,
            .source = &entry->second,
            .name = std::string(fields.text("map_name")),
            .kind = std::string(kind)};
        return map;
    }

private:
    std::map<std::string, model::SourceTraits>& sources_;
    std::map<std::tuple<int, std::uint64_t, std::string>, model::MapRef> maps_;
};

model::Row row_of(Fields& fields) {
    model::Row row;
    row.calls = fields.integer("calls").value_or(0);
    row.calls_per_s = fields.number("calls_per_s").value_or(0);
    row.p50_ns = fields.number("p50_ns");
    row.p90_ns = fields.number("p90_ns");
    row.p99_ns = fields.number("p99_ns");
    row.p999_ns = fields.number("p999_ns");
    row.max_ns = fields.number("max_ns");
    row.mean_ns = fields.number("mean_ns");
    row.waits = fields.integer("waits").value_or(0);
    row.wait_p99_ns = fields.number("wait_p99_ns");
    row.wait_total_ns = fields.number("wait_total_ns").value_or(0);
    row.conflicts = fields.integer("conflicts").value_or(0);
    row.migrations = fields.integer("migrations").value_or(0);
    row.size = fields.integer("size");
    row.buckets = fields.integer("buckets");
    row.load_factor = fields.number("load_factor");
    row.grows = fields.integer("grows").value_or(0);
    row.buckets_per_s = fields.number("buckets_per_s").value_or(0);
    row.weight = fields.number("weight").value_or(1);
    row.estimated = fields.integer("estimated").value_or(0) != 0;
    row.lost = fields.integer("lost").value_or(0);
    return row;
}

bool for_all(const Fields& fields) {
    const auto all = [](std::string_view field) { return field.empty() || field == "all"; };
    return all(fields.text("cpu")) && all(fields.text("tid"));
}

// For an audit that did not come to write its totals: what adds up is added up, the last figures stand.
std::vector<model::Row> summed_up(const std::vector<RecordedRow>& intervals, double seconds) {
    std::map<std::tuple<model::MapId, std::string, model::Op>, model::Row> sums;
    for (const RecordedRow& recorded : intervals) {
        const model::Row& row = recorded.row;
        const auto [slot, is_new] = sums.try_emplace({row.map->id, row.map->name, row.op}, row);
        model::Row& sum = slot->second;
        sum.p50_ns = sum.p90_ns = sum.p99_ns = sum.p999_ns = sum.mean_ns = sum.wait_p99_ns = std::nullopt;
        if (!is_new) {
            sum.calls += row.calls;
            sum.waits += row.waits;
            sum.wait_total_ns += row.wait_total_ns;
            sum.conflicts += row.conflicts;
            sum.migrations += row.migrations;
            sum.grows += row.grows;
            sum.lost += row.lost;
            sum.max_ns = std::max(sum.max_ns, row.max_ns);
            sum.size = row.size;
            sum.buckets = row.buckets;
            sum.load_factor = row.load_factor;
        }
        sum.calls_per_s = seconds > 0 ? static_cast<double>(sum.calls) / seconds : 0;
    }
    std::vector<model::Row> totals;
    for (auto& [key, sum] : sums) totals.push_back(std::move(sum));
    return totals;
}

Error damaged(const std::string& name, std::size_t line, const std::string& why) {
    return Error::of(Failure::failed, fmt::format("{} line {}: {}", escape(name), line, why),
                     "the file is damaged or was cut");
}

Result<Columns> columns_of(const CsvRecord& header, const std::string& name) {
    Columns columns;
    for (std::size_t i = 0; i < header.fields.size(); ++i) columns.try_emplace(header.fields[i], i);
    for (const std::string_view column : needed)
        if (!columns.contains(column))
            return Error::of(Failure::failed,
                             fmt::format("{} line {}: the header has no column {}", escape(name), header.line, column),
                             "give a file that --csv wrote");
    return columns;
}

}  // namespace

bool looks_like_recording(std::string_view text) {
    const auto header = csv_records(text.substr(0, text.find('\n')), "");
    if (!header || header->empty()) return false;
    const auto& fields = header->front().fields;
    return std::all_of(needed.begin(), needed.end(), [&](std::string_view column) {
        return std::find(fields.begin(), fields.end(), column) != fields.end();
    });
}

Result<Recording> read_recording(std::string_view text, const std::string& name) {
    auto records = csv_records(text, name);
    if (!records) return records.error();
    if (records->empty()) return Error::of(Failure::failed, escape(name) + " is empty", "give a file that --csv wrote");
    auto columns = columns_of(records->front(), name);
    if (!columns) return columns.error();
    Recording recording;
    Maps maps(*recording.sources);
    int pid = 0;
    for (std::size_t i = 1; i < records->size(); ++i) {
        const CsvRecord& record = (*records)[i];
        if (record.fields.size() != records->front().fields.size())
            return damaged(
                name, record.line,
                fmt::format("{} of the header's {} fields", record.fields.size(), records->front().fields.size()));
        Fields fields(*columns, record);
        RecordedRow recorded{fields.number("elapsed_s").value_or(0), row_of(fields)};
        recorded.row.map = maps.of(fields);
        if (!fields.wrong().empty()) return damaged(name, record.line, fields.wrong());
        if (recording.begin.empty()) recording.begin = fields.text("time");
        recording.end = fields.text("time");
        recording.seconds = std::max(recording.seconds, recorded.elapsed_s);
        if (i > 1 && recorded.row.pid() != pid) recording.many_pids = true;
        pid = recorded.row.pid();
        const auto op = model::op_named(fields.text("op"));
        if (!for_all(fields) || !op) continue;  // an operation of a newer version
        recorded.row.op = *op;
        const std::string_view scope = fields.text("scope");
        if (scope == "total")
            recording.totals.push_back(std::move(recorded.row));
        else if (scope == "interval")
            recording.intervals.push_back(std::move(recorded));
        else
            return damaged(name, record.line, fmt::format("'{}' is no scope", escape(scope)));
    }
    recording.ended = !recording.totals.empty();
    if (!recording.ended) recording.totals = summed_up(recording.intervals, recording.seconds);
    return recording;
}

}  // namespace mapaudit::output
