// SPDX-License-Identifier: Apache-2.0
#include "output/csv_sink.hpp"

#include <fmt/format.h>

#include <string_view>

#include "output/format.hpp"

namespace mapaudit::output {

namespace {

constexpr std::string_view header =
    "time,elapsed_s,scope,pid,source,map_id,map_name,map_kind,op,cpu,tid,calls,calls_per_s,p50_ns,p90_ns,p99_ns,"
    "p999_ns,max_ns,mean_ns,waits,wait_p99_ns,wait_total_ns,conflicts,migrations,size,buckets,load_factor,grows,"
    "buckets_per_s,weight,estimated,lost\n";

constexpr int ns_decimals = 1, rate_decimals = 2, ratio_decimals = 4;

// Appends the fields of one row; next() stands before every field but the first.
class RowWriter {
public:
    explicit RowWriter(std::string& out) : out_(out) {}

    RowWriter& next() {
        out_ += ',';
        return *this;
    }
    void integer(std::uint64_t value) { append_number(out_, value); }
    void number(double value, int decimals) { append_number(out_, value, decimals); }
    void integer(const std::optional<std::uint64_t>& value) {
        if (value) integer(*value);
    }
    void number(const std::optional<double>& value, int decimals) {
        if (value) number(*value, decimals);
    }
    void one_or_all(const std::optional<std::uint32_t>& value) {
        if (value)
            integer(std::uint64_t{*value});
        else
            out_ += "all";
    }
    void text(std::string_view value) {
        if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
            out_ += value;
            return;
        }
        out_ += '"';
        for (const char c : value) {
            if (c == '"') out_ += '"';
            out_ += c;
        }
        out_ += '"';
    }
    // Text that the target chose. A spreadsheet would run a cell that begins like a formula.
    void untrusted(std::string_view value) {
        std::string safe = escape(value);
        if (!safe.empty() && std::string_view("=+-@").find(safe[0]) != std::string_view::npos)
            safe.replace(0, 1, fmt::format("\\x{:02x}", safe[0]));
        text(safe);
    }

private:
    std::string& out_;
};

// time, elapsed_s and scope are the same on all rows of a report.
std::string row_start(const model::Report& report) {
    return fmt::format("{},{:.3f},{},", rfc3339_ms(report.time), report.elapsed_s,
                       report.scope == model::Scope::interval ? "interval" : "total");
}

void append_identity(RowWriter& row, const model::Row& r) {
    row.integer(static_cast<std::uint64_t>(r.pid()));
    row.next().text(r.map->source->name);
    row.next().integer(r.map->number);
    // A row of what belongs to no map has a name of ours.
    if (r.op == model::Op::none)
        row.next().text(r.map->name);
    else
        row.next().untrusted(r.map->name);
    row.next().untrusted(r.map->kind);
    row.next().text(op_name(r.op));
    row.next().one_or_all(r.cpu);
    row.next().one_or_all(r.tid);
}

void append_figures(RowWriter& row, const model::Row& r) {
    row.next().integer(r.calls);
    row.next().number(r.calls_per_s, rate_decimals);
    for (const auto& ns : {r.p50_ns, r.p90_ns, r.p99_ns, r.p999_ns, r.max_ns, r.mean_ns})
        row.next().number(ns, ns_decimals);
    row.next().integer(r.waits);
    row.next().number(r.wait_p99_ns, ns_decimals);
    row.next().number(r.wait_total_ns, ns_decimals);
    row.next().integer(r.conflicts_seen());
    row.next().integer(r.migrations);
    row.next().integer(r.size);
    row.next().integer(r.buckets);
    row.next().number(r.load_factor, ratio_decimals);
    row.next().integer(r.grows);
    row.next().number(r.buckets_per_s, rate_decimals);
    row.next().number(r.weight, rate_decimals);
    row.next().integer(std::uint64_t{r.estimated});
    row.next().integer(r.lost);
}

}  // namespace

Result<std::unique_ptr<CsvSink>> CsvSink::make(const std::string& path) {
    Result<OutputFile> file = OutputFile::open(path);
    if (!file) return file.error();
    if (Result<void> written = file->write(header); !written) return written.error();
    return std::unique_ptr<CsvSink>(new CsvSink(*std::move(file)));
}

Result<void> CsvSink::write(const model::Report& report) {
    buffer_.clear();
    const std::string start = row_start(report);
    RowWriter row(buffer_);
    for (const model::Row& r : report.rows) {
        buffer_ += start;
        append_identity(row, r);
        append_figures(row, r);
        buffer_ += '\n';
    }
    return file_.write(buffer_);
}

}  // namespace mapaudit::output
