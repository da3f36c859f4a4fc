//! Guest memory at fixed places of host memory: the fast path of loads and stores.
//!
//! The host has 47 bits of address space for its processes, the guest 48 and more, so the guest
//! cannot have it all. Guests live in few places, though, and each of these gets a window of
//! 64 GiB, reserved but not committed. The directory finds the window of an address by the high
//! bits, and the flags of its page by the page index:
//!
//! ```text
//!   guest address   63      48 47        36 35           12 11           0
//!                  +----------+------------+---------------+--------------+
//!                  |   zero   |   window   |               |   in page    |
//!                  +----------+------------+---------------+--------------+
//!                              \________ page index _______/
//!
//!   directory  +-----------------------+--------------------------------------------+
//!              | 4096 window pointers  | 2^36 flag bytes, one per page of 48 bits   |
//!              +-----------------------+--------------------------------------------+
//! ```
//!
//! A window pointer is the host address that guest address 0 would have if the window reached down
//! to it, so that adding the guest address is all it takes. It is null where there is no window.
//!
//! Asterisc's stack lies beyond the directory, around 2^60. There is one window more for it, with its
//! flags, which only accesses beyond the directory look at.
//!
//! Invariant: the flags of a page outside the windows are zero here (they are kept elsewhere), so a
//! page whose flags are not zero lies in a window.

use std::ptr::{self, NonNull};

use rustix::mm::{self, Advice, MapFlags, ProtFlags};

use super::{PAGE_BYTES, PAGE_SHIFT, Page, flags::Flags};

/// Guest addresses below this have an entry in the directory.
pub(super) const DIRECTORY_END: u64 = 1 << 48;
const WINDOW_SHIFT: u32 = 36;
const WINDOW_BYTES: usize = 1 << WINDOW_SHIFT;
const WINDOW_COUNT: usize = (DIRECTORY_END >> WINDOW_SHIFT) as usize;
const FLAG_COUNT: usize = (DIRECTORY_END >> PAGE_SHIFT) as usize;
const PAGE_TO_WINDOW_SHIFT: u32 = WINDOW_SHIFT - PAGE_SHIFT;

/// Where guests live, as numbers of windows of 64 GiB.
pub(super) const USUAL_WINDOWS: [u64; 6] = [
    0x000, // program text and data, from 0
    0x00c, // Go heap arenas, from 0xc0_0000_0000
    0x100, // mmap, from 0x1000_0000_0000
    0x400, // brk, from 0x4000_0000_0000
    0x7f0, // mmap of Asterisc, from 0x7f00_0000_0000
    0x7ff, // stack, below 0x8000_0000_0000
];

/// First address of the window beyond the directory: it reaches as far below the first stack of Asterisc
/// as above.
const HIGH_START: u64 = (1 << 60) - WINDOW_BYTES as u64 / 2;
const HIGH_PAGES: usize = WINDOW_BYTES / PAGE_BYTES;

/// An access that begins on the last byte of a window may run over its end; what lies there is
/// reserved with the window, so that even a mistaken access stays inside.
const OVERRUN_BYTES: usize = PAGE_BYTES;

#[repr(C)]
struct Directory {
    windows: [*mut u8; WINDOW_COUNT],
    flags: [Flags; FLAG_COUNT],
}

/// The window beyond the directory.
#[repr(C)]
struct High {
    bytes: [u8; WINDOW_BYTES],
    overrun: [u8; OVERRUN_BYTES],
    flags: [Flags; HIGH_PAGES],
}

/// The directory and the windows of one guest memory.
pub(super) struct Windows {
    /// Guest addresses below this have an entry in the directory: `DIRECTORY_END`, or 0 where there
    /// is no directory. One comparison answers both questions.
    end: u64,
    /// Dangling if `end` is 0.
    directory: NonNull<Directory>,
    /// Bytes of the window beyond the directory: all of it, or 0 where there is none.
    high_bytes: u64,
    /// Dangling if `high_bytes` is 0.
    high: NonNull<High>,
    reservations: Vec<Reservation>,
}

// SAFETY: the pointers are to memory that this value alone owns; it is written through `&mut self`
// and read through `&self` only.
unsafe impl Send for Windows {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Windows {}

impl Windows {
    /// No window at all.
    pub(super) fn none() -> Self {
        Self {
            end: 0,
            directory: NonNull::dangling(),
            high_bytes: 0,
            high: NonNull::dangling(),
            reservations: Vec::new(),
        }
    }

