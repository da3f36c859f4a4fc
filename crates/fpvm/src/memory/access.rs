//! Loads and stores.
//!
//! Values are big-endian. An access of several bytes must not cross a page, which no naturally
//! aligned one does (checked in debug builds). One that does is a mistake of the caller: what it
//! reads or writes is unspecified then, though it never leaves guest memory.
//!
//! Each function is a handful of host instructions; what a page needs before its first write, and
//! pages outside the windows, are dealt with out of line.

use super::{Memory, PAGE_BYTES, PAGE_SHIFT, flags::Flags};

impl Memory {
    /// The byte at `address`.
    #[inline(always)]
    #[must_use]
    pub fn load_u8(&self, address: u64) -> u8 {
        u8::from_be_bytes(self.load(address))
    }

    /// The 2 bytes at `address`.
    #[inline(always)]
    #[must_use]
    pub fn load_u16(&self, address: u64) -> u16 {
        u16::from_be_bytes(self.load(address))
    }

    /// The 4 bytes at `address`.
    #[inline(always)]
    #[must_use]
    pub fn load_u32(&self, address: u64) -> u32 {
        u32::from_be_bytes(self.load(address))
    }

    /// The 8 bytes at `address`.
    #[inline(always)]
    #[must_use]
    pub fn load_u64(&self, address: u64) -> u64 {
        u64::from_be_bytes(self.load(address))
    }

    /// Writes the byte at `address`.
    #[inline(always)]
    pub fn store_u8(&mut self, address: u64, value: u8) {
        self.store(address, value.to_be_bytes());
    }

    /// Writes the 2 bytes at `address`.
    #[inline(always)]
    pub fn store_u16(&mut self, address: u64, value: u16) {
        self.store(address, value.to_be_bytes());
    }

    /// Writes the 4 bytes at `address`.
    #[inline(always)]
    pub fn store_u32(&mut self, address: u64, value: u32) {
        self.store(address, value.to_be_bytes());
    }

    /// Writes the 8 bytes at `address`.
    #[inline(always)]
    pub fn store_u64(&mut self, address: u64, value: u64) {
        self.store(address, value.to_be_bytes());
    }

    /// As [`Self::store_u8`], unless decoded code was taken from the page: then nothing is written
    /// and the answer is `false`.
    #[inline(always)]
    #[must_use]
    pub fn try_store_u8(&mut self, address: u64, value: u8) -> bool {
        self.try_store(address, value.to_be_bytes())
    }

    /// As [`Self::store_u16`], unless decoded code was taken from the page: then nothing is
    /// written and the answer is `false`.
    #[inline(always)]
    #[must_use]
    pub fn try_store_u16(&mut self, address: u64, value: u16) -> bool {
        self.try_store(address, value.to_be_bytes())
    }

    /// As [`Self::store_u32`], unless decoded code was taken from the page: then nothing is
    /// written and the answer is `false`.
    #[inline(always)]
    #[must_use]
    pub fn try_store_u32(&mut self, address: u64, value: u32) -> bool {
        self.try_store(address, value.to_be_bytes())
    }

    /// As [`Self::store_u64`], unless decoded code was taken from the page: then nothing is
    /// written and the answer is `false`.
    #[inline(always)]
    #[must_use]
    pub fn try_store_u64(&mut self, address: u64, value: u64) -> bool {
        self.try_store(address, value.to_be_bytes())
    }

    /// Reads `out.len()` bytes from `address` on. The range may wrap around the end of the address
    /// space and may be absent in part.
    pub fn read_range(&self, mut address: u64, mut out: &mut [u8]) {
        while !out.is_empty() {
            let offset = address as usize % PAGE_BYTES;
            let length = out.len().min(PAGE_BYTES - offset);
            let (head, tail) = out.split_at_mut(length);
            head.copy_from_slice(
                &self.storage.content(address >> PAGE_SHIFT)[offset..offset + length],
            );
            address = address.wrapping_add(length as u64) & self.space().last_address();
            out = tail;
        }
    }

    /// Writes `bytes` from `address` on. The range may wrap around the end of the address space;
    /// an empty one makes no page exist.
    pub fn write_range(&mut self, mut address: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = address as usize % PAGE_BYTES;
            let (head, tail) = bytes.split_at(bytes.len().min(PAGE_BYTES - offset));
            let index = address >> PAGE_SHIFT;
            self.prepare_write(index);
            self.storage.content_mut(index)[offset..offset + head.len()].copy_from_slice(head);
            address = address.wrapping_add(head.len() as u64) & self.space().last_address();
            bytes = tail;
        }
    }

    #[inline(always)]
    fn load<const N: usize>(&self, address: u64) -> [u8; N] {
        debug_assert!(stays_in_page::<N>(address), "load of {N} bytes at {address:#x}");
        self.storage.load(address)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) {
        debug_assert!(stays_in_page::<N>(address), "store of {N} bytes at {address:#x}");
        if !self.storage.store_if_writable(address, bytes) {
            self.store_with_bookkeeping(address, bytes);
        }
    }

    #[inline(always)]
    fn try_store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> bool {
        debug_assert!(stays_in_page::<N>(address), "store of {N} bytes at {address:#x}");
        self.storage.store_if_writable(address, bytes)
            || self.try_store_with_bookkeeping(address, bytes)
    }

    #[cold]
    #[inline(never)]
    fn store_with_bookkeeping<const N: usize>(&mut self, address: u64, bytes: [u8; N]) {
        self.prepare_write(address >> PAGE_SHIFT);
        self.storage.store(address, bytes);
    }

    #[cold]
    #[inline(never)]
    fn try_store_with_bookkeeping<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> bool {
        if self.storage.flags(address >> PAGE_SHIFT).has(Flags::CODE) {
            return false;
        }
        self.store_with_bookkeeping(address, bytes);
        true
    }
}

const fn stays_in_page<const N: usize>(address: u64) -> bool {
    address as usize % PAGE_BYTES + N <= PAGE_BYTES
}
