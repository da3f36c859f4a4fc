// Command guest exercises what the Go runtime asks of a machine: goroutines, channels, maps, garbage
// collection, time and standard output. What it prints does not depend on the machine.
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// sumOfSquares distributes the numbers below n over workers and collects their squares.
func sumOfSquares(n, workers int) int {
	numbers := make(chan int)
	squares := make(chan int, 4)
	var group sync.WaitGroup
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for number := range numbers {
				squares <- number * number
			}
		}()
	}
	go func() {
		for number := range n {
			numbers <- number
		}
		close(numbers)
		group.Wait()
		close(squares)
	}()
	sum := 0
	for square := range squares {
		sum += square
	}
	return sum
}

// letters counts the letters of a text and lists them from the most to the least frequent.
func letters(text string) string {
	counts := map[rune]int{}
	for _, letter := range text {
		counts[letter]++
	}
	type entry struct {
		letter rune
		count  int
	}
	var entries []entry
	for letter, count := range counts {
		entries = append(entries, entry{letter, count})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.count != b.count {
			return b.count - a.count
		}
		return int(a.letter - b.letter)
	})
	var list strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&list, "%c%d", e.letter, e.count)
	}
	return list.String()
}

// collects allocates much more than it keeps, and says whether the collector ran and kept what it must.
func collects() bool {
	kept := make([][]byte, 16)
	for i := range 512 {
		block := make([]byte, 1<<16)
		block[i] = byte(i)
		kept[i%len(kept)] = block
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	for i, block := range kept {
		if block[496+i] != byte(496+i) {
			return false
		}
	}
	return stats.NumGC > 1 && stats.HeapAlloc < 512<<16
}

// exitCode is what the program ends with. Tests set it in the program's image.
var exitCode int

func main() {
	started := time.Now()
	fmt.Println("squares", sumOfSquares(1000, 7))
	fmt.Println("letters", letters("mississippi"))
	fmt.Println("collected", collects())
	time.Sleep(2 * time.Millisecond)
	fmt.Println("slept", time.Since(started) >= 2*time.Millisecond)
	<-time.After(time.Millisecond)
	fmt.Println("timer fired")
	fmt.Fprintln(os.Stderr, "to standard error")
	os.Exit(exitCode)
}
