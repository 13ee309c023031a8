// SPDX-License-Identifier: Apache-2.0
#include "output/csv_text.hpp"

#include <utility>

#include "output/format.hpp"

namespace mapaudit::output {
namespace {

class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {
        if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    }
    bool done() const { return rest_.empty(); }
    std::size_t line() const { return line_; }

    // One record; false when a quote stays open.
    bool record(CsvRecord& record) {
        record.line = line_;
        for (;;) {
            std::string field;
            if (rest_.starts_with('"') && !quoted(field)) return false;
            const std::size_t end = rest_.find_first_of(",\n");
            field += rest_.substr(0, end);
            rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
            const bool more = rest_.starts_with(',');
            if (!more && field.ends_with('\r')) field.pop_back();
            record.fields.push_back(std::move(field));
            if (!rest_.empty()) rest_.remove_prefix(1);
            if (more) continue;
            ++line_;
            return true;
        }
    }

private:
    bool quoted(std::string& field) {
        rest_.remove_prefix(1);
        for (;;) {
            const std::size_t end = rest_.find('"');
            if (end == std::string_view::npos) return false;
            for (const char c : rest_.substr(0, end)) line_ += c == '\n';
            field += rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            if (!rest_.starts_with('"')) return true;
            field += '"';
            rest_.remove_prefix(1);
        }
    }
    std::string_view rest_;
    std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRecord>> csv_records(std::string_view text, const std::string& name) {
    std::vector<CsvRecord> records;
    Scanner scanner(text);
    while (!scanner.done()) {
        CsvRecord record;
        if (!scanner.record(record))
            return Error::of(Failure::failed,
                             escape(name) + " line " + std::to_string(record.line) + ": a quote is never closed",
                             "the file is damaged or was cut");
        if (record.fields.size() > 1 || !record.fields[0].empty()) records.push_back(std::move(record));
    }
    return records;
}

}  // namespace mapaudit::output
