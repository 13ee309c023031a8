// SPDX-License-Identifier: Apache-2.0
//
// A long-lived map for each of the families of functions that the compiler chooses from by the type of key and value,
// and the operations on it, each a closure: called through a variable, it is never inlined, merged or left out.
package main

import "fmt"

type (
	point struct{ x, y, z int }
	wide  struct{ words [25]int }  // more than 128 bytes: no fast variant, whatever the key
	fat   struct{ words [140]int } // more than 1024: runtime.mapaccess1_fat, which calls mapaccess1
)

// mapassign_fast32, mapaccess1_fast32, mapaccess2_fast32, mapdelete_fast32
func ofUint32() operations {
	m := map[uint32]int{}
	return operations{
		whole:  m,
		assign: func(i int) { m[uint32(i)] = i },
		amend:  func(i int) { m[uint32(i)]++ },
		find:   func(i int) int { return m[uint32(i)] },
		have:   func(i int) bool { _, ok := m[uint32(i)]; return ok },
		remove: func(i int) { delete(m, uint32(i)) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

func ofInt32() operations {
	m := map[int32]uint8{}
	return operations{
		whole:  m,
		assign: func(i int) { m[int32(-i)] = uint8(i) },
		amend:  func(i int) { m[int32(-i)] ^= 1 },
		find:   func(i int) int { return int(m[int32(-i)]) },
		have:   func(i int) bool { _, ok := m[int32(-i)]; return ok },
		remove: func(i int) { delete(m, int32(-i)) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// mapassign_fast64ptr; looked up and deleted as an integer. (mapassign_fast32ptr is for machines of 32 bits.)
func ofPointer(keys int) operations {
	m := map[*point]int{}
	points := make([]point, keys)
	return operations{
		whole:  m,
		assign: func(i int) { m[&points[i]] = i },
		amend:  func(i int) { m[&points[i]] -= 1 },
		find:   func(i int) int { return m[&points[i]] },
		have:   func(i int) bool { _, ok := m[&points[i]]; return ok },
		remove: func(i int) { delete(m, &points[i]) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// mapassign_fast64, mapaccess1_fast64, mapaccess2_fast64, mapdelete_fast64
func ofUint64() operations {
	m := map[uint64]int{}
	return operations{
		whole:  m,
		assign: func(i int) { m[uint64(i)<<40] = i },
		amend:  func(i int) { m[uint64(i)<<40] |= 1 },
		find:   func(i int) int { return m[uint64(i)<<40] },
		have:   func(i int) bool { _, ok := m[uint64(i)<<40]; return ok },
		remove: func(i int) { delete(m, uint64(i)<<40) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// Amended by append, which the compiler knows: one assignment, no look-up.
func ofInt() operations {
	m := map[int][]int{}
	return operations{
		whole:  m,
		assign: func(i int) { m[i] = []int{i} },
		amend:  func(i int) { m[i] = append(m[i], i) },
		find:   func(i int) int { return len(m[i]) },
		have:   func(i int) bool { _, ok := m[i]; return ok },
		remove: func(i int) { delete(m, i) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// mapassign_faststr, mapaccess1_faststr, mapaccess2_faststr, mapdelete_faststr; found by bytes, without a copy.
func ofString(keys int) operations {
	m := map[string]int{}
	texts := make([][]byte, keys)
	for i := range texts {
		texts[i] = []byte(fmt.Sprint("key ", i))
	}
	return operations{
		whole:  m,
		assign: func(i int) { m[string(texts[i])] = i },
		amend:  func(i int) { m[string(texts[i])] += 2 },
		find:   func(i int) int { return m[string(texts[i])] },
		have:   func(i int) bool { _, ok := m[string(texts[i])]; return ok },
		remove: func(i int) { delete(m, string(texts[i])) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// mapassign, mapaccess1, mapaccess2, mapdelete
func ofStruct() operations {
	m := map[point]int{}
	return operations{
		whole:  m,
		assign: func(i int) { m[point{i, 1, 2}] = i },
		amend:  func(i int) { m[point{i, 1, 2}]++ },
		find:   func(i int) int { return m[point{i, 1, 2}] },
		have:   func(i int) bool { _, ok := m[point{i, 1, 2}]; return ok },
		remove: func(i int) { delete(m, point{i, 1, 2}) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

func ofInterface() operations {
	m := map[interface{}]int{}
	return operations{
		whole:  m,
		assign: func(i int) { m[i] = i },
		amend:  func(i int) { m[i]++ },
		find:   func(i int) int { return m[i] },
		have:   func(i int) bool { _, ok := m[i]; return ok },
		remove: func(i int) { delete(m, i) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
		emptyDeletes: true,
	}
}

func ofFloat() operations {
	m := map[float64]int16{}
	return operations{
		whole:  m,
		assign: func(i int) { m[float64(i)] = int16(i) << 8 },
		amend:  func(i int) { m[float64(i)] /= 2 },
		find:   func(i int) int { return int(m[float64(i)]) },
		have:   func(i int) bool { _, ok := m[float64(i)]; return ok },
		remove: func(i int) { delete(m, float64(i)) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
		amendLooks:   true,
		emptyDeletes: true,
	}
}

func ofWide() operations {
	m := map[int]wide{}
	return operations{
		whole:  m,
		assign: func(i int) { m[i] = wide{[25]int{1: i}} },
		find:   func(i int) int { return m[i].words[1] },
		have:   func(i int) bool { _, ok := m[i]; return ok },
		remove: func(i int) { delete(m, i) },
		visit: func(most int) (seen int) {
			for _, v := range m {
				if seen++; seen == most || v.words[0] != 0 {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// mapaccess1_fat, mapaccess2_fat
func ofFat() operations {
	m := map[uint32]fat{}
	return operations{
		whole:  m,
		assign: func(i int) { m[uint32(i)] = fat{[140]int{139: i}} },
		find:   func(i int) int { return m[uint32(i)].words[139] },
		have:   func(i int) bool { f, ok := m[uint32(i)]; return ok && f.words[0] == 0 },
		remove: func(i int) { delete(m, uint32(i)) },
		visit: func(most int) (seen int) {
			for range m {
				if seen++; seen == most {
					break
				}
			}
			return seen
		},
		empty: func() {
			for k := range m {
				delete(m, k)
			}
		},
	}
}

// Go before 1.20 hands the shape of the type to the runtime in generic code ("map[go.shape.uint32_0]go.shape.int_1"):
// a map has its right name only from where it is met as what it is.
func visitor[K comparable, V any](m map[K]V) func(int) int {
	return func(most int) (seen int) {
		for range m {
			if seen++; seen == most {
				break
			}
		}
		return seen
	}
}

func emptier[K comparable, V any](m map[K]V) func() {
	return func() {
		for k := range m {
			delete(m, k)
		}
	}
}

func ofGeneric() operations {
	m := map[uint64]string{}
	return operations{
		whole:  m,
		assign: func(i int) { m[uint64(i)] = "value" },
		amend:  func(i int) { m[uint64(i)] += "s" },
		find:   func(i int) int { return len(m[uint64(i)]) },
		have:   func(i int) bool { _, ok := m[uint64(i)]; return ok },
		remove: func(i int) { delete(m, uint64(i)) },
		visit:  visitor(m),
		empty:  emptier(m),
	}
}
