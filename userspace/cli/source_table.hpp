// SPDX-License-Identifier: Apache-2.0
//
// All sources there are, a line each in source_table.cpp: what --source takes, what attaches, what is listed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sources/source_kind.hpp"
#include "util/process.hpp"
#include "util/result.hpp"

namespace mapaudit::cli {

using SourceKinds = std::span<const sources::SourceKind* const>;

SourceKinds source_kinds();

// --source: every source that finds something.
inline constexpr std::string_view every_source = "auto";
// What --source takes: that, and the names.
std::vector<std::string> source_choices(SourceKinds kinds);
// "usdt (programs linked with mapaudit_target), …, auto (every one that finds something)"
std::string source_help(SourceKinds kinds);
// Those that a choice means.
std::vector<const sources::SourceKind*> chosen_sources(SourceKinds kinds, std::string_view choice);

// None of `looked` finds anything in the process: each says why, and what would change that.
Error nothing_to_audit(const Process& process, SourceKinds looked);

}  // namespace mapaudit::cli
