// SPDX-License-Identifier: Apache-2.0
//
// The probe sites. Each probe is one out-of-line function of two instructions, `nop5; ret`, with its SystemTap note
// and its semaphore in one COMDAT group: however many translation units and template instances include this header,
// an ELF file ends up with exactly one site a probe. A tracer's CALL or breakpoint on the nop meets no live red zone
// here, and finds the arguments in the ABI's registers.
//
// `.ifndef` is for LTO, which pours the assembly of several translation units into one file.
#ifndef MAPAUDIT_DETAIL_THUNKS_HPP
#define MAPAUDIT_DETAIL_THUNKS_HPP

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include <mapaudit/probe_abi.h>

// Semaphores, two bytes each. Every hot operation tests one 8-byte window that holds all that it must react to:
// lookup and erase read [0, 8), assign reads [4, 12).
#define MAPAUDIT_SEM_ERASE 0
#define MAPAUDIT_SEM_LOOKUP 2
#define MAPAUDIT_SEM_BATCH 4
#define MAPAUDIT_SEM_BATCH_SAMPLED 6
#define MAPAUDIT_SEM_GROW 8
#define MAPAUDIT_SEM_ASSIGN 10
#define MAPAUDIT_SEM_EVACUATE 12
#define MAPAUDIT_SEM_CONTENDED 14
#define MAPAUDIT_SEM_CONFLICT 16
#define MAPAUDIT_SEM_CREATE 18
#define MAPAUDIT_SEM_DESTROY 20
#define MAPAUDIT_SEM_RELEASED 22
#define MAPAUDIT_SEM_BYTES 24

#define MAPAUDIT_STR_(x) #x
#define MAPAUDIT_STR(x) MAPAUDIT_STR_(x)

#if defined(__x86_64__)
#define MAPAUDIT_NOP ".byte 0x0f,0x1f,0x44,0x00,0x00\n"
#define MAPAUDIT_ARGS3 "8@%rdi 8@%rsi 8@%rdx"
#define MAPAUDIT_ARGS4 MAPAUDIT_ARGS3 " 8@%rcx"
#define MAPAUDIT_ARGS5 MAPAUDIT_ARGS4 " 8@%r8"
#define MAPAUDIT_ARGS6 MAPAUDIT_ARGS5 " 8@%r9"
#elif defined(__aarch64__)
#define MAPAUDIT_NOP "nop\n"
#define MAPAUDIT_ARGS3 "8@x0 8@x1 8@x2"
#define MAPAUDIT_ARGS4 MAPAUDIT_ARGS3 " 8@x3"
#define MAPAUDIT_ARGS5 MAPAUDIT_ARGS4 " 8@x4"
#define MAPAUDIT_ARGS6 MAPAUDIT_ARGS5 " 8@x5"
#else
#error "mapaudit has probes for x86-64 and aarch64; build with MAPAUDIT_PROBES=OFF elsewhere"
#endif

// clang-format off
// One thunk with its note. The note's layout is SystemTap's: site, base, semaphore, provider, name, arguments.
#define MAPAUDIT_THUNK(name, semaphore, arguments)                                                       \
    ".pushsection .text.mapaudit_probes,\"axG\",%progbits,mapaudit_probes,comdat\n"                      \
    ".balign 16\n"                                                                                       \
    ".weak mapaudit_probe_" #name "\n.hidden mapaudit_probe_" #name "\n"                                 \
    ".type mapaudit_probe_" #name ", %function\n"                                                        \
    "mapaudit_probe_" #name ":\n.cfi_startproc\n" MAPAUDIT_NOP "ret\n.cfi_endproc\n"                     \
    ".size mapaudit_probe_" #name ", . - mapaudit_probe_" #name "\n"                                     \
    ".popsection\n"                                                                                      \
    ".pushsection .note.stapsdt,\"G\",%note,mapaudit_probes,comdat\n"                                    \
    ".balign 4\n.4byte 8, 995f-994f, 3\n.asciz \"stapsdt\"\n994:\n"                                      \
    ".8byte mapaudit_probe_" #name ", _.stapsdt.base, mapaudit_semaphores+" MAPAUDIT_STR(semaphore) \
    "\n.asciz \"mapaudit\"\n.asciz \"" #name "\"\n.asciz \"" arguments "\"\n995:\n.balign 4\n"            \
    ".popsection\n"

