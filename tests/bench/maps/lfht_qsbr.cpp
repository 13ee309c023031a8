// SPDX-License-Identifier: Apache-2.0
//
// liburcu's quickest flavour: reading costs nothing, and every thread must say from time to time that it is not.
#include "maps/subject_map.hpp"

#ifdef BENCH_MAPS_LIBURCU

#include <urcu/static/urcu-qsbr.h>
#include <urcu/urcu-qsbr.h>

#include <bit>

#include "maps/lfht.hpp"

namespace mapaudit::bench {
namespace {

struct Qsbr {
    struct Thread {
        Thread() { urcu_qsbr_register_thread(); }
        Thread(const Thread&) = delete;
        Thread& operator=(const Thread&) = delete;
        ~Thread() { urcu_qsbr_unregister_thread(); }
    };
    struct Reading {
        Reading() { _urcu_qsbr_read_lock(); }
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        ~Reading() { _urcu_qsbr_read_unlock(); }
    };
    static cds_lfht* table(unsigned long size) {
        return cds_lfht_new_flavor(size, size, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, &urcu_qsbr_flavor,
                                   nullptr);
    }
    static void call(rcu_head* head, void (*function)(rcu_head*)) { urcu_qsbr_call_rcu(head, function); }
    static void barrier() { urcu_qsbr_barrier(); }
    static void pause() { _urcu_qsbr_quiescent_state(); }
};

}  // namespace

void add_lfht_qsbr(Field& field) {
    field.candidates.push_back({"cds_lfht (qsbr)", Side::theirs, true, ~std::uint64_t{0}, make_lfht<Qsbr>});
}

}  // namespace mapaudit::bench

#else

void mapaudit::bench::add_lfht_qsbr(Field&) {}  // lfht_memb.cpp has said it

#endif
