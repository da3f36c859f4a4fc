use super::*;
use crate::trace::fixtures::server;
use flate2::{Compression, write::GzEncoder};
use rebut_fpvm::state_file::asterisc::Seal;
use rebut_fpvm::{AsteriscVersion, StateVersion};

/// A small state: its file's content, packed, and its hash.
fn sample(pc: u64) -> (Vec<u8>, B256) {
    let mut state = State::at(StateVersion::V8, pc);
    state.memory.set_page(1, &[7; 4096]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    state.write(&mut packed).expect("a state");
    (packed.finish().expect("packed"), state.hash())
}

fn plain(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
    bytes
}

fn refused(prestates: &Prestates, hash: B256, want: &str) {
    let error = prestates.get::<Mips64>(hash).map(|found| found.hash).unwrap_err().to_string();
    assert!(error.contains(want), "{error}");
}

#[test]
fn one_file_serves_the_game_that_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let (content, hash) = sample(0x1000);
    let path = folder.path().join("prestate.bin.gz");
    fs::write(&path, &content).unwrap();
    let prestates = Prestates::file(&path);
    assert_eq!(prestates.get::<Mips64>(hash).unwrap().hash, hash);
    refused(&prestates, B256::ZERO, "it is the prestate 0x");
    for cut in [0, 10, content.len() / 2, content.len() - 1] {
        fs::write(&path, &content[..cut]).unwrap();
        refused(&prestates, hash, "prestate.bin.gz");
    }
    fs::remove_file(&path).unwrap();
    refused(&prestates, hash, "prestate.bin.gz");
    let path = folder.path().join("plain.bin");
    fs::write(&path, [&plain(&content)[..], b"x"].concat()).unwrap();
    refused(&Prestates::file(&path), hash, "bytes behind the state");
}

/// Each game is given the prestate that it names, of the machine that it is about, in any form that has it.
#[test]
fn prestates_of_asterisc_have_two_forms() {
    let mut state = State::<Asterisc>::at(AsteriscVersion, 0x1000);
    state.memory.set_page(1, &[7; 4096]);
    let (seal, hash) = (Seal::default(), state.hash());
    let mut binary = GzEncoder::new(Vec::new(), Compression::fast());
    state.write_binary(&mut binary, &seal).expect("a state");
    let binary = binary.finish().expect("packed");
    let mut json = Vec::new();
    state.write_json(&mut json, &seal).expect("a state");
    let folder = tempfile::tempdir().unwrap();
    for (ending, content) in [(".bin.gz", &binary), (".json", &json), (".bin", &plain(&binary))] {
        let path = folder.path().join(format!("{hash}{ending}"));
        fs::write(&path, content).unwrap();
        let prestates = Prestates::named(folder.path(), None).unwrap();
        assert_eq!(prestates.get::<Asterisc>(hash).unwrap().file, path);
        // The other machine sees something else in it, if anything.
        refused(&prestates, hash, "there is no prestate");
        fs::write(&path, &content[..content.len() / 2]).unwrap();
        assert!(prestates.get::<Asterisc>(hash).is_err(), "{ending}");
        fs::remove_file(&path).unwrap();
    }
    fs::write(folder.path().join(format!("{}.json", B256::ZERO)), &json).unwrap();
    let prestates = Prestates::named(folder.path(), None).unwrap();
    let error = prestates.get::<Asterisc>(B256::ZERO).map(|found| found.hash).unwrap_err();
    assert!(error.to_string().contains(&format!("it is the prestate {hash}")), "{error}");
}

