//! Oracles for chain configurations: tables of them, the section that carries one, the JSON files.

use rebut_program::config::{
    Table, json,
    section::{self, HEADER_BYTES},
};

/// Reads a table. Encoded again it is the same, and every chain is found under its id.
pub fn table(bytes: &[u8]) {
    let Ok(table) = Table::parse(bytes) else { return };
    let Ok(chains) = table.chains().collect::<Result<Vec<_>, _>>() else { return };
    for chain in &chains {
        assert_eq!(table.find(chain.chain_id).as_ref(), Ok(&Some(chain.clone())));
    }
    assert_eq!(Table::encode(&chains).as_deref(), Ok(bytes));
}

/// Finds the section of an image and empties it, which changes nothing outside of it.
pub fn image(bytes: &[u8]) {
    let mut emptied = bytes.to_vec();
    let Ok(range) = section::locate(bytes) else {
        assert!(section::fill(&mut emptied, &[]).is_err());
        return assert_eq!(emptied, bytes);
    };
    section::fill(&mut emptied, &[]).expect("it is there, and nothing fits");
    assert_eq!(section::locate(&emptied).as_ref(), Ok(&range));
    assert_eq!(emptied[..range.start], bytes[..range.start]);
    assert_eq!(emptied[range.end..], bytes[range.end..]);
    let read = |image: &[u8]| {
        let (header, content) = image[range.clone()].split_first_chunk::<HEADER_BYTES>()?;
        section::table(header, content).ok().map(|table| table.is_some())
    };
    assert_eq!(read(&emptied), Some(false));
    // Whatever it carried, or failed to.
    let _ = read(bytes);
}

/// Reads a rollup's file. Written and read again it is the same chain.
pub fn rollup(text: &[u8]) {
    let Ok(config) = json::read(text, None) else { return };
    let again = json::write(&config).expect("a configuration is plain data").to_string();
    assert_eq!(json::read(again.as_bytes(), None).expect("what was written"), config);
}

/// Reads an L1 chain's file below the rollup of the seeds. The schedule ascends.
pub fn l1(text: &[u8]) {
    let rollup = crate::seeds::rollup_file();
    let Ok(config) = json::read(rollup.as_bytes(), Some(text)) else { return };
    assert!(config.l1.blob_fees.is_sorted_by(|a, b| a.time < b.time));
}
