// SPDX-License-Identifier: Apache-2.0
//
// Rows and evidence of maps that tests make up.
#pragma once

#include <string>
#include <utility>

#include "model/map.hpp"

namespace mapaudit::test {

// Gives a row's map, which others may share, a description of its own: `change` edits it.
template <class About, class Change>
void redescribe(About& about, Change change) {
    model::MapDescription description = *about.map;
    change(description);
    about.map = std::move(description);
}

template <class About>
void rename(About& about, const std::string& name) {
    redescribe(about, [&](model::MapDescription& map) { map.name = name; });
}

}  // namespace mapaudit::test
