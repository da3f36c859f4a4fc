//! Files as command lines name them: what a name means, and how a file comes into being.
//!
//! ```text
//!   name         read                   written
//!   (empty)      an error               nothing is written
//!   -            a file of that name    standard output, never compressed
//!   *.gz         unpacked               packed
//! ```
//!
//! Invariant: a regular file appears under its name complete or not at all. It is written beside its
//! place under a temporary name and renamed by [`Output::commit`]; devices and pipes are written in
//! place. Parent directories are not created.

use crate::cannon::Tool;
use alloy_primitives::B256;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use rebut_fpvm::mips::state::VERSION_NAMES;
use rebut_fpvm::{AnyState, Asterisc, Mips32, Mips64, State, StateFileError};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use signal_hook::consts::SIGXFSZ;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// The mode of every file written, whatever the umask: that of the deployed tool.
const MODE: u32 = 0o755;
/// Most bytes of a state, unpacked. Bounds what a small packed file can make this process hold.
const STATE_LIMIT_BYTES: u64 = 16 << 30;
/// Buffer of a file that is read or written as a stream.
const BUFFER_BYTES: usize = 1 << 20;

/// Why a file could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be opened or read, or cannot be unpacked.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system or the decompressor says.
        source: io::Error,
    },
    /// The file is larger than anything of its kind.
    #[error("{} is larger than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, unpacked.
        limit_bytes: u64,
    },
    /// The file is not the JSON document that it should be.
    #[error("{} is not {what}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The content is no state of a supported version.
    #[error("{} is not a readable state: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: StateFileError,
    },
    /// The content is a state of a machine that another command is for.
    #[error("{} is a state of {found}: give it to `rebut {command}`", path.display())]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// Its machine.
        found: &'static str,
        /// The command.
        command: &'static str,
    },
    /// The folder that should hold a new file is not there.
    #[error("cannot write {}: there is no folder {}", path.display(), folder.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file, or what stands for it.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Makes writing beyond the file size limit of the process an error, instead of its end in the middle
/// of a file.
pub fn report_size_limits() {
    // Without the handler the system's default stays, which loses no more than a temporary file.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

/// True for names of states in binary form, packed or not.
pub fn is_binary_state(name: &Path) -> bool {
    let name = name.as_os_str().as_encoded_bytes();
    name.ends_with(b".bin") || name.ends_with(b".bin.gz")
}

fn is_packed(name: &Path) -> bool {
    name.as_os_str().as_encoded_bytes().ends_with(b".gz")
}

/// A file's content, unpacked if its name says so.
fn open(path: &Path) -> Result<Box<dyn Read>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    Ok(if is_packed(path) {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(BufReader::new(file))))
    } else {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, file))
    })
}

/// Reads a whole file of at most `limit_bytes`, unpacked if its name ends in `.gz`.
///
/// # Errors
/// The file cannot be read or is larger.
pub fn read(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    read_all(path, open(path)?, limit_bytes)
}

/// Reads a whole file of at most `limit_bytes` as it is, whatever its name.
///
/// # Errors
/// The file cannot be read or is larger.
pub fn read_raw(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let file =
        File::open(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    read_all(path, file, limit_bytes)
}

fn read_all(path: &Path, stream: impl Read, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    stream
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit_bytes {
        return Err(FileError::TooLarge { path: path.to_owned(), limit_bytes });
    }
    Ok(bytes)
}

/// Reads a JSON document of at most `limit_bytes`; `what` says for the error message what it is.
///
/// # Errors
/// The file cannot be read, or is no such document.
pub fn read_json<T: DeserializeOwned>(
    path: &Path,
    limit_bytes: u64,
    what: &'static str,
) -> Result<T, FileError> {
    let bytes = read(path, limit_bytes)?;
    serde_json::from_slice(&bytes).map_err(|source| FileError::Json {
        path: path.to_owned(),
        what,
        source,
    })
}

/// A state of any machine.
pub enum StateOfAny {
    /// Of the 32-bit Cannon.
    Mips32(State<Mips32>),
    /// Of the 64-bit Cannon.
    Mips64(State<Mips64>),
    /// Of Asterisc.
    Asterisc(State<Asterisc>),
}

impl StateOfAny {
    /// The state hash.
    pub fn hash(&mut self) -> B256 {
        match self {
            Self::Mips32(state) => state.hash(),
            Self::Mips64(state) => state.hash(),
            Self::Asterisc(state) => state.hash(),
        }
    }
}

/// Whose files states lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Cannon,
    Asterisc,
}

/// Most bytes that tell whose a binary state is.
const MARK_BYTES: u64 = 5;

