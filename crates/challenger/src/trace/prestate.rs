//! Absolute prestates by their hashes, from a file, a folder or a server.
//!
//! ```text
//!   <folder>/<0xhash>.bin.gz   then its other forms   on disk
//!   <base>/<0xhash>.bin.gz     http, https or file    else; kept in the folder once it is verified
//! ```
//!
//! A prestate is what hashes to its name: the name is the hash that a game has among its own arguments, so a game is
//! played with its own prestate or not at all. A server that answers with an error page has none.
//!
//! Source: the deployed challenger's prestate folder and server.

use alloy_primitives::B256;
use flate2::read::MultiGzDecoder;
use rebut_fpvm::{Asterisc, Mips64, State, StateFileError, Version, Vm};
use rebut_preimage::{StoreError, store::replace};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most bytes of a state, unpacked.
const STATE_LIMIT_BYTES: u64 = 4 << 30;
/// Most bytes of a download.
const DOWNLOAD_LIMIT_BYTES: u64 = 512 << 20;
/// Most time of a download.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// A machine whose states lie in files.
pub trait Stored:
    Vm<Version: Send + Version<Vm = Self>, Processor: Send + Sync> + Sized + 'static
{
    /// Its name.
    const NAME: &'static str;
    /// Endings of its files in the order in which they are tried.
    const ENDINGS: &'static [&'static str];

    /// Reads a state, unpacked; in which form, the file's name says.
    ///
    /// # Errors
    /// What is wrong, where it is none.
    fn read_state(name: &Path, stream: &mut dyn Read) -> Result<State<Self>, StateFileError>;
}

impl Stored for Mips64 {
    const NAME: &'static str = "cannon";
    const ENDINGS: &'static [&'static str] = &[".bin.gz", ".bin"];

    fn read_state(_: &Path, stream: &mut dyn Read) -> Result<State, StateFileError> {
        State::read(stream)
    }
}

impl Stored for Asterisc {
    const NAME: &'static str = "asterisc";
    const ENDINGS: &'static [&'static str] = &[".bin.gz", ".json.gz", ".json", ".bin"];

    fn read_state(name: &Path, stream: &mut dyn Read) -> Result<State<Self>, StateFileError> {
        let name = name.as_os_str().as_encoded_bytes();
        let plain = name.strip_suffix(b".gz").unwrap_or(name);
        if plain.ends_with(b".bin") {
            return State::<Self>::from_binary(stream);
        }
        State::<Self>::read_json(BufReader::new(stream))
    }
}

/// Why there is no prestate.
#[derive(Debug, thiserror::Error)]
pub enum PrestateError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no state.
    #[error("{}: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: StateFileError,
    },
    /// A state with another hash than the one wanted.
    #[error("{place}: it is the prestate {found}, not {wanted}")]
    Mismatch {
        /// Where it is from.
        place: String,
        /// Its hash.
        found: B256,
        /// The one wanted.
        wanted: B256,
    },
    /// Neither the folder nor the server has it.
    #[error("there is no prestate {wanted}: {tried}")]
    Missing {
        /// The one wanted.
        wanted: B256,
        /// Where it was looked for, and what was found there.
        tried: String,
    },
    /// A base that is no address.
    #[error("{0:?} is neither an http, https nor file address")]
    Base(String),
    /// A downloaded prestate cannot be kept.
    #[error(transparent)]
    Keep(#[from] StoreError),
}

/// Where prestates are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// One file for all games.
    File(PathBuf),
    /// A folder, and a base address behind it.
    Named { folder: PathBuf, base: Option<Base> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    Folder(PathBuf),
    Server(String),
}

/// Prestates by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prestates(Place);

/// What is known of prestates before a game asks for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// One file, with this prestate.
    One(B256),
    /// Those that games name, as far as they are there.
    ByHash,
    /// So far none: there is no base, and nothing in the folder.
    None {
        /// The folder.
        folder: PathBuf,
    },
}

/// A verified prestate.
#[derive(Debug)]
pub struct Prestate<V: Vm = Mips64> {
    /// The state.
    pub state: State<V>,
    /// Its hash.
    pub hash: B256,
    /// A file that holds it, for programs that want one.
    pub file: PathBuf,
}

impl Prestates {
    /// One file that serves every game.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// Those in `folder`, made where it does not exist, and below `base`, an http, https or file address.
    ///
    /// # Errors
    /// [`PrestateError::Base`].
    pub fn named(folder: impl Into<PathBuf>, base: Option<&str>) -> Result<Self, PrestateError> {
        let base = base.map(|base| match base.split_once("://") {
            Some(("file", path)) if !path.is_empty() => Ok(Base::Folder(path.into())),
            Some(("http" | "https", rest)) if !rest.is_empty() => {
                Ok(Base::Server(base.trim_end_matches('/').to_owned()))
            }
            _ => Err(PrestateError::Base(base.to_owned())),
        });
        Ok(Self(Place::Named { folder: folder.into(), base: base.transpose()? }))
    }

