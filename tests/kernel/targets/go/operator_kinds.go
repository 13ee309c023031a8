// SPDX-License-Identifier: Apache-2.0
//
// One map after the other, each by itself: all operations on all kinds of keys and values.
package main

import "fmt"

type operations struct {
	whole  interface{} // the map, for its type's name
	assign func(i int)
	amend  func(i int) // m[k] op= v: one assignment, but for division; may be nil
	find   func(i int) int
	have   func(i int) bool
	remove func(i int)
	visit  func(most int) int // elements seen, broken off after `most`
	empty  func()             // by the loop that the compiler may make one runtime.mapclear of
	// What the compiler makes two of: a division looks up first, since it may panic before it assigns; keys that may
	// differ from themselves (NaN, an interface that holds one) are not cleared but deleted one by one.
	amendLooks, emptyDeletes bool
}

// The least prime that is not below n.
func prime(n int) int {
	for divisor := 2; divisor*divisor <= n; divisor++ {
		if n%divisor == 0 {
			return prime(n + 1)
		}
	}
	return n
}

const keys = 97

// Operates on one map: as many of each as given, all of them different primes.
func operate(on operations, number int) (k Known) {
	k.Type = fmt.Sprintf("%T", on.whole)
	kept = append(kept, on.whole)
	held := keys // elements that must be there
	assigns, finds, haves := prime(number+500), prime(number/2+300), prime(number/3+300)
	amends, removes, absent := prime(number/4+150), prime(61), prime(number/7+50)
	for i := 0; i < assigns; i++ {
		on.assign(i % keys)
		k.Assign++
	}
	for i := 0; i < amends && on.amend != nil; i++ {
		on.amend(i % keys)
		k.Assign++
		if on.amendLooks {
			k.Lookup++
		}
	}
	sum := 0
	for i := 0; i < finds; i++ {
		sum += on.find(i % keys)
		k.Lookup++
	}
	check(sum != 0, "nothing was found")
	for i := 0; i < removes; i++ {
		on.remove(i)
		k.Erase++
	}
	held -= removes
	for i := 0; i < absent; i++ {
		on.remove(i % removes)
		k.Erase++
	}
	for i := 0; i < haves; i++ {
		check(on.have(i%keys) == (i%keys >= removes), "a key is there or not, wrongly")
		k.Lookup++
	}
	for i := 0; i < 31; i++ {
		check(on.visit(-1) == held, "an iteration missed elements")
		k.Iterate++
	}
	for i := 0; i < 43; i++ {
		check(on.visit(1+i%held) == 1+i%held, "an iteration broke off elsewhere")
		k.Iterate++
	}
	for i := 0; i < 5; i++ { // the second time it is empty
		on.empty()
		if on.emptyDeletes {
			k.Iterate++
			k.Erase += held
		} else {
			k.Erase++
		}
		held = 0
		if i > 0 {
			on.assign(i)
			k.Assign++
			held = 1
		}
	}
	return k
}

// The maps of all kinds, one after the other.
func kinds(n int) (all []Known) {
	for i, on := range []operations{ofUint32(), ofInt32(), ofPointer(keys), ofUint64(), ofInt(), ofString(keys),
		ofStruct(), ofInterface(), ofFloat(), ofWide(), ofFat()} {
		all = append(all, operate(on, n+101*i))
	}
	return all
}

// A map that is visited and emptied in generic code.
func generic(n int) []Known { return []Known{operate(ofGeneric(), n)} }
