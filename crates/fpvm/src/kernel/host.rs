//! What lies outside the guest: the preimage oracle, and where its output goes.

use crate::machine::error::StepError;
use alloy_primitives::B256;
use rebut_preimage::{PreimageKey, PreimageOracle};

/// Bytes of the length that precedes every preimage.
pub const LENGTH_PREFIX_BYTES: usize = 8;

/// Which of its two streams the guest writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// Receives what the guest prints.
pub trait Output {
    /// Takes the bytes of one write call, made by step number `step`.
    fn write(&mut self, stream: Stream, bytes: &[u8], step: u64);
}

/// Drops what the guest prints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Output for Silent {
    fn write(&mut self, _: Stream, _: &[u8], _: u64) {}
}

impl Output for Vec<u8> {
    fn write(&mut self, _: Stream, bytes: &[u8], _: u64) {
        self.extend_from_slice(bytes);
    }
}

impl<T: Output + ?Sized> Output for &mut T {
    fn write(&mut self, stream: Stream, bytes: &[u8], step: u64) {
        (**self).write(stream, bytes, step);
    }
}

/// The oracle behind a cache of one preimage, and the counters of what was asked.
///
/// The oracle is asked once for each change of key, at the first read after it.
pub(crate) struct Host<'h> {
    pub(crate) oracle: Box<dyn PreimageOracle + 'h>,
    pub(crate) output: Box<dyn Output + 'h>,
    /// The last preimage behind its length prefix.
    last: Option<(B256, Vec<u8>)>,
    /// Offset at which the current step read, if it did.
    pub(crate) read_offset: Option<u64>,
    pub(crate) requests: u64,
    /// Without prefixes.
    pub(crate) bytes: u64,
}

impl<'h> Host<'h> {
    pub(crate) fn new(oracle: Box<dyn PreimageOracle + 'h>, output: Box<dyn Output + 'h>) -> Self {
        Self { oracle, output, last: None, read_offset: None, requests: 0, bytes: 0 }
    }

    /// The bytes of the preimage from `offset` on, the length prefix included; never empty.
    pub(crate) fn read(&mut self, key: B256, offset: u64) -> Result<&[u8], StepError> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != key) {
            let data = self
                .oracle
                .get(PreimageKey::parse(key.0).map_err(rebut_preimage::OracleError::from)?)?;
            self.requests += 1;
            self.bytes += data.len() as u64;
            let mut value = Vec::with_capacity(LENGTH_PREFIX_BYTES + data.len());
            value.extend_from_slice(&(data.len() as u64).to_be_bytes());
            value.extend_from_slice(&data);
            self.last = Some((key, value));
        }
        let value = self.last.as_ref().map_or(&[][..], |(_, value)| value);
        let rest = usize::try_from(offset).ok().and_then(|at| value.get(at..)).unwrap_or_default();
        if rest.is_empty() {
            return Err(StepError::PreimageEnd { key, offset, length: value.len() as u64 });
        }
        self.read_offset = Some(offset);
        Ok(rest)
    }

    /// The preimage that the current step read: key, value with its prefix, offset.
    pub(crate) fn last_read(&self) -> Option<(B256, &[u8], u64)> {
        let offset = self.read_offset?;
        self.last.as_ref().map(|(key, value)| (*key, value.as_slice(), offset))
    }
}

impl std::fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("requests", &self.requests)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
