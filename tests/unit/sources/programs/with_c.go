// SPDX-License-Identifier: Apache-2.0

package main

// static int of_c(int x) { return 2 * x; }
import "C"

var ofC = int(C.of_c(21))
