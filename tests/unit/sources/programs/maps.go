// SPDX-License-Identifier: Apache-2.0

// Calls each of the runtime's map functions, so that the linker keeps them all, in programs whose addresses the tests
// know from other tools. Its lines are asked for by the marks behind them.
package main

import (
	"fmt"
	"os"
)

type large struct{ words [20]uint64 }

type pair struct{ left, right uint64 }

//go:noinline
func assignAll(n int, byPair map[pair]int, by32 map[uint32]int, by64 map[uint64]int, byPointer map[*int]int,
	byText map[string]int, larges map[uint64]large) {
	for i := 0; i < n; i++ {
		byPair[pair{uint64(i), 1}] = i // line: mapassign
		by32[uint32(i)] = i
		by64[uint64(i)] = i
		byPointer[new(int)] = i
		byText[fmt.Sprint(i)] = i
		larges[uint64(i)] = large{}
	}
}

//go:noinline
func lookUpAll(byPair map[pair]int, by32 map[uint32]int, by64 map[uint64]int, byText map[string]int,
	larges map[uint64]large) (sum int) {
	sum += byPair[pair{1, 1}] + by32[2] + by64[3] + byText["4"] + int(larges[5].words[0])
	for _, present := range []bool{has(byPair, pair{1, 1}), has(by32, 2), has(by64, 3), has(byText, "4")} {
		if present {
			sum++
		}
	}
	if _, present := byPair[pair{9, 9}]; present {
		sum++
	}
	if _, present := by32[9]; present {
		sum++
	}
	if _, present := by64[9]; present {
		sum++
	}
	if _, present := byText["9"]; present {
		sum++
	}
	return sum
}

func has[K comparable](in map[K]int, key K) bool {
	_, present := in[key]
	return present
}

//go:noinline
func deleteAll(byPair map[pair]int, by32 map[uint32]int, by64 map[uint64]int, byText map[string]int) {
	delete(byPair, pair{1, 1})
	delete(by32, 2)
	delete(by64, 3)
	delete(byText, "4")
	for key := range byPair {
		delete(byPair, key) // a loop that the compiler makes a clear of
	}
}

// Inlined into its caller, which the name of its line must show.
func countOf(byText map[string]int, key string) int {
	return byText[key] // line: inlined
}

//go:noinline
func callsInlined(byText map[string]int) int {
	return countOf(byText, "7") + 1
}

func recovered() (what interface{}) {
	defer func() { what = recover() }()
	var none map[string]int
	none["x"] = 1
	return nil
}

func main() {
	byPair, by32, by64 := map[pair]int{}, map[uint32]int{}, map[uint64]int{}
	byPointer, byText, larges := map[*int]int{}, map[string]int{}, map[uint64]large{}
	assignAll(100, byPair, by32, by64, byPointer, byText, larges)
	sum := lookUpAll(byPair, by32, by64, byText, larges) + callsInlined(byText)
	deleteAll(byPair, by32, by64, byText)
	fmt.Fprintln(os.Stdout, sum, len(byPair), len(by32), len(by64), len(byPointer), len(byText), recovered())
}
