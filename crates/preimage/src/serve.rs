//! The serving half: answers a program in another process, or in another thread of this one.
//!
//! Both request pipes are read as data arrives, so a request cut into pieces on one of them never
//! delays the other. A clean end of either pipe is how the program's machine says that it is done.

use crate::{
    Channel, ChannelError, KeyError, OracleError, Pipes, PreimageKey, PreimageOracle,
    pipes::FileChannel,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::{io::Read, mem};

/// The longest hint a server reads, in bytes. A payload witness carries the transactions of a
/// block as hexadecimal text, which a block's gas limit keeps far below this.
pub const HINT_LIMIT_BYTES: usize = 64 << 20;

/// How much memory is taken for a hint before the bytes that fill it have arrived.
const RESERVE_BYTES: usize = 64 << 10;

/// What was served until the program was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Hints acknowledged.
    pub hints: u64,
    /// Keys answered.
    pub preimages: u64,
    /// Bytes of values, without their length prefixes.
    pub value_bytes: u64,
}

/// Why serving ended before the program was done.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Waiting for requests failed.
    #[error("the request pipes cannot be watched: {0}")]
    Watch(std::io::Error),
    /// The hint pipe broke inside a hint, or the acknowledgement could not be written.
    #[error("the hint channel failed: {0}")]
    HintChannel(ChannelError),
    /// The preimage pipe broke inside a key, or the answer could not be written.
    #[error("the preimage channel failed: {0}")]
    PreimageChannel(ChannelError),
    /// The program announced a hint above [`HINT_LIMIT_BYTES`].
    #[error("a hint is announced with {length_bytes} bytes, the limit is {limit_bytes}")]
    HintTooLong {
        /// The announced length.
        length_bytes: u32,
        /// [`HINT_LIMIT_BYTES`].
        limit_bytes: usize,
    },
    /// The program asked for something that is no key.
    #[error("a request for what is no key: {0}")]
    Key(#[from] KeyError),
    /// The value of a key could not be had. The protocol has no answer for this case.
    #[error("a key cannot be answered: {0}")]
    Preimage(#[source] OracleError),
    /// A hint could not be followed. It was acknowledged before this error.
    #[error("a hint cannot be followed: {0}")]
    Hint(#[source] OracleError),
}

/// Answers requests on `pipes` from `oracle` until the program closes a request pipe between two
/// requests.
///
/// Values go out as the oracle gives them: wrap it in a
/// [`VerifyingOracle`](crate::VerifyingOracle) unless it checks by itself.
///
/// # Errors
/// [`ServeError`]; the process that serves should then end, since the program waits for an answer
/// that will not come.
pub fn serve<O: PreimageOracle>(oracle: &mut O, pipes: Pipes) -> Result<Served, ServeError> {
    let mut server = Server {
        oracle,
        hints: pipes.hints,
        preimages: pipes.preimages,
        key: Piece::new(32),
        hint: HintPart::Length(Piece::new(4)),
        served: Served::default(),
    };
    loop {
        let (hint_ready, preimage_ready) = server.wait().map_err(ServeError::Watch)?;
        let preimages = if preimage_ready { server.read_key()? } else { Progress::More };
        let hints = if hint_ready { server.read_hint()? } else { Progress::More };
        if preimages == Progress::End || hints == Progress::End {
            return server.end();
        }
    }
}

#[derive(PartialEq, Eq)]
enum Progress {
    /// The pipe may have more.
    More,
    /// The pipe has ended, see [`Server::end`].
    End,
}

/// A part of a request whose length is known, filled as its bytes arrive.
struct Piece {
    bytes: Vec<u8>,
    length: usize,
}

impl Piece {
    const fn new(length: usize) -> Self {
        Self { bytes: Vec::new(), length }
    }

    const fn is_full(&self) -> bool {
        self.bytes.len() == self.length
    }

    /// Reads once, never beyond the piece. `None` at the end of the pipe.
    fn read(&mut self, channel: &mut FileChannel) -> Result<Option<()>, ChannelError> {
        let start = self.bytes.len();
        self.bytes.resize(self.length.min(start + RESERVE_BYTES), 0);
        let result = loop {
            match channel.reader.read(&mut self.bytes[start..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.bytes.truncate(start + *result.as_ref().unwrap_or(&0));
        Ok((result? != 0).then_some(()))
    }
}

enum HintPart {
    Length(Piece),
    Text(Piece),
}

struct Server<'a, O> {
    oracle: &'a mut O,
    hints: FileChannel,
    preimages: FileChannel,
    key: Piece,
    hint: HintPart,
    served: Served,
}

impl<O: PreimageOracle> Server<'_, O> {
    /// Waits until a request pipe has data or has ended: hints, preimages.
    fn wait(&self) -> Result<(bool, bool), std::io::Error> {
        let mut watched = [
            PollFd::new(&self.hints.reader, PollFlags::IN),
            PollFd::new(&self.preimages.reader, PollFlags::IN),
        ];
        loop {
            match poll(&mut watched, None) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => {
                    return Ok((
                        !watched[0].revents().is_empty(),
                        !watched[1].revents().is_empty(),
                    ));
                }
            }
        }
    }

    /// The end is clean unless the other pipe broke off inside a request.
    fn end(self) -> Result<Served, ServeError> {
        let hint_begun = match &self.hint {
            HintPart::Length(piece) => !piece.bytes.is_empty(),
            HintPart::Text(_) => true,
        };
        match (hint_begun, self.key.bytes.is_empty()) {
            (true, _) => Err(ServeError::HintChannel(ChannelError::Closed)),
            (_, false) => Err(ServeError::PreimageChannel(ChannelError::Closed)),
            (false, true) => Ok(self.served),
        }
    }

    fn read_key(&mut self) -> Result<Progress, ServeError> {
        let read = self.key.read(&mut self.preimages).map_err(ServeError::PreimageChannel)?;
        if read.is_none() {
            return Ok(Progress::End);
        }
        if self.key.is_full() {
            let bytes = mem::replace(&mut self.key, Piece::new(32)).bytes;
            let bytes: [u8; 32] = bytes.try_into().expect("a full piece of 32 bytes");
            self.answer(PreimageKey::parse(bytes)?)?;
        }
        Ok(Progress::More)
    }

    fn answer(&mut self, key: PreimageKey) -> Result<(), ServeError> {
        let value = self.oracle.get(key).map_err(ServeError::Preimage)?;
        let length = (value.len() as u64).to_be_bytes();
        self.preimages.write_all(&length).map_err(ServeError::PreimageChannel)?;
        self.preimages.write_all(&value).map_err(ServeError::PreimageChannel)?;
        self.served.preimages += 1;
        self.served.value_bytes += value.len() as u64;
        Ok(())
    }

    fn read_hint(&mut self) -> Result<Progress, ServeError> {
        let (HintPart::Length(piece) | HintPart::Text(piece)) = &mut self.hint;
        if piece.read(&mut self.hints).map_err(ServeError::HintChannel)?.is_none() {
            return Ok(Progress::End);
        }
        if let HintPart::Length(piece) = &self.hint
            && piece.is_full()
        {
            let bytes = piece.bytes.as_slice().try_into().expect("a full piece of 4 bytes");
            self.hint = HintPart::Text(Piece::new(hint_length(u32::from_be_bytes(bytes))?));
        }
        if let HintPart::Text(piece) = &mut self.hint
            && piece.is_full()
        {
            let text = mem::take(&mut piece.bytes);
            self.hint = HintPart::Length(Piece::new(4));
            self.follow(&text)?;
        }
        Ok(Progress::More)
    }

    /// Acknowledges in any case: a program must not hang on a hint its host cannot follow.
    fn follow(&mut self, hint: &[u8]) -> Result<(), ServeError> {
        let result = self.oracle.hint(hint);
        self.hints.write_all(&[0]).map_err(ServeError::HintChannel)?;
        self.served.hints += 1;
        result.map_err(ServeError::Hint)
    }
}

fn hint_length(length_bytes: u32) -> Result<usize, ServeError> {
    match usize::try_from(length_bytes) {
        Ok(length) if length <= HINT_LIMIT_BYTES => Ok(length),
        _ => Err(ServeError::HintTooLong { length_bytes, limit_bytes: HINT_LIMIT_BYTES }),
    }
}

#[cfg(test)]
mod tests;
