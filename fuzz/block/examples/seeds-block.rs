//! Writes the seeds of each target of this package: `seeds FOLDER` makes `FOLDER/<target>/<number>`.

use libfuzzer_sys as _;
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    for (number, (target, seed)) in rebut_fuzz_block::seeds::all().into_iter().enumerate() {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(number.to_string()), seed)?;
    }
    Ok(())
}