impl Family {
    /// Whose a binary state is by its first bytes, else nothing. Cannon's begins with the version and the number of
    /// pages, 4 bytes in version 0; Asterisc's with the number of pages in 8 bytes, of which the first 5 are zero in
    /// any that fits into a file.
    fn of_binary(begin: &[u8]) -> Option<Self> {
        match *begin {
            [0, 0, 0, 0, 0] => Some(Self::Asterisc),
            [version, _, _, _, _] if usize::from(version) < VERSION_NAMES.len() => {
                Some(Self::Cannon)
            }
            _ => None,
        }
    }

    /// The same by what stands in one JSON form and not in the other.
    fn of_json(text: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Marks {
            #[serde(rename = "nextPC")]
            next_pc: Option<IgnoredAny>,
            load_reservation: Option<IgnoredAny>,
        }
        match serde_json::from_slice(text).ok()? {
            Marks { next_pc: Some(_), load_reservation: None } => Some(Self::Cannon),
            Marks { next_pc: None, load_reservation: Some(_) } => Some(Self::Asterisc),
            Marks { .. } => None,
        }
    }
}

/// Reads a state of whichever machine: binary from a `.bin` or `.bin.gz` file, JSON from any other.
///
/// # Errors
/// A file that cannot be read to its end, or that holds no state of a supported version.
pub fn read_state_of_any(path: &Path) -> Result<StateOfAny, FileError> {
    read_state_else(path, Family::Cannon)
}

/// Where a file does not tell whose state it is, it is read as `usual`, for an error in the right words.
fn read_state_else(path: &Path, usual: Family) -> Result<StateOfAny, FileError> {
    let mut stream = open(path)?.take(STATE_LIMIT_BYTES);
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let is_binary = is_binary_state(path);
    let mut begin = Vec::new();
    let mark_bytes = if is_binary { MARK_BYTES } else { STATE_LIMIT_BYTES };
    stream.by_ref().take(mark_bytes).read_to_end(&mut begin).map_err(failed)?;
    let family = if is_binary { Family::of_binary(&begin) } else { Family::of_json(&begin) };
    let mut whole = begin.as_slice().chain(&mut stream);
    let state = match (family.unwrap_or(usual), is_binary) {
        (Family::Cannon, true) => AnyState::read(&mut whole).map(StateOfAny::from),
        (Family::Cannon, false) => State::<Mips32>::read_json(&mut whole).map(StateOfAny::Mips32),
        (Family::Asterisc, true) => {
            State::<Asterisc>::from_binary(&mut whole).map(StateOfAny::Asterisc)
        }
        (Family::Asterisc, false) => {
            State::<Asterisc>::read_json(&mut whole).map(StateOfAny::Asterisc)
        }
    };
    let state = state.map_err(|source| FileError::State { path: path.to_owned(), source })?;
    // The checksum of a packed file stands behind its last byte.
    io::copy(&mut stream, &mut io::sink()).map_err(failed)?;
    Ok(state)
}

impl From<AnyState> for StateOfAny {
    fn from(state: AnyState) -> Self {
        match state {
            AnyState::Mips32(state) => Self::Mips32(state),
            AnyState::Mips64(state) => Self::Mips64(state),
        }
    }
}

/// Reads a state of Cannon, as [`read_state_of_any`].
///
/// # Errors
/// As [`read_state_of_any`], and a state of another machine.
pub fn read_state(path: &Path) -> Result<AnyState, FileError> {
    match read_state_of_any(path)? {
        StateOfAny::Mips32(state) => Ok(AnyState::Mips32(state)),
        StateOfAny::Mips64(state) => Ok(AnyState::Mips64(state)),
        StateOfAny::Asterisc(_) => Err(other_machine(path, "Asterisc", "asterisc")),
    }
}

/// Reads a state of Asterisc, as [`read_state_of_any`].
///
/// # Errors
/// As [`read_state_of_any`], and a state of another machine.
pub fn read_asterisc_state(path: &Path) -> Result<State<Asterisc>, FileError> {
    match read_state_else(path, Family::Asterisc)? {
        StateOfAny::Asterisc(state) => Ok(state),
        StateOfAny::Mips32(_) | StateOfAny::Mips64(_) => {
            Err(other_machine(path, "Cannon", "cannon"))
        }
    }
}

fn other_machine(path: &Path, found: &'static str, command: &'static str) -> FileError {
    FileError::OtherMachine { path: path.to_owned(), found, command }
}

/// The folder that holds a file, which must be there.
fn folder_of(name: &Path) -> Result<&Path, FileError> {
    let folder = match name.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(FileError::Folder { path: name.to_owned(), folder: folder.to_owned() });
    }
    Ok(folder)
}

/// Makes sure that a file of that name has a folder, before work begins whose result goes there.
///
/// # Errors
/// There is none.
pub fn check_folder(name: &Path) -> Result<(), FileError> {
    match name.to_str() {
        Some("" | "-") => Ok(()),
        _ => folder_of(name).map(drop),
    }
}

