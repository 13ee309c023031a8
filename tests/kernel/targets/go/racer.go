// SPDX-License-Identifier: Apache-2.0
//
// racer: writes to one map from two goroutines, when a line comes on stdin, until the runtime ends it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
)

type registry struct{ sessions map[string]int }

//go:noinline
func (r *registry) enter(writer int) {
	for i := 0; ; i++ {
		r.sessions[fmt.Sprint(writer, i%1000)] = i
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
}

func main() {
	r := &registry{map[string]int{}}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	go r.enter(1)
	r.enter(2)
}
