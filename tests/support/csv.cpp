// SPDX-License-Identifier: Apache-2.0
#include "support/csv.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace mapaudit::test {
namespace {

std::vector<std::vector<std::string>> fields_of(const std::string& text) {
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> line;
    std::string field;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c != '"') {
                field += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                field += text[++i];
            } else {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',' || c == '\n') {
            line.push_back(std::exchange(field, {}));
            if (c == '\n') lines.push_back(std::exchange(line, {}));
        } else {
            field += c;
        }
    }
    if (!field.empty() || !line.empty()) throw std::runtime_error("the CSV does not end with a line break");
    return lines;
}

}  // namespace

std::vector<CsvRow> parse_csv(const std::string& text) {
    const auto lines = fields_of(text);
    std::vector<CsvRow> rows;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].size() != lines[0].size())
            throw std::runtime_error("row " + std::to_string(i) + " has another number of fields than the header");
        CsvRow row;
        for (std::size_t column = 0; column < lines[0].size(); ++column) row[lines[0][column]] = lines[i][column];
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<CsvRow> read_csv(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return parse_csv(text.str());
}

std::vector<CsvRow> rows_of(const std::vector<CsvRow>& rows, const std::string& scope) {
    std::vector<CsvRow> found;
    for (const CsvRow& row : rows)
        if (row.at("scope") == scope && row.at("cpu") == "all" && row.at("tid") == "all") found.push_back(row);
    return found;
}

std::uint64_t waits_in(const std::vector<CsvRow>& rows) {
    std::uint64_t waits = 0;
    for (const CsvRow& row : rows_of(rows, "total"))
        if (!row.at("waits").empty()) waits += std::stoull(row.at("waits"));
    return waits;
}

}  // namespace mapaudit::test
