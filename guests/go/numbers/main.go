// Command numbers computes, on machines with one thread: long multiplication and division, words of 64 bits
// wherever registers have 32, a queue ordered by priority, text cut up and put together. What it prints does not depend on
// the machine.
package main

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"syscall"
)

// factorial sums the digits of n!, and gives its remainder by a prime beyond 64 bits.
func factorial(n int64) (digits int, remainder string) {
	product := big.NewInt(1)
	for factor := int64(2); factor <= n; factor++ {
		product.Mul(product, big.NewInt(factor))
	}
	for _, digit := range product.String() {
		digits += int(digit - '0')
	}
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 89), big.NewInt(1))
	return digits, new(big.Int).Mod(product, prime).String()
}

// collatz finds the start below n from where the way down to 1 is the longest.
func collatz(n uint64) (start, steps uint64) {
	for first := uint64(1); first < n; first++ {
		count := uint64(0)
		for at := first; at != 1; count++ {
			if at%2 == 0 {
				at /= 2
			} else {
				at = 3*at + 1
			}
		}
		if count > steps {
			start, steps = first, count
		}
	}
	return start, steps
}

// queue is a heap of words.
type queue []uint64

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i] < q[j] }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(uint64)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// sorted hashes n words of a generator (FNV-1a, 64 bits), least first.
func sorted(n int) uint64 {
	words, state := &queue{}, uint64(1)
	for range n {
		state = state*6364136223846793005 + 1442695040888963407
		heap.Push(words, state)
	}
	hash := uint64(14695981039346656037)
	for words.Len() > 0 {
		for _, octet := range binary.BigEndian.AppendUint64(nil, heap.Pop(words).(uint64)) {
			hash = (hash ^ uint64(octet)) * 1099511628211
		}
	}
	return hash
}

// longest turns a sentence around and finds its longest words.
func longest(text string) string {
	words := strings.Fields(text)
	length := 0
	for _, word := range words {
		length = max(length, len(word))
	}
	var out []string
	for i := len(words) - 1; i >= 0; i-- {
		if len(words[i]) == length {
			out = append(out, strings.ToUpper(words[i]))
		}
	}
	return strings.Join(out, "-")
}

func main() {
	digits, remainder := factorial(150)
	fmt.Println("factorial", digits, remainder)
	start, steps := collatz(1000)
	fmt.Println("collatz", start, steps)
	fmt.Printf("sorted %016x\n", sorted(500))
	fmt.Println("longest", longest(strings.Repeat("a claim is countered by another claim ", 3)))
	syscall.Exit(0)
}
