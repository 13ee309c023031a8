// SPDX-License-Identifier: Apache-2.0
//
// RFC 4180 text as records of fields. LF and CRLF line ends, a byte order mark, and blank lines are taken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.hpp"

namespace mapaudit::output {

struct CsvRecord {
    std::size_t line = 0;  // that it begins on, from 1
    std::vector<std::string> fields;
};

// Fails on a quote that nothing closes; `name` is the file's, for the message.
Result<std::vector<CsvRecord>> csv_records(std::string_view text, const std::string& name);

}  // namespace mapaudit::output
