//! `rebut witness`: preimages from files into stores and back, and whether they are right.

use crate::{Outcome, block::print};
use anyhow::{Context, bail};
use rebut_host::{
    BOOT_FILE, Evidence, PayloadForm, Recording, VerifiedStore, read_about,
    store::{AnyStore, DataFormat, DataLocation},
    write_about,
};
use rebut_preimage::{KeyType, PreimageKey, PreimageStore, store::FILE_LIMIT_BYTES};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The commands on preimages.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Read a file of preimages into a store.
    ///
    /// What the file says besides (the claim, the chain, the block) is kept in the store's boot.json.
    Import(Transfer),
    /// Write a store's preimages into a file: .json, .json.zst, or .kv.zst with a boot.json beside it.
    Export(Transfer),
    /// Verify every preimage of a file or a store, and count them.
    ///
    /// Exit code: 0 when all are right, 1 when one is wrong.
    Check(Check),
}

/// A file and a store.
#[derive(Debug, clap::Args)]
pub struct Transfer {
    /// The file; its name ends in .json, .json.zst or .kv.zst.
    file: PathBuf,
    /// The store's directory.
    #[arg(long, visible_alias = "db", env = "DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
    /// What lies in a new data directory: directory, file, or redb.
    #[arg(long, env = "DATA_FORMAT", value_name = "FORMAT", default_value = "directory")]
    data_format: DataFormat,
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// A file (.json, .json.zst, .kv.zst) or a store's directory.
    path: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The file or the store cannot be read or written, or holds a wrong value.
pub fn run(command: Command) -> Outcome {
    match command {
        Command::Import(transfer) => import(&transfer),
        Command::Export(transfer) => export(&transfer),
        Command::Check(check) => self::check(&check.path),
    }
}

fn import(Transfer { file, data_dir, data_format }: &Transfer) -> Outcome {
    let recording = Recording::read(file)?;
    let location = DataLocation::Disk { path: data_dir.clone(), format: *data_format };
    let mut store = location.open()?;
    if !recording.about.is_empty() {
        write_about(&data_dir.join(BOOT_FILE), &recording.about)?;
    }
    let entries: Vec<_> =
        recording.preimages.iter().map(|(key, value)| (key, value.to_vec())).collect();
    store.put_all(&entries)?;
    print(&format!("{} preimages in {}\n", entries.len(), data_dir.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn export(Transfer { file, data_dir, .. }: &Transfer) -> Outcome {
    if !Recording::is_named(file) {
        bail!("{}: the name ends in none of .json, .json.zst and .kv.zst", file.display());
    }
    let store = DataLocation::open_existing(data_dir)?;
    let mut recording = Recording {
        about: read_about(&data_dir.join(BOOT_FILE))?.unwrap_or_default(),
        ..Recording::default()
    };
    let mut size_bytes = 0;
    for key in keys_of(&store, data_dir)? {
        let value = store.get(key)?.with_context(|| format!("key {key} has vanished"))?;
        size_bytes += value.len();
        if size_bytes > FILE_LIMIT_BYTES {
            bail!("{}: more than {FILE_LIMIT_BYTES} bytes of preimages", data_dir.display());
        }
        recording.preimages.insert(key, value)?;
    }
    recording.write(file)?;
    print(&format!("{} preimages in {}\n", recording.preimages.len(), file.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What a store holds. One that holds nothing is somebody else's folder.
fn keys_of(store: &AnyStore, path: &Path) -> anyhow::Result<Vec<PreimageKey>> {
    let keys = store.keys()?;
    if keys.is_empty() {
        bail!("{}: there are no preimages in it", path.display());
    }
    Ok(keys)
}

/// Preimages of one type.
#[derive(Clone, Copy, Default)]
struct Count {
    /// Verified in full.
    right: u64,
    /// Verified in shape: what it takes to tell is not there.
    unproven: u64,
    /// Values that are not those of their keys.
    wrong: u64,
    bytes: u64,
}

/// Most wrong values that are listed one by one.
const LISTED_WRONG: u64 = 20;

fn check(path: &Path) -> Outcome {
    let store: AnyStore = match path.is_dir() {
        true => DataLocation::open_existing(path)?,
        false => Box::new(Recording::read(path)?.preimages),
    };
    let keys = keys_of(&store, path)?;
    let mut store = VerifiedStore::new(store, PayloadForm::WithGas);
    let mut counts = [Count::default(); KeyType::ALL.len()];
    let mut wrong = 0;
    for key in keys {
        let index = KeyType::ALL.iter().position(|key_type| *key_type == key.key_type());
        let Some(count) = index.and_then(|index| counts.get_mut(index)) else { continue };
        match store.get(key) {
            Ok(Some((value, evidence))) => {
                count.bytes += value.len() as u64;
                match evidence {
                    Evidence::Full => count.right += 1,
                    Evidence::Shape => count.unproven += 1,
                }
            }
            Ok(None) => bail!("key {key} has vanished"),
            Err(error) => {
                count.wrong += 1;
                wrong += 1;
                if wrong <= LISTED_WRONG {
                    crate::log::print(&format!("error: key {key}: {error}\n"));
                }
            }
        }
    }
    print(&table(&counts))?;
    Ok(ExitCode::from(u8::from(wrong > 0)))
}

fn table(counts: &[Count; KeyType::ALL.len()]) -> String {
    let mut text =
        format!("{:<12}{:>10}{:>10}{:>10}{:>14}\n", "", "right", "unproven", "wrong", "bytes");
    for (key_type, count) in KeyType::ALL.iter().zip(counts) {
        let Count { right, unproven, wrong, bytes } = count;
        let name = key_type.name();
        text.push_str(&format!("{name:<12}{right:>10}{unproven:>10}{wrong:>10}{bytes:>14}\n"));
    }
    text
}
