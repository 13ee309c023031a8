// SPDX-License-Identifier: Apache-2.0
//
// How a map announces what it does. The only place that emits probes; empty under MAPAUDIT_PROBES=OFF.
//
//   class my_map {
//       value* find(key k) {
//           return mapaudit::audit<mapaudit::op::lookup>(self_, [&](auto& running) { running.lock(mutex_); … });
//       }
//       mapaudit::map_handle self_{"my_map", "sessions", {.size = {&count_}, .buckets = {&bucket_count_}}};
//   };
//
// Unattached, `audit` is two instructions (one compare of four semaphores, one branch) before the body; the body is
// instantiated twice, once with an `untimed` object whose members compile to nothing or to a plain lock, and once,
// out of line, with a `timed` one. Bodies must leave their critical section before they return: what the probes
// report is captured inside it, and they fire after the body.
#ifndef MAPAUDIT_PROBES_H
#define MAPAUDIT_PROBES_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <mapaudit/probe_abi.h>
#include <mapaudit/detail/running.hpp>

namespace mapaudit {

// A counter inside a map that the auditor may read from outside at any time. The memory stays the map's.
struct live_field {
    const void* where = nullptr;
    std::uint16_t width = 8;  // bytes
    bool log2 = false;        // the stored value is an exponent of two
    live_field() = default;
    template <class T>
        requires std::is_unsigned_v<T> live_field(const T* counter, bool exponent = false)
            : where(counter), width(sizeof(T)), log2(exponent) {}
};

// Where a map's vital signs stand. For a map made of several tables: the first one's, `parts` of them, `stride` apart.
struct live_fields {
    live_field size{}, buckets{}, overflow{}, grows{};
    std::uint32_t parts = 1;
    std::size_t stride = 0;
    bool checked = false;  // the map looks for concurrent access that it does not allow
};

#ifdef MAPAUDIT_NO_PROBES

class map_handle {
public:
    map_handle(std::string_view, std::string_view, const live_fields&) noexcept {}
    map_handle(const map_handle&) = delete;
    map_handle& operator=(const map_handle&) = delete;
    std::uint32_t id() const noexcept { return 0; }
    std::uint64_t now() const noexcept { return 0; }
    void growing(bool) const noexcept {}
    bool conflicts_heard() const noexcept { return false; }
    void conflict(mapaudit_conflict, std::uint32_t, mapaudit_side = MAPAUDIT_SIDE_SECOND,
                  std::uint64_t = 0) const noexcept {}
    void snapshot(std::uint64_t, std::uint64_t) noexcept {}
};

template <op Op, class Body>
[[gnu::always_inline]] inline decltype(auto) audit(const map_handle&, Body body) {
    untimed running;
    return body(running);
}

inline bool anyone_listening() noexcept { return false; }
inline bool timing_every_operation() noexcept { return false; }
inline std::uint64_t handed_over() noexcept { return 0; }

#else

// A map's place in the registry, for as long as the map lives. Thread safety: construction and destruction may run
// in any thread; the map must outlive its operations, as ever. Neither copied nor moved: its address is published.
class map_handle {
public:
    // kind: the design ("go_map"); name: the instance, cut to 63 bytes, "" for none.
    map_handle(std::string_view kind, std::string_view name, const live_fields& fields) noexcept {
        mapaudit_map_desc d{};
        detail::copy_text(d.kind, kind);
        detail::copy_text(d.name, name);
        d.parts = fields.parts;
        d.stride = fields.stride;
        d.size = published(fields.size);
        d.buckets = published(fields.buckets);
        d.overflow = published(fields.overflow);
        d.grows = published(fields.grows);
        d.flags = fields.checked ? MAPAUDIT_MAP_CHECKED : 0;
        desc_ = detail::register_map(d);
        if (desc_ == nullptr) return;
        id_ = desc_->id;
        if (detail::listened_to(MAPAUDIT_SEM_CREATE, mapaudit_probe_create))
            mapaudit_probe_create(id_, detail::address(desc_), detail::address(&mapaudit_process_registry));
    }
    map_handle(const map_handle&) = delete;
    map_handle& operator=(const map_handle&) = delete;
    ~map_handle() {
        if (desc_ == nullptr) return;
        if (detail::listened_to(MAPAUDIT_SEM_DESTROY, mapaudit_probe_destroy))
            mapaudit_probe_destroy(id_, read(desc_->size), read(desc_->buckets), read(desc_->grows),
                                   detail::address(&mapaudit_process_registry));
        detail::unregister_map(*desc_);
    }

