// Command single exercises the Go runtime on machines with one thread, no clock and no floating point:
// goroutines that take turns, maps, sorting, strings, and more memory than the collector would leave alone. What it prints does not depend on
// the machine.
package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"syscall"
)

// squares hands the numbers below n to a goroutine and sums what comes back.
func squares(n int) int {
	numbers, answers := make(chan int), make(chan int)
	go func() {
		for number := range numbers {
			answers <- number * number
		}
		close(answers)
	}()
	go func() {
		for number := range n {
			numbers <- number
		}
		close(numbers)
	}()
	sum := 0
	for answer := range answers {
		sum += answer
	}
	return sum
}

// bits counts the bits of the numbers below n, most frequent count first.
func bits(n uint64) string {
	counts := map[int]int{}
	for number := range n {
		ones := 0
		for rest := number; rest != 0; rest &= rest - 1 {
			ones++
		}
		counts[ones]++
	}
	keys := make([]int, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b int) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return a - b
	})
	return fmt.Sprint(keys)
}

// blocks fills eight megabytes and takes the checksum of one byte a page.
func blocks() uint32 {
	kept := make([][]byte, 128)
	sum := crc32.NewIEEE()
	for i := range kept {
		kept[i] = make([]byte, 1<<16)
		kept[i][i] = byte(i)
		sum.Write(kept[i][i : i+1])
	}
	return sum.Sum32()
}

func main() {
	fmt.Println("squares", squares(100))
	fmt.Println("bits", bits(1024))
	fmt.Printf("checksum %08x\n", blocks())
	fmt.Fprintln(os.Stderr, "to standard error")
	// Without the hooks of os.Exit: loaders take the function out that sets them up, by the name that another
	// had in older runtimes.
	syscall.Exit(0)
}