/// A file that is being written. Dropping it without [`commit`](Self::commit) leaves nothing behind.
#[derive(Debug)]
#[must_use]
pub struct Output {
    name: PathBuf,
    pack: bool,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Nothing,
    Stdout(Vec<u8>),
    /// A device or a pipe.
    Special(File),
    Regular(NamedTempFile),
}

impl Output {
    /// Prepares to write the file of that name.
    ///
    /// # Errors
    /// The folder is missing, or nothing can be created in it.
    pub fn create(name: &Path) -> Result<Self, FileError> {
        let target = match name.to_str() {
            Some("") => Target::Nothing,
            Some("-") => Target::Stdout(Vec::new()),
            _ => Self::open(name)?,
        };
        Ok(Self { name: name.to_owned(), pack: is_packed(name), target })
    }

    /// As [`create`](Self::create), but never packed, whatever the name.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_raw(name: &Path) -> Result<Self, FileError> {
        Ok(Self { pack: false, ..Self::create(name)? })
    }

    fn open(name: &Path) -> Result<Target, FileError> {
        let failed = |source| FileError::Write { path: name.to_owned(), source };
        let folder = folder_of(name)?;
        // Renaming something onto a device would replace the device.
        if let Ok(there) = name.metadata()
            && !there.is_file()
        {
            return OpenOptions::new().write(true).open(name).map(Target::Special).map_err(failed);
        }
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name.file_name().unwrap_or_default());
        prefix.push(".");
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder).map_err(failed)?;
        file.as_file().set_permissions(Permissions::from_mode(MODE)).map_err(failed)?;
        Ok(Target::Regular(file))
    }

    /// Writes the content, packed if the name ends in `.gz`.
    ///
    /// # Errors
    /// The content's own, or the system's when the content cannot be stored.
    pub fn fill(
        &mut self,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let pack = self.pack;
        match &mut self.target {
            Target::Nothing => Ok(()),
            Target::Stdout(bytes) => content(bytes),
            Target::Special(file) => fill(file, pack, content),
            Target::Regular(file) => fill(file.as_file_mut(), pack, content),
        }
        .map_err(|source| FileError::Write { path: self.name.clone(), source })
    }

    /// Makes sure that the content survives a crash of the system.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> Result<(), FileError> {
        let synced = match &self.target {
            Target::Regular(file) => file.as_file().sync_all(),
            _ => Ok(()),
        };
        synced.map_err(|source| FileError::Write { path: self.name.clone(), source })
    }

    /// Puts the file in its place, replacing what was there.
    ///
    /// # Errors
    /// The system's; the file is then as it was before.
    pub fn commit(self) -> Result<(), FileError> {
        match self.target {
            Target::Nothing | Target::Special(_) => Ok(()),
            Target::Stdout(bytes) => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes).and_then(|()| out.flush()).map_err(|source| {
                    FileError::Write { path: "the standard output".into(), source }
                })
            }
            Target::Regular(file) => file
                .persist(&self.name)
                .map(drop)
                .map_err(|error| FileError::Write { path: self.name, source: error.error }),
        }
    }
}

/// Writes through a buffer and, if asked, a compressor, and sees to it that all of it arrives.
fn fill(
    file: &mut File,
    pack: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    if pack {
        let encoder = GzEncoder::new(&mut file, Compression::fast());
        let mut encoder = BufWriter::with_capacity(BUFFER_BYTES, encoder);
        content(&mut encoder)?;
        encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
    } else {
        content(&mut file)?;
    }
    file.flush()
}

/// A JSON document on its way to `name`: indented by two spaces, with two line feeds at its end.
///
/// # Errors
/// The file cannot be written.
pub fn json_output(name: &Path, document: &impl Serialize) -> Result<Output, FileError> {
    let mut output = Output::create(name)?;
    output.fill(|out| {
        serde_json::to_writer_pretty(&mut *out, document)?;
        out.write_all(b"\n\n")
    })?;
    Ok(output)
}

/// Writes a JSON document as [`json_output`] does.
///
/// # Errors
/// The file cannot be written.
pub fn write_json(name: &Path, document: &impl Serialize) -> Result<(), FileError> {
    json_output(name, document)?.commit()
}

/// A state on its way to `name`: in binary form, or as JSON where the name is none of a binary state.
///
/// # Errors
/// The file cannot be written.
pub fn state_output<V: Tool>(
    name: &Path,
    state: &State<V>,
    seal: &V::Seal,
) -> Result<Output, FileError> {
    let mut output = Output::create(name)?;
    if is_binary_state(name) {
        output.fill(|out| V::write(state, seal, out))?;
    } else {
        output.fill(|out| V::write_json(state, seal, out))?;
    }
    output.sync()?;
    Ok(output)
}
