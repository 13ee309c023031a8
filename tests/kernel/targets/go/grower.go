// SPDX-License-Identifier: Apache-2.0
//
// grower MODE [N]: grows maps when a line comes on stdin, says on stdout what it knows of them, and waits for stdin's
// end. What it knows it has from the maps themselves: a map whose array of buckets is another one has grown.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"unsafe"
)

// The head of a map of Go 1.23 and before (runtime/map.go).
type hmap struct {
	count      int
	flags      uint8
	log2       uint8
	overflow   uint16
	seed       uint32
	buckets    unsafe.Pointer
	oldBuckets unsafe.Pointer
	evacuated  uintptr
}

// Known is what the program knows of one map, or of several.
type Known struct {
	Size     int `json:"size"`
	Buckets  int `json:"buckets"`
	Growths  int `json:"growths"`
	SameSize int `json:"same_size"`
}

func (k *Known) add(other Known) {
	k.Growths += other.Growths
	k.SameSize += other.SameSize
}

type tracked struct {
	m     map[int]int
	known Known
}

func (t *tracked) head() hmap { return **(**hmap)(unsafe.Pointer(&t.m)) }

//go:noinline
func (t *tracked) set(key, value int) {
	before := t.head()
	t.m[key] = value
	after := t.head()
	if before.buckets == nil || before.buckets == after.buckets {
		return
	}
	t.known.Growths++
	if before.log2 == after.log2 {
		t.known.SameSize++
	}
}

//go:noinline
func (t *tracked) setElsewhere(key int) {
	before := t.head()
	t.m[key] = key
	if before.buckets != nil && before.buckets != t.head().buckets {
		t.known.Growths++
	}
}

func (t *tracked) finish() Known {
	t.known.Size = len(t.m)
	t.known.Buckets = 1 << t.head().log2
	return t.known
}

func newTracked() *tracked { return &tracked{m: make(map[int]int)} }

// Kept, so that they live until the end.
var kept []*tracked

func fill(n int) *tracked {
	t := newTracked()
	for i := 0; i < n; i++ {
		t.set(i, -i)
	}
	return t
}

// Maps of as many sizes.
func many(n int) (all []Known) {
	for i := 0; i < n; i++ {
		t := fill(9 + 7*i)
		kept = append(kept, t)
		all = append(all, t.finish())
	}
	return all
}

// Three maps, two that grow in one place and one in another.
func three(n int) (all []Known) {
	kept = append(kept, fill(n), fill(n))
	other := newTracked()
	for i := 0; i < n; i++ {
		other.setElsewhere(i)
	}
	kept = append(kept, other)
	return []Known{kept[0].finish(), kept[1].finish(), other.finish()}
}

// Keys come and go: overflow buckets are left behind until the map is repacked.
func churn(n int) []Known {
	t := newTracked()
	for i := 0; i < n; i++ {
		t.set(i, i)
		if i >= 400 {
			delete(t.m, i-400)
		}
	}
	kept = append(kept, t)
	return []Known{t.finish()}
}

// Empties one map again and again: it gets a new seed each time.
func emptied(n int) []Known {
	t := newTracked()
	for round := 1; round <= n; round++ {
		for i := 0; i < 20*round; i++ {
			t.set(i, i)
		}
		for key := range t.m {
			delete(t.m, key)
		}
	}
	t.set(1, 1)
	kept = append(kept, t)
	return []Known{t.finish()}
}

// Maps in each other's memory.
func reused(n int) []Known {
	var sum Known
	for i := 0; i < n; i++ {
		sum.add(fill(100 + i%3*200).finish())
		if i%10 == 0 {
			runtime.GC()
		}
	}
	return []Known{sum}
}

func goroutines(n int) []Known {
	var sum Known
	var lock sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			known := fill(50).finish()
			lock.Lock()
			sum.add(known)
			lock.Unlock()
		}()
	}
	close(start)
	all.Wait()
	return []Known{sum}
}

// Assignments that panic, and are recovered from, between those that do not.
func panics(n int) []Known {
	t := newTracked()
	keys := map[interface{}]int{}
	attempt := func(f func()) (failed bool) {
		defer func() { failed = recover() != nil }()
		f()
		return false
	}
	var absent map[int]int
	for i := 0; i < n; i++ {
		if !attempt(func() { absent[i] = i }) || !attempt(func() { keys[[]int{i}] = i }) {
			panic("an assignment that must fail did not")
		}
		t.set(i, i)
	}
	kept = append(kept, t)
	return []Known{t.finish()}
}

func main() {
	n := 10007
	if len(os.Args) > 2 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	modes := map[string]func(int) []Known{
		"fill":       func(n int) []Known { kept = append(kept, fill(n)); return []Known{kept[0].finish()} },
		"many":       many,
		"three":      three,
		"churn":      churn,
		"emptied":    emptied,
		"reused":     reused,
		"goroutines": goroutines,
		"panics":     panics,
	}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if _, err := input.ReadString('\n'); err != nil {
		return
	}
	known := modes[os.Args[1]](n)
	line, _ := json.Marshal(known)
	fmt.Println(string(line))
	_, _ = input.ReadString('\n')
	runtime.KeepAlive(kept)
}