    /// Looks at what is there: reads the one file, and finds the folder of a base.
    ///
    /// # Errors
    /// [`PrestateError::Io`] or [`PrestateError::State`] where that is not readable. Nothing is downloaded.
    pub fn supply<V: Stored>(&self) -> Result<Supply, PrestateError> {
        let (folder, base) = match &self.0 {
            Place::File(path) => return Ok(Supply::One(read_file::<V>(path)?.hash())),
            Place::Named { folder, base } => (folder, base),
        };
        let entries = |path: &Path| {
            fs::read_dir(path)
                .map(Iterator::count)
                .map_err(|source| PrestateError::Io { path: path.into(), source })
        };
        match base {
            Some(Base::Server(_)) => Ok(Supply::ByHash),
            Some(Base::Folder(path)) => entries(path).map(|_| Supply::ByHash),
            None if entries(folder).is_ok_and(|count| count > 0) => Ok(Supply::ByHash),
            None => Ok(Supply::None { folder: folder.clone() }),
        }
    }

    /// The prestate of a machine with this hash.
    ///
    /// # Errors
    /// [`PrestateError::Mismatch`] where the one file is another, else why there is none.
    pub fn get<V: Stored>(&self, wanted: B256) -> Result<Prestate<V>, PrestateError> {
        match &self.0 {
            Place::File(path) => {
                let mut state = read_file::<V>(path)?;
                let found = state.hash();
                if found != wanted {
                    let place = path.display().to_string();
                    return Err(PrestateError::Mismatch { place, found, wanted });
                }
                Ok(Prestate { state, hash: found, file: path.clone() })
            }
            Place::Named { folder, base } => find(folder, base.as_ref(), wanted),
        }
    }
}

/// Looks in the folder, then below the base.
fn find<V: Stored>(
    folder: &Path,
    base: Option<&Base>,
    wanted: B256,
) -> Result<Prestate<V>, PrestateError> {
    let mut tried = Vec::new();
    let folders = [
        Some(folder),
        match base {
            Some(Base::Folder(path)) => Some(path.as_path()),
            _ => None,
        },
    ];
    for folder in folders.into_iter().flatten() {
        for ending in V::ENDINGS {
            let path = folder.join(format!("{wanted}{ending}"));
            if !path.exists() {
                continue;
            }
            match read_file(&path).and_then(|state| checked(state, wanted, path.display())) {
                Ok(state) => return Ok(Prestate { state, hash: wanted, file: path }),
                // Another place may have the right one.
                Err(error) => tried.push(error.to_string()),
            }
        }
        tried.push(format!("{} has none", folder.display()));
    }
    if let Some(Base::Server(base)) = base {
        for ending in V::ENDINGS {
            let url = format!("{base}/{wanted}{ending}");
            let content = match download(&url) {
                Ok(content) => content,
                Err(error) => {
                    tried.push(format!("{}: {error}", shown(&url)));
                    continue;
                }
            };
            let name = Path::new(ending);
            let state = read_state(name, content.as_slice());
            match state.and_then(|state| checked(state, wanted, shown(&url))) {
                Ok(state) => {
                    let file = folder.join(format!("{wanted}{ending}"));
                    keep(folder, &file, &content)?;
                    return Ok(Prestate { state, hash: wanted, file });
                }
                Err(error) => tried.push(format!("{}: {error}", shown(&url))),
            }
        }
    }
    if base.is_none() {
        tried.push("no place with prestates is named by --prestates-url".to_owned());
    }
    Err(PrestateError::Missing { wanted, tried: tried.join("; ") })
}

fn checked<V: Stored>(
    mut state: State<V>,
    wanted: B256,
    place: impl std::fmt::Display,
) -> Result<State<V>, PrestateError> {
    match state.hash() {
        found if found == wanted => Ok(state),
        found => Err(PrestateError::Mismatch { place: place.to_string(), found, wanted }),
    }
}

fn keep(folder: &Path, file: &Path, content: &[u8]) -> Result<(), PrestateError> {
    fs::create_dir_all(folder)
        .map_err(|source| PrestateError::Io { path: folder.into(), source })?;
    Ok(replace(file, |writer| writer.write_all(content))?)
}

fn read_file<V: Stored>(path: &Path) -> Result<State<V>, PrestateError> {
    let file =
        File::open(path).map_err(|source| PrestateError::Io { path: path.into(), source })?;
    read_state(path, BufReader::new(file))
}

/// Reads a state to its last byte, behind which a packed one has its checksum.
fn read_state<V: Stored>(path: &Path, reader: impl Read) -> Result<State<V>, PrestateError> {
    let is_packed = path.as_os_str().as_encoded_bytes().ends_with(b".gz");
    let plain: Box<dyn Read + '_> = match is_packed {
        true => Box::new(BufReader::new(MultiGzDecoder::new(reader))),
        false => Box::new(reader),
    };
    let mut limited = plain.take(STATE_LIMIT_BYTES);
    let state = V::read_state(path, &mut limited)
        .map_err(|source| PrestateError::State { path: path.into(), source })?;
    let rest = io::copy(&mut limited, &mut io::sink())
        .map_err(|source| PrestateError::Io { path: path.into(), source })?;
    if rest > 0 {
        let source = io::Error::new(ErrorKind::InvalidData, "bytes behind the state");
        return Err(PrestateError::Io { path: path.into(), source });
    }
    Ok(state)
}

fn download(url: &str) -> Result<Vec<u8>, ureq::Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(DOWNLOAD_TIMEOUT))
        .user_agent("rebut")
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let mut response = agent.get(url).call()?;
    response.body_mut().with_config().limit(DOWNLOAD_LIMIT_BYTES).read_to_vec()
}

/// An address without what may be secret in it.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests;
