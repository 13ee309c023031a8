// SPDX-License-Identifier: Apache-2.0
//
// operator MODE [N]: operates on maps when a line comes on stdin, says on stdout how often on each, and waits for
// stdin's end. Every count is kept beside the operation that it counts. What counts as one: a call of the runtime's
// function, also where it panics; `m[k] op= v` is one assignment, a loop that deletes every key one erase where the
// compiler makes it runtime.mapclear, a range one iteration however many elements it visits.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Known is what the program knows of one map, or of all of one type.
type Known struct {
	Type    string `json:"type"`
	Assign  int    `json:"assign"`
	Lookup  int    `json:"lookup"`
	Erase   int    `json:"erase"`
	Iterate int    `json:"iterate"`
	Several bool   `json:"several"` // of maps that have no address to be told apart by: on stacks, or nil
}

func (k *Known) add(other Known) {
	k.Assign += other.Assign
	k.Lookup += other.Lookup
	k.Erase += other.Erase
	k.Iterate += other.Iterate
}

func check(right bool, what string) {
	if !right {
		panic(what)
	}
}

// Kept, so that they live until the end.
var kept []interface{}

const workers = 7

// Runs `work` in as many goroutines and sums up what each of them counted.
func together(work func(worker int) Known) (sum Known) {
	counted := make([]Known, workers)
	var all sync.WaitGroup
	for i := 0; i < workers; i++ {
		i := i
		all.Add(1)
		go func() {
			defer all.Done()
			counted[i] = work(i)
		}()
	}
	all.Wait()
	for _, c := range counted {
		sum.add(c)
	}
	return sum
}

// At a known rate until stdin ends: of ten operations four are look-ups, three assignments, two erasures, one iteration.
func pace(m map[int]int, perSecond int, stop *int32) (k Known) {
	k.Type = fmt.Sprintf("%T", m)
	began := time.Now()
	for done := 0; atomic.LoadInt32(stop) == 0; time.Sleep(time.Millisecond) {
		for due := int(time.Since(began).Seconds() * float64(perSecond)); done < due; done++ {
			key := done % 1009
			switch done % 10 {
			case 0, 1, 2:
				m[key] = done
				k.Assign++
			case 3, 4:
				delete(m, key)
				k.Erase++
			case 5:
				for _, value := range m {
					check(value <= done, "a value nobody wrote")
					break
				}
				k.Iterate++
			default:
				check(m[key] <= done, "a value nobody wrote")
				k.Lookup++
			}
		}
	}
	return k
}

func steady(perSecond int, stop *int32) []Known {
	m := map[int]int{}
	kept = append(kept, m)
	return []Known{pace(m, perSecond, stop)}
}

func main() {
	modes := map[string]struct {
		usual int
		run   func(n int) []Known
	}{
		"kinds":   {1009, kinds},
		"generic": {1009, generic},
		"shared":  {100003, shared},
		"syncmap": {100003, syncMap},
		"sharded": {100003, sharded},
		"panics":  {1009, panics},
		"deep":    {503, deep},
		"crowd":   {10007, crowd},
		"onstack": {1009, onStack},
		"emptied": {2003, emptied},
		"steady":  {400009, nil},
	}
	mode, known := modes[os.Args[1]] // before the load, in which every look-up counts
	check(known, "no such mode")
	if len(os.Args) > 2 {
		mode.usual, _ = strconv.Atoi(os.Args[2])
	}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if _, err := input.ReadString('\n'); err != nil {
		return
	}
	var counted []Known
	if mode.run == nil {
		var stop int32
		go func() {
			_, _ = input.ReadString('\n')
			atomic.StoreInt32(&stop, 1)
		}()
		counted = steady(mode.usual, &stop)
	} else {
		counted = mode.run(mode.usual)
	}
	line, _ := json.Marshal(counted)
	fmt.Println(string(line))
	_, _ = input.ReadString('\n')
	runtime.KeepAlive(kept)
}
