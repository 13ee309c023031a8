// SPDX-License-Identifier: Apache-2.0
//
// What the eBPF program tells event by event, told apart by type and checked for length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire.h"

namespace mapaudit::sources {

class UsdtEventHandler {
public:
    virtual ~UsdtEventHandler() = default;
    // Records of a batch that the kernel handed over whole: all of one CPU, which the event names.
    virtual void on_spill(const wire_event& event, std::span<const mapaudit_record> records) = 0;
    virtual void on_grow(const wire_grow& grow) = 0;
    virtual void on_conflict(const wire_conflict& conflict) = 0;
    virtual void on_stack(const wire_stack& stack) = 0;
    virtual void on_create(const wire_create& create) = 0;
    virtual void on_destroy(const wire_destroy& destroy) = 0;
};

// Hands `event`, of which `bytes` bytes are there, to the function for its type. Left alone are events of other types,
// ones too short for theirs, and those of a domain not below `domains`. A spill's records are MAPAUDIT_BATCH at most,
// whatever it says.
void dispatch(const wire_event& event, std::size_t bytes, std::uint32_t domains, UsdtEventHandler& handler);

}  // namespace mapaudit::sources