#[test]
fn folders_are_looked_through_by_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (content, hash) = sample(0x1000);
    let (other, _) = sample(0x2000);
    let base = folder.path().join("base");
    fs::create_dir(&base).unwrap();
    let own = folder.path().join("own");
    let address = format!("file://{}", base.display());
    let prestates = Prestates::named(&own, Some(&address)).unwrap();
    refused(&prestates, hash, "base has none");
    // A file of another prestate under this name is passed over, and said.
    fs::write(base.join(format!("{hash}.bin.gz")), &other).unwrap();
    refused(&prestates, hash, "it is the prestate 0x");
    fs::write(base.join(format!("{hash}.bin")), plain(&content)).unwrap();
    assert_eq!(prestates.get::<Mips64>(hash).unwrap().file, base.join(format!("{hash}.bin")));
    fs::create_dir(&own).unwrap();
    fs::write(own.join(format!("{hash}.bin.gz")), &content).unwrap();
    assert_eq!(prestates.get::<Mips64>(hash).unwrap().file, own.join(format!("{hash}.bin.gz")));
}

#[test]
fn what_there_is_is_known_before_a_game_asks() {
    let folder = tempfile::tempdir().unwrap();
    let (content, hash) = sample(0x1000);
    let path = folder.path().join("prestate.bin.gz");
    let one = Prestates::file(&path);
    let failed = |prestates: &Prestates| prestates.supply::<Mips64>().unwrap_err().to_string();
    assert!(failed(&one).contains("prestate.bin.gz: No such file"), "{}", failed(&one));
    fs::write(&path, &content[..content.len() / 2]).unwrap();
    assert!(failed(&one).contains("prestate.bin.gz: "), "{}", failed(&one));
    fs::write(&path, &content).unwrap();
    assert_eq!(one.supply::<Mips64>().unwrap(), Supply::One(hash));

    let own = folder.path().join("own");
    let none = Prestates::named(&own, None).unwrap();
    assert_eq!(none.supply::<Mips64>().unwrap(), Supply::None { folder: own.clone() });
    fs::create_dir(&own).unwrap();
    assert_eq!(none.supply::<Mips64>().unwrap(), Supply::None { folder: own.clone() });
    fs::write(own.join(format!("{hash}.bin.gz")), &content).unwrap();
    assert_eq!(none.supply::<Mips64>().unwrap(), Supply::ByHash);
    let base = |address: &str| Prestates::named(folder.path().join("kept"), Some(address)).unwrap();
    let there = format!("file://{}", own.display());
    assert_eq!(base(&there).supply::<Mips64>().unwrap(), Supply::ByHash);
    assert!(failed(&base(&format!("{there}/elsewhere"))).contains("elsewhere: No such file"));
    // A server is asked when a game asks.
    assert_eq!(base("http://127.0.0.1:1").supply::<Mips64>().unwrap(), Supply::ByHash);
}

#[test]
fn a_server_is_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let (content, hash) = sample(0x1000);
    let served = content.clone();
    let wanted = format!("/p/{hash}.bin.gz");
    let address = server(move |path, _| (path == wanted).then(|| served.clone()));
    let prestates = Prestates::named(&own, Some(&format!("{address}/p/"))).unwrap();
    let found = prestates.get::<Mips64>(hash).unwrap();
    assert_eq!(fs::read(&found.file).unwrap(), content);
    // Now it is there without a server.
    assert_eq!(Prestates::named(&own, None).unwrap().get::<Mips64>(hash).unwrap().hash, hash);
    refused(&prestates, B256::repeat_byte(3), "404");
}

#[test]
fn a_server_with_something_else_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let (_, hash) = sample(0x1000);
    let (other, _) = sample(0x2000);
    let page = |_: &str, _: &[u8]| Some(b"<html>sorry</html>".to_vec());
    let prestates = Prestates::named(&own, Some(&server(page))).unwrap();
    refused(&prestates, hash, ".bin.gz");
    let wrong = move |_: &str, _: &[u8]| Some(other.clone());
    let prestates = Prestates::named(&own, Some(&server(wrong))).unwrap();
    refused(&prestates, hash, "it is the prestate 0x");
    assert!(!own.exists(), "nothing wrong is kept");
}

#[test]
fn addresses_of_servers() {
    for base in ["ftp://x", "prestates", "http://", "file://", ""] {
        assert!(Prestates::named("x", Some(base)).is_err(), "{base}");
    }
    assert_eq!(shown("https://key:secret@host/p/x?token=1"), "https://host/p/x");
}
