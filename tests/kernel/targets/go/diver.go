// SPDX-License-Identifier: Apache-2.0
//
// diver: goroutines that grow maps on their way down a deep recursion, so that their stacks are moved under the probes,
// and check each map on the way up; until stdin ends. Says how often at the end.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

//go:noinline
func dive(depth int) int {
	var room [64]int
	m := map[int]int{}
	for i := 0; i < 20; i++ {
		m[i] = depth + i
		room[i] = i
	}
	sum := 0
	if depth > 0 {
		sum = dive(depth - 1)
	}
	for i := 0; i < 20; i++ {
		if m[i] != depth+i || room[i] != i || len(m) != 20 {
			panic(fmt.Sprint("a map has changed at depth ", depth))
		}
		sum += m[i] - depth
	}
	return sum
}

func main() {
	const depth, divers = 200, 4
	var stop int32
	var dives int64
	var all sync.WaitGroup
	for i := 0; i < divers; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.LoadInt32(&stop) == 0 {
				done := make(chan int)
				go func() { done <- dive(depth) }() // on a fresh stack, which has to grow
				if sum := <-done; sum != (depth+1)*190 {
					panic(fmt.Sprint("the sum is wrong: ", sum))
				}
				atomic.AddInt64(&dives, 1)
			}
		}()
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	atomic.StoreInt32(&stop, 1)
	all.Wait()
	fmt.Println(dives)
}
