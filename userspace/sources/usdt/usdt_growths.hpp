// SPDX-License-Identifier: Apache-2.0
//
// Growths one by one, in the order in which they happened.
#pragma once

#include <vector>

#include "sources/grow_event.hpp"

namespace mapaudit::sources {

// The probe fires after the growth's critical section, so that one thread's event may overtake another's: their numbers
// put those of one table back in order, in the places that they came in.
void put_in_order(std::vector<GrowEvent>& growths);

}  // namespace mapaudit::sources
