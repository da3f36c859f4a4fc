//! Files that are not what was written. What a chain makes of its file is tested with the chains.

use super::*;
use crate::l1::{Chain, Config, L1};

fn begun(directory: &Path) -> B256 {
    let disk = Disk::open(directory).unwrap();
    let store = disk.store().unwrap();
    Chain::open(Config::default(), store, disk).unwrap().latest().hash()
}

#[test]
fn what_is_written_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let genesis = begun(directory.path());
    let disk = Disk::open(directory.path()).unwrap();
    let blocks = disk.blocks::<L1>(1).unwrap();
    assert_eq!(blocks.iter().map(|kept| kept.block.hash()).collect::<Vec<_>>(), [genesis]);
    assert!(disk.blocks::<L1>(2).unwrap().is_empty());
    let store = disk.store().unwrap();
    assert!(store.new_values().is_empty());
    store.insert(Bytes::from_static(b"new"));
    assert_eq!(store.new_values().len(), 1);
}

fn write(disk: &Disk, write: impl FnOnce(&redb::WriteTransaction)) {
    let transaction = disk.database.begin_write().unwrap();
    write(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn damage_is_found() {
    let directory = tempfile::tempdir().unwrap();
    begun(directory.path());
    let disk = Disk::open(directory.path()).unwrap();
    write(&disk, |transaction| {
        let mut table = transaction.open_table(PREIMAGES).unwrap();
        table.insert(&[7; 32], &b"something else"[..]).unwrap();
    });
    let error = disk.store().unwrap_err().to_string();
    assert!(error.contains("preimage 0x0707"), "{error}");
    for (number, value) in [(0, &b"no block"[..]), (5, &[0xc0][..])] {
        write(&disk, |transaction| {
            let mut table = transaction.open_table(BLOCKS).unwrap();
            table.insert((1, number), value).unwrap();
        });
        let error = disk.blocks::<L1>(1).unwrap_err().to_string();
        assert!(error.contains("block 0 of chain 1 is damaged"), "{error}");
    }
    drop(disk);
    std::fs::write(directory.path().join(FILE), b"no database").unwrap();
    assert!(matches!(Disk::open(directory.path()), Err(DiskError::Database { .. })));
}
