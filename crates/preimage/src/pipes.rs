//! Channels over operating system pipes.
//!
//! ```text
//!   descriptor   program                       server
//!       3        reads hint acknowledgements   reads hints
//!       4        writes hints                  writes hint acknowledgements
//!       5        reads preimages               reads keys
//!       6        writes keys                   writes preimages
//! ```
//!
//! The numbers are the same on both sides, so [`Pipes::inherited`] serves either role.

use crate::{Channel, ChannelError};
use rustix::{io::Errno, pipe::PipeFlags};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::fd::OwnedFd,
};

/// Descriptors of the hint channel: read, write.
pub(crate) const HINT_DESCRIPTORS: [i32; 2] = [3, 4];
/// Descriptors of the preimage channel: read, write.
pub(crate) const PREIMAGE_DESCRIPTORS: [i32; 2] = [5, 6];

/// Why the pipes could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PipesError {
    /// A descriptor that the parent process should have left open cannot be used.
    #[error(
        "descriptor {descriptor} cannot be used as a preimage pipe ({source}); it has to be set up by the machine that starts this process"
    )]
    Inherited {
        /// The descriptor's number.
        descriptor: i32,
        /// What the system says.
        source: io::Error,
    },
    /// The system makes no more pipes.
    #[error("pipes cannot be created: {0}")]
    Create(io::Error),
}

/// One channel: a pipe in each direction.
#[derive(Debug)]
pub struct FileChannel {
    pub(crate) reader: File,
    pub(crate) writer: File,
}

impl FileChannel {
    /// A channel over two descriptors that block.
    pub fn new(reader: impl Into<OwnedFd>, writer: impl Into<OwnedFd>) -> Self {
        Self { reader: File::from(reader.into()), writer: File::from(writer.into()) }
    }

    /// Opens two inherited descriptors anew by their name below `/dev/fd`, which checks that they
    /// are open in the right direction and leaves flags that are shared with the parent alone.
    fn inherited([reader, writer]: [i32; 2]) -> Result<Self, PipesError> {
        let open = |descriptor, options: &OpenOptions| {
            options
                .open(format!("/dev/fd/{descriptor}"))
                .map_err(|source| PipesError::Inherited { descriptor, source })
        };
        Ok(Self {
            reader: open(reader, OpenOptions::new().read(true))?,
            writer: open(writer, OpenOptions::new().write(true))?,
        })
    }
}

impl Channel for FileChannel {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        self.reader.read_exact(buffer).map_err(ChannelError::from)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.writer.write_all(bytes).map_err(ChannelError::from)
    }
}

impl From<io::Error> for ChannelError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::WriteZero | io::ErrorKind::BrokenPipe => {
                Self::Closed
            }
            _ => Self::Os(error.raw_os_error().unwrap_or(Errno::IO.raw_os_error())),
        }
    }
}

impl From<Errno> for ChannelError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Both channels of one side.
#[derive(Debug)]
pub struct Pipes {
    /// Hints and their acknowledgements.
    pub hints: FileChannel,
    /// Keys and values.
    pub preimages: FileChannel,
}

impl Pipes {
    /// The descriptors 3 to 6 of this process, as set up by the process that started it.
    ///
    /// # Errors
    /// [`PipesError::Inherited`] names the first descriptor that is missing or no pipe.
    pub fn inherited() -> Result<Self, PipesError> {
        Ok(Self {
            hints: FileChannel::inherited(HINT_DESCRIPTORS)?,
            preimages: FileChannel::inherited(PREIMAGE_DESCRIPTORS)?,
        })
    }

    /// New pipes, closed on `exec`: the program's side and the server's side.
    ///
    /// # Errors
    /// [`PipesError::Create`] when the process may open no more descriptors.
    pub fn pair() -> Result<(Self, Self), PipesError> {
        let pipe = || {
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|e| PipesError::Create(e.into()))
        };
        let channel = || -> Result<_, PipesError> {
            let ((ours, theirs), (theirs_back, ours_back)) = (pipe()?, pipe()?);
            Ok((FileChannel::new(ours, ours_back), FileChannel::new(theirs_back, theirs)))
        };
        let ((hints, server_hints), (preimages, server_preimages)) = (channel()?, channel()?);
        Ok((Self { hints, preimages }, Self { hints: server_hints, preimages: server_preimages }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientOracle, PreimageKey, PreimageOracle};
    use alloy_primitives::keccak256;
    use proptest::prelude::*;
    use std::thread;

    /// Hands `bytes` over in pieces of the given sizes, over and over.
    fn write_in_pieces(mut writer: File, mut bytes: &[u8], sizes: &[usize]) {
        for size in sizes.iter().cycle() {
            if bytes.is_empty() {
                return;
            }
            let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
            writer.write_all(piece).unwrap();
            bytes = rest;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the server cuts its answers, the client gets the same values.
        #[test]
        fn answers_may_be_cut_anywhere(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..6),
            sizes in prop::collection::vec(1_usize..50, 1..20),
        ) {
            let (ours, theirs) = Pipes::pair().unwrap();
            let answers: Vec<u8> = values
                .iter()
                .flat_map(|value| [&(value.len() as u64).to_be_bytes()[..], value].concat())
                .collect();
            let received: Vec<Vec<u8>> = thread::scope(|scope| {
                scope.spawn(|| write_in_pieces(theirs.preimages.writer, &answers, &sizes));
                let mut client = ClientOracle::new(ours.preimages, ours.hints);
                values
                    .iter()
                    .map(|value| client.get(PreimageKey::keccak256(keccak256(value))).unwrap())
                    .collect()
            });
            prop_assert_eq!(received, values);
        }
    }
}
