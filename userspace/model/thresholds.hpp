// SPDX-License-Identifier: Apache-2.0
//
// What is worth telling: below these figures, what was seen is no reason to change a program. Advice and the headline
// share them, so that neither calls well what the other calls trouble.
#pragma once

#include <cstdint>

namespace mapaudit::model {

inline constexpr double wait_share_worth_telling = 0.10;  // of the operations' time
inline constexpr std::uint64_t waits_worth_telling = 20;

}  // namespace mapaudit::model
