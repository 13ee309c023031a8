// SPDX-License-Identifier: Apache-2.0
//
// racer [MODE [PACE_US]]: uses one map in two goroutines without a lock, when a line comes on stdin, until the runtime
// ends it. Both write, or one writes while the other reads (reader) or begins to iterate (iterator). With a pace they
// rest that long after each operation, so that they meet seldom and the program lives for a while: the map's keys are
// there from the start, so that no meeting but the runtime's own check can end it. Without a mode, new keys all the time.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

type registry struct {
	sessions map[string]int
	names    []string
}

//go:noinline
func (r *registry) enter(writer int) {
	for i := 0; ; i++ {
		r.sessions[fmt.Sprint(writer, i%1000)] = i
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
}

//go:noinline
func (r *registry) renew(i int) { r.sessions[r.names[i%len(r.names)]] = i }

//go:noinline
func (r *registry) find(i int) { found += r.sessions[r.names[i%len(r.names)]] }

//go:noinline
func (r *registry) anyone(int) {
	for _, session := range r.sessions {
		found += session
		break
	}
}

var found int

func repeat(operation func(int), pace time.Duration) {
	for i := 0; ; i++ {
		operation(i)
		if pace != 0 {
			time.Sleep(pace)
		}
	}
}

func main() {
	r := &registry{sessions: map[string]int{}}
	other := map[string]func(int){"writers": r.renew, "reader": r.find, "iterator": r.anyone}
	var beside func(int)
	var pace time.Duration
	if len(os.Args) > 1 {
		beside = other[os.Args[1]]
		for i := 0; i < 100; i++ {
			r.names = append(r.names, fmt.Sprint("session ", i))
			r.renew(i)
		}
	}
	if len(os.Args) > 2 {
		us, _ := strconv.Atoi(os.Args[2])
		pace = time.Duration(us) * time.Microsecond
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	if beside == nil {
		go r.enter(1)
		r.enter(2)
	}
	go repeat(r.renew, pace)
	repeat(beside, pace)
}