    /// Reserves a directory and the given windows; what the host refuses is left out.
    pub(super) fn reserve(numbers: &[u64]) -> Self {
        let mut windows = Self::none();
        let Some(directory) = Reservation::new(size_of::<Directory>()) else {
            return windows;
        };
        windows.directory = directory.start.cast();
        windows.end = DIRECTORY_END;
        windows.reservations.push(directory);
        for &number in numbers {
            windows.reserve_window(number as usize);
        }
        windows
    }

    /// Reserves the window beyond the directory, if the host grants it.
    pub(super) fn reserve_high(&mut self) {
        if let Some(high) = Reservation::new(size_of::<High>()) {
            self.high = high.start.cast();
            self.high_bytes = WINDOW_BYTES as u64;
            self.reservations.push(high);
        }
    }

    /// Offset of an address in the window beyond the directory.
    #[inline(always)]
    fn high_offset(&self, address: u64) -> Option<usize> {
        let offset = address.wrapping_sub(HIGH_START);
        if offset < self.high_bytes { Some(offset as usize) } else { None }
    }

    #[inline(always)]
    fn load_high<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let offset = self.high_offset(address)?;
        // SAFETY: an offset shows that `high_bytes` is not 0, so `reserve_high` mapped a whole `High` here,
        // readable; N (at most 8) bytes from the offset on lie in its bytes or in the overrun.
        Some(unsafe { self.high.cast::<u8>().add(offset).cast::<[u8; N]>().read_unaligned() })
    }

    #[inline(always)]
    fn store_high<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> bool {
        let Some(offset) = self.high_offset(address) else { return false };
        // SAFETY: as in `load_high` there is a whole `High`; the page of an offset has a flag in it.
        let flags = unsafe { (&raw const (*self.high.as_ptr()).flags).cast::<Flags>() };
        // SAFETY: as above.
        if unsafe { *flags.add(offset / PAGE_BYTES) } != Flags::WRITABLE {
            return false;
        }
        // SAFETY: as in `load_high`; the mapping is writable and `&mut self` makes it exclusive.
        unsafe { self.high.cast::<u8>().add(offset).cast::<[u8; N]>().write_unaligned(bytes) };
        true
    }

    /// Number of a page in the window beyond the directory.
    fn high_page(&self, index: u64) -> Option<usize> {
        self.high_offset(index.checked_mul(PAGE_BYTES as u64)?).map(|offset| offset / PAGE_BYTES)
    }

    fn reserve_window(&mut self, number: usize) {
        let Some(window) = Reservation::new(WINDOW_BYTES + OVERRUN_BYTES) else {
            return;
        };
        // Null is the mark of a missing window. A real one comes out as null only if the host maps
        // it at the guest's own address; it is given back then, and its pages go to the map.
        let pointer = window.start.as_ptr().wrapping_sub(number << WINDOW_SHIFT);
        if let Some(slot) = self.directory_mut().and_then(|it| it.windows.get_mut(number))
            && slot.is_null()
            && !pointer.is_null()
        {
            *slot = pointer;
            self.reservations.push(window);
        }
    }

    #[inline(always)]
    fn directory(&self) -> Option<&Directory> {
        // SAFETY: `end` is not 0 only after `reserve` mapped a whole directory here, readable, zero
        // at first: null pointers and empty flags. It stays mapped as long as this value lives.
        if self.end != 0 { Some(unsafe { self.directory.as_ref() }) } else { None }
    }

    fn directory_mut(&mut self) -> Option<&mut Directory> {
        // SAFETY: as for `directory`; the mapping is writable and `&mut self` makes it exclusive.
        if self.end != 0 { Some(unsafe { self.directory.as_mut() }) } else { None }
    }

    /// The directory, if `address` has an entry in it.
    #[inline(always)]
    fn directory_of(&self, address: u64) -> Option<&Directory> {
        // SAFETY: an address below `end` shows that `end` is not 0; then as for `directory`.
        if address < self.end { Some(unsafe { self.directory.as_ref() }) } else { None }
    }

