// SPDX-License-Identifier: Apache-2.0
#include "sources/source.hpp"

namespace mapaudit::sources {

Result<void> Source::set_level(Level level, model::Aggregator&) {
    if (level == this->level()) return {};
    return Error::of(Failure::failed,
                     "source " + std::string(name()) + " cannot change its level while it is attached");
}

}  // namespace mapaudit::sources
