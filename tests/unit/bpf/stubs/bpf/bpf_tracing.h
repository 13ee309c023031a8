/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libbpf's header: a program's arguments are a function's. */
#ifndef MAPAUDIT_STUB_BPF_TRACING_H
#define MAPAUDIT_STUB_BPF_TRACING_H

#define BPF_PROG(name, arguments...) name(arguments)

#endif /* MAPAUDIT_STUB_BPF_TRACING_H */