    /// The `N` bytes at `address`, or `None` outside the windows.
    #[inline(always)]
    pub(super) fn load<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let Some(directory) = self.directory_of(address) else {
            return self.load_high(address);
        };
        // SAFETY: an address that has an entry is below 2^48, so its window number is below 2^12.
        let window =
            unsafe { *directory.windows.get_unchecked((address >> WINDOW_SHIFT) as usize) };
        if window.is_null() {
            return None;
        }
        let host = window.wrapping_add(address as usize).cast::<[u8; N]>();
        // SAFETY: the window pointer is not null, so the 64 GiB of this address are reserved and
        // readable, and N (at most 8) bytes beyond them too.
        Some(unsafe { host.read_unaligned() })
    }

    /// Writes the `N` bytes at `address` if its page needs no bookkeeping; `false` and nothing
    /// written otherwise, and outside the windows.
    #[inline(always)]
    pub(super) fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> bool {
        let Some(directory) = self.directory_of(address) else {
            return self.store_high(address, bytes);
        };
        // SAFETY: an address that has an entry is below 2^48, so its page index is below 2^36.
        let flags = unsafe { *directory.flags.get_unchecked((address >> PAGE_SHIFT) as usize) };
        if flags != Flags::WRITABLE {
            return false;
        }
        // SAFETY: as above, the window number is below 2^12.
        let window =
            unsafe { *directory.windows.get_unchecked((address >> WINDOW_SHIFT) as usize) };
        let host = window.wrapping_add(address as usize).cast::<[u8; N]>();
        // SAFETY: flags that are not zero occur in windows only, so the 64 GiB of this address are
        // reserved and writable, and N (at most 8) bytes beyond them too.
        unsafe { host.write_unaligned(bytes) };
        true
    }

    /// Flags of a page, or `None` outside the windows.
    pub(super) fn flags(&self, index: u64) -> Option<Flags> {
        if let Some(page) = self.high_page(index) {
            // SAFETY: as in `store_high`; nothing writes to it while `self` is borrowed.
            return Some(unsafe { (&raw const (*self.high.as_ptr()).flags[page]).read() });
        }
        self.window_of_page(index)?;
        self.directory()?.flags.get(index as usize).copied()
    }

    /// Flags of a page for writing, or `None` outside the windows.
    pub(super) fn flags_mut(&mut self, index: u64) -> Option<&mut Flags> {
        if let Some(page) = self.high_page(index) {
            // SAFETY: as in `store_high`, and `self` is borrowed exclusively.
            return Some(unsafe { &mut (*self.high.as_ptr()).flags[page] });
        }
        self.window_of_page(index)?;
        self.directory_mut()?.flags.get_mut(index as usize)
    }

    /// Content of a page, or `None` outside the windows.
    pub(super) fn content(&self, index: u64) -> Option<&Page> {
        let host = self.window_of_page(index)?.wrapping_add((index << PAGE_SHIFT) as usize);
        // SAFETY: the whole page lies in a reserved, readable window that lives as long as `self`,
        // and nothing writes to it while `self` is borrowed.
        Some(unsafe { &*host.cast::<Page>() })
    }

    /// Content of a page for writing, or `None` outside the windows.
    pub(super) fn content_mut(&mut self, index: u64) -> Option<&mut Page> {
        let host = self.window_of_page(index)?.wrapping_add((index << PAGE_SHIFT) as usize);
        // SAFETY: the whole page lies in a reserved, writable window that lives as long as `self`,
        // which is borrowed exclusively.
        Some(unsafe { &mut *host.cast::<Page>() })
    }

    /// Asks the host for large pages in all windows from now on. A hint: refusal costs speed only.
    pub(super) fn advise_large_pages(&mut self) {
        #[cfg(target_os = "linux")]
        for window in self.reservations.iter().skip(1) {
            // SAFETY: the advice changes how the range is backed, never what it holds.
            let _ = unsafe {
                mm::madvise(window.start.as_ptr().cast(), WINDOW_BYTES, Advice::LinuxHugepage)
            };
        }
    }

    /// Host address that guest address 0 would have, for a page in a window.
    fn window_of_page(&self, index: u64) -> Option<*mut u8> {
        if self.high_page(index).is_some() {
            return Some(self.high.as_ptr().cast::<u8>().wrapping_sub(HIGH_START as usize));
        }
        let number = (index >> PAGE_TO_WINDOW_SHIFT) as usize;
        self.directory()?.windows.get(number).copied().filter(|window| !window.is_null())
    }
}

/// A range of host address space, zero until written, given back when dropped.
struct Reservation {
    start: NonNull<u8>,
    bytes: usize,
}

impl Reservation {
    fn new(bytes: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        #[cfg(not(target_os = "linux"))]
        let flags = MapFlags::PRIVATE;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: with a null hint and without FIXED the mapping is new and overlaps nothing.
        let start =
            unsafe { mm::mmap_anonymous(ptr::null_mut(), bytes, protection, flags) }.ok()?;
        Some(Self { start: NonNull::new(start.cast())?, bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new` and nothing borrows from it once its owner is
        // dropped. Failure leaves it mapped, which is harmless.
        let _ = unsafe { mm::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
