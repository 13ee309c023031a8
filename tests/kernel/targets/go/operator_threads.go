// SPDX-License-Identifier: Apache-2.0
//
// Many goroutines on maps, each operation under the lock that it needs: nothing of it is a conflict.
package main

import (
	"fmt"
	"sync"
)

// A map under a lock for readers and writers, n operations on it in all.
func shared(n int) []Known {
	m := map[string]int{}
	kept = append(kept, m)
	names := make([]string, 1009)
	for i := range names {
		names[i] = fmt.Sprint("session ", i)
	}
	var lock sync.RWMutex
	sum := together(func(worker int) (k Known) {
		for i := worker; i < n; i += workers {
			name := names[i%len(names)]
			switch i % 10 {
			case 0, 1:
				lock.Lock()
				m[name] = i
				lock.Unlock()
				k.Assign++
			case 2:
				lock.Lock()
				delete(m, name)
				lock.Unlock()
				k.Erase++
			case 3:
				lock.RLock()
				for _, value := range m {
					check(value < n, "a value nobody wrote")
					break
				}
				lock.RUnlock()
				k.Iterate++
			default:
				lock.RLock()
				value, there := m[name]
				lock.RUnlock()
				check(!there || value%10 < 2, "a value nobody wrote")
				k.Lookup++
			}
		}
		return k
	})
	sum.Type = "map[string]int"
	return []Known{sum}
}

// What happens inside a sync.Map is its own affair, but that it is no conflict.
func syncMap(n int) []Known {
	var m sync.Map
	together(func(worker int) (none Known) {
		for i := worker; i < n; i += workers {
			switch i % 10 {
			case 0, 1:
				m.Store(i%53, i)
			case 2:
				m.Delete(i % 53)
			case 3:
				m.LoadOrStore(i%53, i)
			case 4:
				m.Range(func(key, value interface{}) bool { return key.(int)%7 != 0 })
			default:
				m.Load(i % 53)
			}
		}
		return none
	})
	return []Known{}
}

type shard struct {
	lock  sync.Mutex
	m     map[uint64]int
	known Known
}

func sharded(n int) (all []Known) {
	shards := make([]shard, 16)
	for i := range shards {
		shards[i].m = map[uint64]int{}
		shards[i].known.Type = "map[uint64]int"
	}
	together(func(worker int) (none Known) {
		for i := worker; i < n; i += workers {
			key := uint64(i) * 0x9e3779b97f4a7c15
			s := &shards[key>>60]
			s.lock.Lock()
			switch i % 8 {
			case 0, 1, 2:
				s.m[key>>44] = i
				s.known.Assign++
			case 3:
				delete(s.m, key>>44)
				s.known.Erase++
			default:
				check(s.m[key>>44] < n, "a value nobody wrote")
				s.known.Lookup++
			}
			s.lock.Unlock()
		}
		return none
	})
	for i := range shards {
		kept = append(kept, shards[i].m)
		all = append(all, shards[i].known)
	}
	return all
}

// n goroutines, all alive at once.
func crowd(n int) []Known {
	m := map[uint32]uint32{}
	kept = append(kept, m)
	k := Known{Type: fmt.Sprintf("%T", m)}
	var lock sync.Mutex
	var born, all sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < n; i++ {
		i := uint32(i)
		born.Add(1)
		all.Add(1)
		go func() {
			defer all.Done()
			born.Done()
			<-start
			lock.Lock()
			m[i] = i
			k.Assign++
			lock.Unlock()
			lock.Lock()
			value, there := m[i]
			k.Lookup++
			lock.Unlock()
			check(there && value == i, "a value is lost")
			lock.Lock()
			if i%2 == 0 {
				delete(m, i)
				k.Erase++
			}
			lock.Unlock()
		}()
	}
	born.Wait()
	close(start)
	all.Wait()
	return []Known{k}
}
