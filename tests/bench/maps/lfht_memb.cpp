// SPDX-License-Identifier: Apache-2.0
//
// The flavour that liburcu recommends where threads can register and nothing more is asked of them.
#include "maps/subject_map.hpp"

#ifdef BENCH_MAPS_LIBURCU

#include <urcu/static/urcu-memb.h>
#include <urcu/urcu-memb.h>

#include <bit>

#include "maps/lfht.hpp"

namespace mapaudit::bench {
namespace {

struct Memb {
    struct Thread {
        Thread() { urcu_memb_register_thread(); }
        Thread(const Thread&) = delete;
        Thread& operator=(const Thread&) = delete;
        ~Thread() { urcu_memb_unregister_thread(); }
    };
    struct Reading {
        Reading() { _urcu_memb_read_lock(); }
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        ~Reading() { _urcu_memb_read_unlock(); }
    };
    static cds_lfht* table(unsigned long size) {
        return cds_lfht_new_flavor(size, size, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, &urcu_memb_flavor,
                                   nullptr);
    }
    static void call(rcu_head* head, void (*function)(rcu_head*)) { urcu_memb_call_rcu(head, function); }
    static void barrier() { urcu_memb_barrier(); }
    static void pause() {}
};

}  // namespace

void add_lfht_memb(Field& field) {
    field.candidates.push_back({"cds_lfht (memb)", Side::theirs, true, ~std::uint64_t{0}, make_lfht<Memb>});
}

}  // namespace mapaudit::bench

#else

void mapaudit::bench::add_lfht_memb(Field& field) {
    field.left_out.push_back("cds_lfht: liburcu (Debian: liburcu-dev) was not there when this was built");
}

#endif
