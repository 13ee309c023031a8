/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for libbpf's header, so that the eBPF programs compile for the host. The helpers are plain functions; what
 * they do is in fake_kernel.cpp.
 */
#ifndef MAPAUDIT_STUB_BPF_HELPERS_H
#define MAPAUDIT_STUB_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#else
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value)* name
#define __array(name, value) __typeof__(value)* name[]
#define SEC(name)
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))
#endif

void* bpf_map_lookup_elem(void* map, const void* key);
long bpf_map_update_elem(void* map, const void* key, const void* value, __u64 flags);
long bpf_map_delete_elem(void* map, const void* key);

void* bpf_ringbuf_reserve(void* ring, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void* data, __u64 flags);
void bpf_ringbuf_discard(void* data, __u64 flags);
__u64 bpf_ringbuf_query(void* ring, __u64 flags);

long bpf_probe_read_user(void* to, __u32 size, const void* from);
long bpf_get_stack(void* context, void* frames, __u32 size, __u64 flags);
__u64 bpf_ktime_get_ns(void);
__u32 bpf_get_smp_processor_id(void);
__u64 bpf_get_current_pid_tgid(void);
long bpf_get_ns_current_pid_tgid(__u64 device, __u64 inode, struct bpf_pidns_info* ids, __u32 size);
__u64 bpf_get_attach_cookie(void* context);

/*
 * Called ahead of each atomic operation with its address: a test does there what another CPU might have done just in
 * time. In the macros the inner name is not expanded again, and so is the compiler's own.
 */
void stub_before_atomic(const volatile void* at);

#ifndef __cplusplus
#define __sync_val_compare_and_swap(at, from, to) \
    (stub_before_atomic(at), __sync_val_compare_and_swap((at), (from), (to)))
#define __sync_fetch_and_add(at, value) (stub_before_atomic(at), __sync_fetch_and_add((at), (value)))
#define __sync_lock_test_and_set(at, value) (stub_before_atomic(at), __sync_lock_test_and_set((at), (value)))
#endif

/* A map as its program declares it. */
struct stub_map {
    void* address;
    const char* name;
    __u32 type;
    __u32 key_size, value_size; /* 0: a ring */
    __u32 max_entries;
    void* const* inner; /* of a map of maps: these, by index */
};

/* The table of a program's maps, which ends with an empty row. A declaration holds its figures as sizes of arrays. */
#define STUB_FIGURE(map, what) (sizeof(*(map).what) / sizeof(int))
#define STUB_MAP(map) \
    { &map, #map, STUB_FIGURE(map, type), sizeof(*(map).key), sizeof(*(map).value), STUB_FIGURE(map, max_entries), 0 }
#define STUB_RING(map) \
    { &map, #map, STUB_FIGURE(map, type), 0, 0, STUB_FIGURE(map, max_entries), 0 }
#define STUB_MAP_OF_MAPS(map) \
    { \
        &map, #map, STUB_FIGURE(map, type), sizeof(*(map).key), 0, STUB_FIGURE(map, max_entries), \
            (void* const*)(map).values \
    }

#ifdef __cplusplus
}
#endif

#endif /* MAPAUDIT_STUB_BPF_HELPERS_H */
