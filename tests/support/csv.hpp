// SPDX-License-Identifier: Apache-2.0
//
// Reads the auditor's CSV back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mapaudit::test {

// One row, by column name.
using CsvRow = std::map<std::string, std::string>;

// RFC 4180: quoted fields, doubled quotes, line breaks inside them. Throws std::runtime_error on a row whose number of
// fields is not the header's.
std::vector<CsvRow> parse_csv(const std::string& text);
std::vector<CsvRow> read_csv(const std::string& path);

// The rows of one scope that stand for all CPUs and threads.
std::vector<CsvRow> rows_of(const std::vector<CsvRow>& rows, const std::string& scope);

// Waits for locks, in the `total` rows.
std::uint64_t waits_in(const std::vector<CsvRow>& rows);

}  // namespace mapaudit::test