asm(".ifndef mapaudit_semaphores\n"
    ".pushsection .probes,\"awG\",%progbits,mapaudit_probes,comdat\n"
    ".balign 64\n"
    ".weak mapaudit_semaphores\n.hidden mapaudit_semaphores\n.type mapaudit_semaphores, %object\n"
    "mapaudit_semaphores:\n.zero " MAPAUDIT_STR(MAPAUDIT_SEM_BYTES) "\n"
    ".size mapaudit_semaphores, . - mapaudit_semaphores\n"
    ".popsection\n"
    // Tracers compare this symbol's recorded address with the section's to follow prelinking. Name and group are
    // SystemTap's, so that a binary with sys/sdt.h probes of its own has one base for both.
    ".ifndef _.stapsdt.base\n"
    ".pushsection .stapsdt.base,\"aG\",%progbits,.stapsdt.base,comdat\n"
    ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base:\n.space 1\n.size _.stapsdt.base, 1\n"
    ".popsection\n"
    ".endif\n"
    ".pushsection .note.mapaudit,\"G\",%note,mapaudit_probes,comdat\n"
    ".balign 4\n.4byte 9, 8, 1\n.asciz \"mapaudit\"\n.balign 4\n.8byte mapaudit_process_registry\n"
    ".popsection\n"
    MAPAUDIT_THUNK(batch, MAPAUDIT_SEM_BATCH, MAPAUDIT_ARGS6)
    MAPAUDIT_THUNK(batch_sampled, MAPAUDIT_SEM_BATCH_SAMPLED, MAPAUDIT_ARGS6)
    MAPAUDIT_THUNK(assign, MAPAUDIT_SEM_ASSIGN, MAPAUDIT_ARGS4)
    MAPAUDIT_THUNK(lookup, MAPAUDIT_SEM_LOOKUP, MAPAUDIT_ARGS4)
    MAPAUDIT_THUNK(erase, MAPAUDIT_SEM_ERASE, MAPAUDIT_ARGS4)
    MAPAUDIT_THUNK(grow, MAPAUDIT_SEM_GROW, MAPAUDIT_ARGS6)
    MAPAUDIT_THUNK(evacuate, MAPAUDIT_SEM_EVACUATE, MAPAUDIT_ARGS4)
    MAPAUDIT_THUNK(contended, MAPAUDIT_SEM_CONTENDED, MAPAUDIT_ARGS5)
    MAPAUDIT_THUNK(released, MAPAUDIT_SEM_RELEASED, MAPAUDIT_ARGS4)
    MAPAUDIT_THUNK(conflict, MAPAUDIT_SEM_CONFLICT, MAPAUDIT_ARGS5)
    MAPAUDIT_THUNK(create, MAPAUDIT_SEM_CREATE, MAPAUDIT_ARGS3)
    MAPAUDIT_THUNK(destroy, MAPAUDIT_SEM_DESTROY, MAPAUDIT_ARGS5)
    ".endif\n");

// clang-format on
#undef MAPAUDIT_THUNK

// What the note of the registry leads to. Default visibility whatever the flags, so that the dynamic linker can fold
// the copies of several ELF files into one; where it cannot (a dlopened library), each file has a registry of its own,
// complete in itself.
extern "C" {
__attribute__((used, visibility("default"))) inline mapaudit_registry mapaudit_process_registry{};
}