    // Never 0 for a registered map; ids are not used twice in a process. 0: the registry had no memory for it.
    std::uint32_t id() const noexcept { return id_; }

    // CLOCK_MONOTONIC in ns while growth is listened to, 0 otherwise: for timing what only grow and evacuate report.
    std::uint64_t now() const noexcept { return detail::armed(MAPAUDIT_SEM_GROW) ? detail::monotonic_ns() : 0; }

    // The operation that the calling thread is in begins, or ends, to grow or evacuate: for whoever samples it
    // meanwhile.
    void growing(bool is) const noexcept {
        if (mapaudit_thread_block* block = detail::tls_block; block != nullptr && block->op_map == id_)
            block->op = is ? block->op | MAPAUDIT_IN_GROW : block->op & ~MAPAUDIT_IN_GROW;
    }

    bool conflicts_heard() const noexcept { return detail::armed(MAPAUDIT_SEM_CONFLICT); }
    // Concurrent access was caught, `since_ns` ago; `other` is the other thread's id, 0 where unknown.
    void conflict(mapaudit_conflict kind, std::uint32_t other, mapaudit_side side = MAPAUDIT_SIDE_SECOND,
                  std::uint64_t since_ns = 0) const noexcept {
        if (!detail::listened_to(MAPAUDIT_SEM_CONFLICT, mapaudit_probe_conflict)) return;
        if (detail::tls_block != nullptr) detail::count_event(*detail::tls_block);
        mapaudit_probe_conflict(id_, static_cast<std::uint64_t>(kind), other, static_cast<std::uint64_t>(side),
                                since_ns);
    }

    // For a map whose counters have no address: what size() and bucket_count() said last. Only called while listened
    // to.
    void snapshot(std::uint64_t size, std::uint64_t buckets) noexcept {
        __atomic_store_n(&size_, size, __ATOMIC_RELAXED);
        __atomic_store_n(&buckets_, buckets, __ATOMIC_RELAXED);
    }
    live_fields snapshot_fields() const noexcept { return {.size = {&size_}, .buckets = {&buckets_}}; }

private:
    static mapaudit_field published(const live_field& f) noexcept {
        return {detail::address(f.where), f.width, static_cast<__u16>(f.log2), 0};
    }
    std::uint64_t read(const mapaudit_field& field) const noexcept {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; field.addr != 0 && i < desc_->parts; ++i) {
            std::uint64_t value = 0;
            std::memcpy(&value, detail::pointer_to<const char>(field.addr + i * desc_->stride), field.width);
            sum += field.log2 != 0 ? std::uint64_t{1} << value : value;
        }
        return sum;
    }

    mapaudit_map_desc* desc_ = nullptr;
    std::uint32_t id_ = 0;
    std::uint64_t size_ = 0, buckets_ = 0;
};

// Is any hot probe attached right now? Costs three loads; not for an operation's path.
inline bool anyone_listening() noexcept {
    return detail::any_armed<MAPAUDIT_SEM_ERASE>() || detail::any_armed<MAPAUDIT_SEM_GROW>() ||
           detail::any_armed<MAPAUDIT_SEM_CONFLICT>();
}

// Is a listener attached at level full, so that every operation reads the clock twice?
inline bool timing_every_operation() noexcept { return detail::armed(MAPAUDIT_SEM_BATCH); }

