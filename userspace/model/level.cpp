// SPDX-License-Identifier: Apache-2.0
#include "model/level.hpp"

namespace mapaudit::model {

std::string_view level_name(Level level) {
    switch (level) {
        case Level::full: return "full";
        case Level::sampled: return "sampled";
        case Level::events: return "events";
    }
    return "";
}

}  // namespace mapaudit::model
