//! The heap: blocks in powers of two, each size with its own list of free blocks.
//!
//! Memory that the machine has handed out is never returned to it, and a step costs the same
//! whatever is allocated, so what matters is the number of instructions and of pages touched. Taking
//! or returning a block is a dozen instructions; a freed block is the next one handed out for its
//! size; pages behind what was asked for are never touched.
//!
//! Invariant: a block is either in use or in exactly one list, and its size is a power of two that
//! is also its alignment.

use super::machine::{MAP_ANONYMOUS, MMAP, call};
use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr::{self, NonNull},
};

/// Log of the smallest block: it holds a link to the next free one.
const MIN_LOG: u32 = 4;
const READ_WRITE: u64 = 3;
const PRIVATE: u64 = 2;
/// Logs of blocks are below this. What is above cannot be had from the machine.
const LOG_LIMIT: u32 = if usize::BITS == 32 { 30 } else { 47 };
/// Memory is taken from the machine in pieces of at least this.
const PIECE_BYTES: usize = 4 << 20;

#[cfg_attr(target_os = "none", global_allocator)]
#[cfg_attr(not(target_os = "none"), expect(dead_code, reason = "the host has its own"))]
static HEAP: Heap = Heap(UnsafeCell::new(State { free: [None; 64], next: 0, end: 0 }));

struct Heap(UnsafeCell<State>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Heap {}

struct State {
    /// By log of the size.
    free: [Option<NonNull<Link>>; 64],
    /// What is left of the piece taken last: never used, so all zero.
    next: usize,
    end: usize,
}

struct Link(Option<NonNull<Link>>);

/// Log of the size of the block for a layout, `None` if there is none that large.
fn log(layout: Layout) -> Option<u32> {
    let bytes = layout.size().max(layout.align()).max(1 << MIN_LOG);
    let log = usize::BITS - (bytes - 1).leading_zeros();
    (log < LOG_LIMIT).then_some(log)
}

/// The first multiple of `size`, a power of two, from `address` on.
const fn align(address: usize, size: usize) -> usize {
    (address + size - 1) & !(size - 1)
}

impl State {
    /// A block of `1 << log` bytes that was in use before.
    fn recycled(&mut self, log: u32) -> Option<NonNull<u8>> {
        let block = self.free[log as usize]?;
        // SAFETY: what is in a list is a free block that starts with a link.
        self.free[log as usize] = unsafe { block.read() }.0;
        Some(block.cast())
    }

    /// A block of `1 << log` bytes that is all zero.
    fn fresh(&mut self, log: u32) -> *mut u8 {
        let size = 1 << log;
        let mut start = align(self.next, size);
        if start + size > self.end {
            // Room to align the block in, whatever the machine returns.
            let length = (2 * size).max(PIECE_BYTES);
            let arguments = [0, length as u64, READ_WRITE, PRIVATE | MAP_ANONYMOUS, u64::MAX, 0];
            // SAFETY: a mapping at an address the machine chooses touches nothing that exists.
            let Ok(piece) = (unsafe { call(MMAP, arguments) }) else { return ptr::null_mut() };
            let piece = piece as usize;
            if piece != self.end {
                self.next = piece;
            }
            self.end = piece + length;
            start = align(self.next, size);
        }
        self.next = start + size;
        ptr::with_exposed_provenance_mut(start)
    }
}

// SAFETY: blocks are disjoint, as large and as aligned as their layout asks for.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(log) = log(layout) else { return ptr::null_mut() };
        // SAFETY: one thread, and nothing below allocates.
        let state = unsafe { &mut *self.0.get() };
        state.recycled(log).map_or_else(|| state.fresh(log), NonNull::as_ptr)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(log) = log(layout) else { return ptr::null_mut() };
        // SAFETY: as in `alloc`.
        let state = unsafe { &mut *self.0.get() };
        let Some(block) = state.recycled(log) else { return state.fresh(log) };
        // SAFETY: the block has at least this size.
        unsafe { block.write_bytes(0, layout.size()) };
        block.as_ptr()
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (Some(log), Some(block)) = (log(layout), NonNull::new(block)) else { return };
        // SAFETY: as in `alloc`; the block is the caller's to give, and large enough for a link.
        unsafe {
            let state = &mut *self.0.get();
            let link = block.cast::<Link>();
            link.write(Link(state.free[log as usize]));
            state.free[log as usize] = Some(link);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(larger) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        if log(layout) == log(larger) {
            return block;
        }
        // SAFETY: the old block is valid for the smaller of both sizes, the new one is another.
        unsafe {
            let new = self.alloc(larger);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