#define MAPAUDIT_HIDDEN __attribute__((visibility("hidden")))
extern "C" {
extern MAPAUDIT_HIDDEN std::uint16_t mapaudit_semaphores[MAPAUDIT_SEM_BYTES / 2];
MAPAUDIT_HIDDEN void mapaudit_probe_batch(std::uint64_t records, std::uint64_t count, std::uint64_t first,
                                          std::uint64_t tid_block, std::uint64_t cpu, std::uint64_t registry) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_batch_sampled(std::uint64_t records, std::uint64_t count, std::uint64_t first,
                                                  std::uint64_t tid_block, std::uint64_t cpu,
                                                  std::uint64_t registry) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_assign(std::uint64_t map, std::uint64_t latency_ns, std::uint64_t wait_ns,
                                           std::uint64_t flags) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_lookup(std::uint64_t map, std::uint64_t latency_ns, std::uint64_t wait_ns,
                                           std::uint64_t flags) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_erase(std::uint64_t map, std::uint64_t latency_ns, std::uint64_t wait_ns,
                                          std::uint64_t flags) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_grow(std::uint64_t map, std::uint64_t old_buckets, std::uint64_t new_buckets,
                                         std::uint64_t duration_ns, std::uint64_t reason, std::uint64_t part) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_evacuate(std::uint64_t map, std::uint64_t done, std::uint64_t total,
                                             std::uint64_t part) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_contended(std::uint64_t map, std::uint64_t op, std::uint64_t wait_ns,
                                              std::uint64_t owner_tid, std::uint64_t since_ns) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_released(std::uint64_t map, std::uint64_t op, std::uint64_t held_ns,
                                             std::uint64_t shared) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_conflict(std::uint64_t map, std::uint64_t kind, std::uint64_t other_tid,
                                             std::uint64_t side, std::uint64_t since_ns) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_create(std::uint64_t map, std::uint64_t desc, std::uint64_t registry) noexcept;
MAPAUDIT_HIDDEN void mapaudit_probe_destroy(std::uint64_t map, std::uint64_t size, std::uint64_t buckets,
                                            std::uint64_t grows, std::uint64_t registry) noexcept;
}
#undef MAPAUDIT_HIDDEN

namespace mapaudit::detail {

// Pointers as probes and registry carry them.
inline std::uint64_t address(const volatile void* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}
template <class T>
inline T* pointer_to(std::uint64_t where) noexcept {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(where));
}

// True while anything is attached that listens to one probe.
inline bool armed(int semaphore) noexcept {
    return __atomic_load_n(&mapaudit_semaphores[semaphore / 2], __ATOMIC_RELAXED);
}

#if defined(__x86_64__)
// Set in a child that was forked while a tracer was attached to its parent.
inline constinit bool forked_under_a_tracer = false;

// Linux 6.18 turns a probed nop5 into a CALL to a page that a forked child does not inherit, while it inherits the CALL
// and the raised semaphore: the child's first hit would kill it. So a child looks before it calls.
[[gnu::noinline]] inline bool site_is_sound(const unsigned char* site) noexcept {
    constexpr unsigned char call = 0xe8;
    constexpr std::uintptr_t page = 4096;
    if (*site != call) return true;
    std::int32_t distance;
    std::memcpy(&distance, site + 1, sizeof distance);
    const auto target =
        reinterpret_cast<std::uintptr_t>(site) + 5 + static_cast<std::uintptr_t>(std::intptr_t{distance});
    unsigned char resident;
    return ::mincore(reinterpret_cast<void*>(target & ~(page - 1)), 1, &resident) ==
           0;  // ENOMEM: nothing is mapped there
}
#endif

// True while anything is attached to the probe of that thunk, and calling it is safe.
template <class... Arguments>
inline bool listened_to(int semaphore, [[maybe_unused]] void (*thunk)(Arguments...) noexcept) noexcept {
    if (!armed(semaphore)) return false;
#if defined(__x86_64__)
    if (forked_under_a_tracer) [[unlikely]]
        return site_is_sound(reinterpret_cast<const unsigned char*>(thunk));
#endif
    return true;
}

// True while any of the four semaphores from byte offset `Window` on is raised. Two instructions on x86-64; the asm
// is what keeps the compiler from hoisting the test out of a caller's loop.
template <int Window>
[[gnu::always_inline]] inline bool any_armed() noexcept {
    using word = std::uint64_t __attribute__((may_alias, aligned(4)));
    const word& window = *reinterpret_cast<const word*>(&mapaudit_semaphores[Window / 2]);
#if defined(__x86_64__)
    asm goto("cmpq $0, %0\n\tjne %l1" : : "m"(window) : "cc" : raised);
    return false;
raised:
#if !defined(__clang__)  // which knows no attributes of labels
    __attribute__((cold));
#endif
    return true;
#else
    return const_cast<const volatile word&>(window) != 0;
#endif
}

}  // namespace mapaudit::detail

#endif
