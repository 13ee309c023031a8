// SPDX-License-Identifier: Apache-2.0
//
// Answers of memcached's text protocol, appended to a string.
#pragma once

#include <string>
#include <string_view>

#include "item.hpp"
#include "statistics.hpp"
#include "store.hpp"

namespace kvd {

void append_line(std::string& out, std::string_view line);
// VALUE <key> <flags> <bytes> [<cas>], and the bytes.
void append_value(std::string& out, std::string_view key, const Item& item, bool with_cas);
// STAT <name> <value> lines and END.
void append_stats(std::string& out, const Statistics& statistics, const Store& store);
std::string_view version();

}  // namespace kvd
