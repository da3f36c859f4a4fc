//! The flag byte of a page.

/// What is known of a page, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    /// The page exists: it was written at least once, be it with a zero. Never set by a read.
    pub(super) const PRESENT: Self = Self(1 << 0);
    /// Content may differ from what the Merkle tree was last told; listed in `Memory::unhashed`.
    pub(super) const UNHASHED: Self = Self(1 << 1);
    /// Content may differ from the last snapshot; listed in `Memory::unsaved`.
    pub(super) const UNSAVED: Self = Self(1 << 2);
    /// Decoded code was taken from the page.
    pub(super) const CODE: Self = Self(1 << 3);
    /// A code page was written; listed in `Memory::code_writes`.
    pub(super) const CODE_WRITTEN: Self = Self(1 << 4);

    /// The one value that lets a store write without any bookkeeping: all of it was done before.
    pub(super) const WRITABLE: Self = Self(Self::PRESENT.0 | Self::UNHASHED.0 | Self::UNSAVED.0);

    /// Whether any bit of `other` is set.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}
