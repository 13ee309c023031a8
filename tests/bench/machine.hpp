// SPDX-License-Identifier: Apache-2.0
//
// A figure without its machine is no figure.
#pragma once

#include <string>

namespace mapaudit::bench {

std::string describe_machine();  // "model, N cores, M GiB, Linux R"

}  // namespace mapaudit::bench