// Records and events that the calling thread has handed to listeners so far. Between two equal readings it paid for no
// trap.
inline std::uint64_t handed_over() noexcept {
    const mapaudit_thread_block* block = detail::tls_block;
    return block == nullptr ? 0 : detail::handed_over_by(*block);
}

namespace detail {

// The calling thread's block; null where there is none to be had, or the map has no place in the registry.
[[gnu::always_inline]] inline mapaudit_thread_block* block_for(const map_handle& map) noexcept {
    mapaudit_thread_block* block = tls_block;
    if (block == nullptr) [[unlikely]]
        block = acquire_block();
    return map.id() == 0 ? nullptr : block;
}

template <op Op, class Body>
[[gnu::always_inline]] inline decltype(auto) audit_as(mapaudit_thread_block* block, std::uint32_t map, Body body,
                                                      std::uint8_t how) {
    if (block == nullptr) [[unlikely]] {
        untimed running;
        return body(running);
    }
    timed running(*block, map, Op, how);
    return body(running);
}

// Each way of listening has a function of its own, so that none saves registers for another. The body comes by value:
// a closure of two pointers then travels in registers, and the unattached path needs no stack frame for it.
template <op Op, class Body>
[[gnu::noinline]] inline decltype(auto) audit_every(const map_handle& map, Body body) {
    return audit_as<Op>(block_for(map), map.id(), body, timed::every);
}
template <op Op, class Body>
[[gnu::noinline]] inline decltype(auto) audit_some(mapaudit_thread_block* block, std::uint32_t map, Body body,
                                                   std::uint8_t how) {
    return audit_as<Op>(block, map, body, how);
}
template <op Op, class Body>
[[gnu::noinline]] inline decltype(auto) audit_in_part(const map_handle& map, Body body) {
    mapaudit_thread_block* block = block_for(map);
    const std::uint8_t how = block == nullptr ? std::uint8_t{timed::none} : begin_timing(*block, map.id(), Op);
    if (how != timed::none) [[unlikely]]
        return audit_some<Op>(block, map.id(), body, how);
    return audit_as<Op>(block, map.id(), body, timed::none);
}
// The sampled level, where the operation is counted and not timed: all but one in a stride, so it makes do with the
// registers that this takes.
template <op Op, class Body>
[[gnu::noinline]] inline decltype(auto) audit_counted(const map_handle& map, Body body) {
    mapaudit_thread_block* block = tls_block;
    const std::uint32_t id = map.id();
    if (block == nullptr || id == 0) [[unlikely]]
        return audit_in_part<Op>(map, body);
    if (!count_untimed(*block, id, static_cast<std::uint32_t>(Op))) [[unlikely]]
        return audit_in_part<Op>(map, body);
    timed running(*block, id, Op, timed::counted);
    return body(running);
}
template <op Op, class Body>
[[gnu::always_inline]] inline decltype(auto) audit_attached(const map_handle& map, Body body) {
    if (!armed(semaphore_of(Op))) [[likely]] {
        if (armed(MAPAUDIT_SEM_BATCH)) return audit_every<Op>(map, body);
        if (armed(MAPAUDIT_SEM_BATCH_SAMPLED)) return audit_counted<Op>(map, body);
    }
    return audit_in_part<Op>(map, body);
}

}  // namespace detail

// Runs `body(running)` as one operation of kind Op on `map` and returns what it returns. The body is generic over
// `untimed&` and `timed&`, takes its locks through them, and has left its critical section when it returns. A closure
// of at most 16 bytes (`this` and one reference) keeps the unattached path at two instructions.
template <op Op, class Body>
[[gnu::always_inline]] inline decltype(auto) audit(const map_handle& map, Body body) {
    if (detail::any_armed<detail::window_of(Op)>()) [[unlikely]]
        return detail::audit_attached<Op>(map, body);
    untimed running;
    return body(running);
}

#endif

}  // namespace mapaudit

#endif
