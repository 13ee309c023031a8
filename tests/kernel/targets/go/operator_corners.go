// SPDX-License-Identifier: Apache-2.0
//
// Operations that panic, on stacks that move, on maps that lie there, are nil, or change their seed.
package main

import (
	"fmt"
	"sync"
)

func panicked(f func()) (failed bool) {
	defer func() { failed = recover() != nil }()
	f()
	return false
}

// Operations that panic, and are recovered from, between those that do not, on one map under a lock: whoever comes next
// must not be taken for a second one inside.
func panics(n int) []Known {
	m := map[interface{}]int{}
	kept = append(kept, m)
	var absent map[int8]int
	var lock sync.Mutex
	under := func(f func()) bool {
		return panicked(func() {
			lock.Lock()
			defer lock.Unlock()
			f()
		})
	}
	onNil := make([]int, workers)
	sum := together(func(worker int) (k Known) {
		for i := worker; i < n; i += workers {
			unhashable := []int{i}
			check(!under(func() { m[i%251] = i }), "a good assignment failed")
			check(under(func() { m[unhashable] = i }), "a bad assignment did not fail")
			k.Assign += 2
			check(under(func() { check(m[unhashable] == 0, "found") }), "a bad look-up did not fail")
			check(under(func() { _, _ = m[unhashable] }), "a bad look-up did not fail")
			check(!under(func() { check(m[i%251]%251 == i%251, "lost") }), "a good look-up failed")
			k.Lookup += 3
			check(under(func() { delete(m, unhashable) }), "a bad deletion did not fail")
			check(!under(func() { delete(m, "absent") }), "a good deletion failed")
			k.Erase += 2
			check(under(func() { absent[int8(i)] = i }), "an assignment to a nil map did not fail")
			onNil[worker]++
		}
		return k
	})
	sum.Type = fmt.Sprintf("%T", m)
	nothing := Known{Type: fmt.Sprintf("%T", absent), Several: true}
	for _, assigns := range onNil {
		nothing.Assign += assigns
	}
	return []Known{sum, nothing}
}

// Goes down in frames of three sizes: so that the stack's end comes at every distance from where a map's functions check
// for it.
//
//go:noinline
func descend(m map[int]int, depth, step int, k *Known) int {
	m[depth] = depth
	value, there := m[depth+1]
	delete(m, depth-2)
	k.Assign++
	k.Lookup++
	k.Erase++
	check(!there || value == depth+1, "a value nobody wrote")
	if depth == 0 {
		return 0
	}
	switch (depth * step) % 3 {
	case 0:
		return descend(m, depth-1, step, k) + 1
	case 1:
		return descendWide(m, depth-1, step, k) + 1
	}
	return descendWider(m, depth-1, step, k) + 1
}

//go:noinline
func descendWide(m map[int]int, depth, step int, k *Known) int {
	var room [2]int
	room[depth&1] = depth
	return descend(m, depth, step, k) + room[^depth&1]
}

//go:noinline
func descendWider(m map[int]int, depth, step int, k *Known) int {
	var room [8]int
	room[depth&3] = depth
	return descend(m, depth, step, k) + room[4+depth&3]
}

// Each time down on a fresh stack, which grows and is moved on the way.
func deep(n int) []Known {
	m := map[int]int{}
	kept = append(kept, m)
	k := Known{Type: fmt.Sprintf("%T", m)}
	done := make(chan int)
	for i := 0; i < n; i++ {
		depth := 50 + i%150
		go func() { done <- descend(m, depth, 1+i, &k) }()
		check(<-done == depth, "the recursion went astray")
	}
	return []Known{k}
}

//go:noinline
func onOneStack(rounds int, k *Known) (sum int) {
	m := map[uint16]int{} // does not escape: it and its first bucket lie in this frame
	for i := 0; i < rounds; i++ {
		m[uint16(i%13)] = i // beyond 8, in buckets on the heap
		k.Assign++
		sum += m[uint16(i%17)]
		k.Lookup++
		if i%5 == 0 {
			delete(m, uint16(i%13))
			k.Erase++
		}
	}
	for _, value := range m {
		sum += value
	}
	k.Iterate++
	return sum
}

//go:noinline
func onNothing(m map[int8]string, k *Known) (sum int) {
	sum = len(m[1])
	if _, there := m[2]; there {
		sum++
	}
	k.Lookup += 2
	delete(m, 3)
	k.Erase++
	for range m {
		sum++
	}
	k.Iterate++
	return sum
}

// Maps that lie on stacks, and maps that are nil.
func onStack(n int) []Known {
	of := func(work func(*Known)) Known {
		return together(func(worker int) (k Known) {
			for i := worker; i < n; i += workers {
				work(&k)
			}
			return k
		})
	}
	stacked := of(func(k *Known) { check(onOneStack(23, k) > 0, "nothing was found") })
	stacked.Type, stacked.Several = "map[uint16]int", true
	absent := of(func(k *Known) { check(onNothing(nil, k) == 0, "something in a nil map") })
	absent.Type, absent.Several = "map[int8]string", true
	return []Known{stacked, absent}
}

// One map that is emptied again and again, by deleting and by clearing: it gets a new seed each time.
func emptied(n int) []Known {
	m := map[int]bool{}
	kept = append(kept, m)
	k := Known{Type: fmt.Sprintf("%T", m)}
	for round := 0; round < n; round++ {
		for i := 0; i < 5; i++ {
			m[i] = true
			k.Assign++
		}
		check(m[round%5], "a key is lost")
		k.Lookup++
		if round%4 == 0 {
			for i := range m {
				delete(m, i)
			}
			k.Erase++
			continue
		}
		for i := 0; i < 5; i++ {
			delete(m, i)
			k.Erase++
		}
	}
	return []Known{k}
}
