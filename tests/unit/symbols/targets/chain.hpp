// SPDX-License-Identifier: Apache-2.0
#pragma once

extern "C" int run_shop(int customer);
