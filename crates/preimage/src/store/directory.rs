//! One file a key, in the two layouts a challenger reads.
//!
//! ```text
//!   file        <directory>/0x<64 hex digits>.txt
//!   directory   <directory>/<first 4 digits>/<other 60>.txt
//! ```
//!
//! A file holds its value as hexadecimal digits without prefix. The file `kvformat` names the
//! layout; without it the layout is `file`.

use super::{PreimageStore, StoreError, check, file};
use crate::{PreimageKey, VALUE_LIMIT_BYTES};
use alloy_primitives::hex;
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The marker file.
const MARKER: &str = "kvformat";
/// No layout's name is longer.
const MARKER_LIMIT_BYTES: usize = 64;

/// How keys become file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All files in one directory.
    File,
    /// One directory for each pair of first key bytes.
    Directory,
}

impl Layout {
    /// The word in the marker file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
        }
    }
}

/// Values in a directory, one file each.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    path: PathBuf,
    layout: Layout,
}

impl DirectoryStore {
    /// A store in an existing directory, in the layout its marker names. Writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Layout`] for a marker with another word, [`StoreError::Io`] when the
    /// directory cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        if let Err(source) = fs::read_dir(&path) {
            return Err(StoreError::Io { path, action: "read the directory", source });
        }
        let layout = read_marker(&path.join(MARKER))?.unwrap_or(Layout::File);
        Ok(Self { path, layout })
    }

    /// A store in a directory that is made where it does not exist. A marker that is there decides
    /// the layout, otherwise `layout` is recorded.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`StoreError::Io`] when directory or marker cannot be written.
    pub fn create(path: impl Into<PathBuf>, layout: Layout) -> Result<Self, StoreError> {
        let path = path.into();
        make_directory(&path)?;
        let marker = path.join(MARKER);
        let layout = match read_marker(&marker)? {
            Some(recorded) => recorded,
            None => {
                file::replace(&marker, |writer| writer.write_all(layout.name().as_bytes()))?;
                layout
            }
        };
        Ok(Self { path, layout })
    }

    /// How this store's keys become file names.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The file of a key, whether it exists or not.
    pub fn file(&self, key: &PreimageKey) -> PathBuf {
        let name = key.to_string();
        match self.layout {
            Layout::File => self.path.join(format!("{name}.txt")),
            Layout::Directory => self.path.join(&name[2..6]).join(format!("{}.txt", &name[6..])),
        }
    }
}

impl PreimageStore for DirectoryStore {
    fn get(&self, key: PreimageKey) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.file(&key);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Io { path, action: "open", source }),
        };
        let digits = file::read(file, &path, 2 * VALUE_LIMIT_BYTES)?;
        // The decoder would take a prefix, which the readers of these files do not.
        let value = hex::check_raw(&digits).then(|| hex::decode(digits));
        let Some(Ok(value)) = value else { return Err(StoreError::Hex { path, key }) };
        match key.verify(&value) {
            Ok(()) => Ok(Some(value)),
            Err(source) => Err(StoreError::Value { path, key, source }),
        }
    }

    fn put(&mut self, key: PreimageKey, value: &[u8]) -> Result<(), StoreError> {
        check(key, value)?;
        let path = self.file(&key);
        if let Some(parent) = path.parent() {
            make_directory(parent)?;
        }
        file::replace(&path, |writer| writer.write_all(hex::encode(value).as_bytes()))
    }

    fn keys(&self) -> Result<Vec<PreimageKey>, StoreError> {
        let mut keys = Vec::new();
        match self.layout {
            Layout::File => {
                let names = names(&self.path)?;
                keys.extend(names.iter().filter_map(|name| key_of(name.strip_prefix("0x")?)));
            }
            Layout::Directory => {
                let is_head = |name: &String| name.len() == 4 && hex::check_raw(name);
                for head in names(&self.path)?.into_iter().filter(is_head) {
                    let tails = names(&self.path.join(&head))?;
                    keys.extend(tails.iter().filter_map(|tail| key_of(&format!("{head}{tail}"))));
                }
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// The names in a directory. What lies there besides values is nobody's business.
fn names(path: &Path) -> Result<Vec<String>, StoreError> {
    let failed =
        |source| StoreError::Io { path: path.into(), action: "read the directory", source };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    Ok(names)
}

/// The key whose value a file `<64 digits>.txt` holds, `None` for other names.
fn key_of(name: &str) -> Option<PreimageKey> {
    let digits = name.strip_suffix(".txt")?;
    digits.parse().ok().filter(|_| !digits.starts_with("0x"))
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|source| StoreError::Io {
        path: path.into(),
        action: "create",
        source,
    })
}

fn read_marker(path: &Path) -> Result<Option<Layout>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::Io { path: path.into(), action: "open", source }),
    };
    match file::read(file, path, MARKER_LIMIT_BYTES)?.as_slice() {
        b"file" => Ok(Some(Layout::File)),
        b"directory" => Ok(Some(Layout::Directory)),
        other => Err(StoreError::Layout {
            path: path.into(),
            found: String::from_utf8_lossy(other).into_owned(),
        }),
    }
}
