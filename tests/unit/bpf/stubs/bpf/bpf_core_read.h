/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libbpf's header: nothing is relocated on the host. */
#ifndef MAPAUDIT_STUB_BPF_CORE_READ_H
#define MAPAUDIT_STUB_BPF_CORE_READ_H

#endif /* MAPAUDIT_STUB_BPF_CORE_READ_H */
