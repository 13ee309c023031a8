// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_events.hpp"

#include <algorithm>

namespace mapaudit::sources {
namespace {

// The event as what its type says it is; null where that is longer than what is there.
template <class Event>
const Event* as(const wire_event& event, std::size_t bytes) {
    return bytes >= sizeof(Event) ? reinterpret_cast<const Event*>(&event) : nullptr;
}

}  // namespace

void dispatch(const wire_event& event, std::size_t bytes, std::uint32_t domains, UsdtEventHandler& handler) {
    if (bytes < sizeof event || event.domain >= domains) return;
    switch (event.type) {
        case WIRE_EVENT_SPILL:
            if (const auto* spill = as<wire_spill>(event, bytes))
                handler.on_spill(event, {spill->records, std::min<std::size_t>(spill->count, MAPAUDIT_BATCH)});
            break;
        case WIRE_EVENT_GROW:
            if (const auto* grow = as<wire_grow>(event, bytes)) handler.on_grow(*grow);
            break;
        case WIRE_EVENT_CONFLICT:
            if (const auto* conflict = as<wire_conflict>(event, bytes)) handler.on_conflict(*conflict);
            break;
        case WIRE_EVENT_STACK:
            if (const auto* stack = as<wire_stack>(event, bytes)) handler.on_stack(*stack);
            break;
        case WIRE_EVENT_CREATE:
            if (const auto* create = as<wire_create>(event, bytes)) handler.on_create(*create);
            break;
        case WIRE_EVENT_DESTROY:
            if (const auto* destroy = as<wire_destroy>(event, bytes)) handler.on_destroy(*destroy);
            break;
        default: break;
    }
}

}  // namespace mapaudit::sources
