//! `rebut prestate` from outside.

use crate::program::{DATA, Program};
use crate::sandbox::{Ended, Sandbox};
use crate::trials;
use serde_json::{Value, json};

trials!(
    chains_are_carried_and_shown,
    a_prestate_without_chains_is_the_loaded_program,
    the_order_of_files_does_not_matter,
    verification_tells_equal_from_different,
    chains_of_the_registry_are_compared,
    what_cannot_be_built,
    states_that_carry_nothing_readable,
);

/// The layout of a section, as the documentation of the program draws it.
const MAGIC: &[u8; 16] = b"\x7fRBT chain conf\x7f";
const CAPACITY: u32 = 2048;

/// Its data segment starts with an empty section.
fn guest(capacity: u32) -> Program {
    let mut section = MAGIC.to_vec();
    section.extend([1, capacity, 0, 0].map(u32::to_be_bytes).concat());
    section.resize(32 + capacity as usize, 0);
    let mut program = Program::new();
    program.bytes(&section).exit(0);
    program
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("guest.elf", &guest(CAPACITY).elf());
    sandbox.write("rollup.json", rollup(901).to_string().as_bytes());
    sandbox.write("other.json", rollup(902).to_string().as_bytes());
    let l1 = json!({ "chainId": 900, "cancunTime": 0, "pragueTime": 77 });
    sandbox.write("l1.json", l1.to_string().as_bytes());
    sandbox
}

fn rollup(chain_id: u64) -> Value {
    let hash = |byte: u8| format!("0x{}", format!("{byte:02x}").repeat(32));
    json!({
        "genesis": {
            "l1": { "hash": hash(1), "number": 7 },
            "l2": { "hash": hash(2), "number": 0 },
            "l2_time": 1_725_557_164,
            "system_config": {
                "batcherAddr": "0xc81f87a644b41e49b3221f41251f15c6cb00ce03",
                "overhead": hash(0), "scalar": hash(0), "gasLimit": 30_000_000,
            },
        },
        "block_time": 2, "max_sequencer_drift": 600, "seq_window_size": 3600,
        "channel_timeout": 300, "l1_chain_id": 900, "l2_chain_id": chain_id,
        "regolith_time": 0, "canyon_time": 0, "delta_time": 0, "ecotone_time": 0,
        "batch_inbox_address": "0xff00000000000000000000000000000000042069",
        "deposit_contract_address": "0x08073dc48dde578137b8af042bcbc1c2491f1eb2",
        "l1_system_config_address": "0x94ee52a9d8edd72a85dea7fae3ba6d75e4bf1710",
    })
}

impl Sandbox {
    fn prestate(&self, arguments: &str) -> Ended {
        self.start(env!("CARGO_BIN_EXE_rebut"), &format!("prestate {arguments}"))
    }

    /// Builds with the guest and these arguments; what it printed.
    fn build(&self, arguments: &str) -> Value {
        let ended = self.prestate(&format!("build --guest guest.elf --json {arguments}")).ok();
        serde_json::from_str(&ended.stdout).unwrap()
    }

    fn show(&self, file: &str) -> Value {
        let ended = self.prestate(&format!("show --json {file}")).ok();
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

fn chains_are_carried_and_shown() {
    let sandbox = sandbox();
    let built =
        sandbox.build("--rollup-config rollup.json --rollup-config other.json --l1-config l1.json");
    assert_eq!(built["file"], "prestate.bin.gz");
    assert_eq!(built["capacity_bytes"], CAPACITY);
    // The hash is that of the state, as the machine's own command sees it.
    assert_eq!(built["prestate"], sandbox.witness("prestate.bin.gz")["witnessHash"]);
    let chains = json!([
        { "chain_id": 901, "registry": "absent" }, { "chain_id": 902, "registry": "absent" },
    ]);
    assert_eq!(built["chains"], chains);
    let shown = sandbox.show("prestate.bin.gz");
    assert_eq!(shown["prestate"], built["prestate"]);
    assert_eq!(shown["table_bytes"], built["table_bytes"]);
    for (place, chain_id) in [901, 902].into_iter().enumerate() {
        let chain = &shown["chains"][place];
        assert_eq!(chain["chain_id"], chain_id);
        let fees = json!([{ "time": 77, "update_fraction": 5_007_716 }]);
        assert_eq!(chain["l1"], json!({ "chain_id": 900, "blob_fees": fees }));
        let (config, given) = (&chain["rollup_config"], rollup(chain_id));
        for member in ["block_time", "ecotone_time", "batch_inbox_address", "l1_chain_id"] {
            assert_eq!(config[member], given[member], "{member}");
        }
    }
    let words = sandbox.prestate("show prestate.bin.gz").ok().stdout;
    assert!(words.contains("chain 901, chain 902"), "{words}");
}

fn a_prestate_without_chains_is_the_loaded_program() {
    let sandbox = sandbox();
    let built = sandbox.build("--out state.bin");
    sandbox.cannon("load-elf --type multithreaded64-5 --path guest.elf --out loaded.bin").ok();
    assert_eq!(built["prestate"], sandbox.witness("loaded.bin")["witnessHash"]);
    assert_eq!(sandbox.read("state.bin"), sandbox.read("loaded.bin"));
    assert_eq!(sandbox.show("state.bin")["chains"], json!([]));
}

fn the_order_of_files_does_not_matter() {
    let sandbox = sandbox();
    let l1 = "--l1-config l1.json";
    let one =
        sandbox.build(&format!("--rollup-config rollup.json --rollup-config other.json {l1}"));
    let other =
        sandbox.build(&format!("--rollup-config other.json --rollup-config rollup.json {l1}"));
    assert_eq!(one["prestate"], other["prestate"]);
}

fn verification_tells_equal_from_different() {
    let sandbox = sandbox();
    let inputs = "--guest guest.elf --rollup-config rollup.json --l1-config l1.json";
    let built = sandbox.build("--rollup-config rollup.json --l1-config l1.json");
    let hash = built["prestate"].as_str().unwrap();
    let verify = |arguments: &str| sandbox.prestate(&format!("verify {inputs} {arguments}")).code;
    assert_eq!(verify(&format!("--hash {hash}")), Some(0));
    assert_eq!(verify("--prestate prestate.bin.gz"), Some(0));
    assert_eq!(verify(&format!("--prestate prestate.bin.gz --hash {hash}")), Some(0));
    let mut wrong = hash.to_owned();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    assert_eq!(verify(&format!("--hash {wrong}")), Some(1));
    assert_eq!(verify(&format!("--prestate prestate.bin.gz --hash {wrong}")), Some(1));
    sandbox.build("--out other.bin");
    assert_eq!(verify("--prestate other.bin"), Some(1));
    assert_eq!(verify("--prestate absent.bin"), Some(2));
    assert_eq!(verify(""), Some(2));
}

fn chains_of_the_registry_are_compared() {
    let sandbox = sandbox();
    let mut config = rollup(10);
    config["l1_chain_id"] = 1.into();
    sandbox.write("op.json", config.to_string().as_bytes());
    let built = sandbox.build("--rollup-config op.json");
    assert_eq!(built["chains"], json!([{ "chain_id": 10, "registry": "different" }]));
    let ended = sandbox.prestate("build --guest guest.elf --rollup-config op.json").ok();
    assert!(ended.stdout.contains("not as in the registry"), "{}", ended.stdout);
}

fn what_cannot_be_built() {
    let sandbox = sandbox();
    let fails = |arguments: &str, words: &[&str]| {
        let ended = sandbox.prestate(&format!("build --out new.bin {arguments}"));
        ended.fails(2, words);
        assert!(!sandbox.path("new.bin").exists());
    };
    let mut bare = Program::new();
    sandbox.write("bare.elf", &bare.exit(0).elf());
    fails("--guest bare.elf", &["bare.elf", "no section"]);
    sandbox.write("small.elf", &guest(64).elf());
    let chain = "--rollup-config rollup.json --l1-config l1.json";
    fails(&format!("--guest small.elf {chain}"), &["small.elf", "holds 64"]);
    let mut twice = guest(64);
    twice.bytes(MAGIC);
    sandbox.write("twice.elf", &twice.elf());
    fails("--guest twice.elf", &["twice.elf", "twice"]);
    let again = format!("--guest guest.elf {chain} --rollup-config rollup.json");
    fails(&again, &["chain 901 is given twice"]);
    fails("--guest guest.elf --rollup-config rollup.json", &["rollup.json", "L1 chain 900"]);
    fails("--guest guest.elf --type multithreaded64-3", &["multithreaded64-3"]);
    fails(
        "--guest guest.elf --vm asterisc --type multithreaded64-5",
        &["Asterisc has one version"],
    );
    fails("--guest guest.elf --vm cannon32 --type multithreaded64-5", &["multithreaded64-5"]);
    fails("--guest guest.elf --vm mips", &["cannon, cannon32, asterisc"]);
    fails("--guest guest.elf --vm asterisc", &["guest.elf", "for machine 8"]);
    fails("--guest rollup.json", &["rollup.json", "no section"]);

    let mut celo = rollup(42_220);
    celo["l1_chain_id"] = 1.into();
    sandbox.write("celo.json", celo.to_string().as_bytes());
    let words = ["celo.json", "chain 42220 (Celo) uses alt-DA"];
    fails("--guest guest.elf --rollup-config celo.json", &words);
    celo["alt_da"] = json!({});
    sandbox.write("celo.json", celo.to_string().as_bytes());
    fails("--guest guest.elf --rollup-config celo.json", &["alt_da"]);

    // The section is in the file, and the machine does not load it.
    let mut unloaded = Program::new();
    let mut file = unloaded.exit(0).elf();
    let section = guest(64).elf();
    let at = section.windows(MAGIC.len()).position(|bytes| bytes == MAGIC).unwrap();
    file.extend_from_slice(&section[at..at + 96]);
    sandbox.write("unloaded.elf", &file);
    fails("--guest unloaded.elf", &["unloaded.elf", "not loaded"]);
}

fn states_that_carry_nothing_readable() {
    let sandbox = sandbox();
    let mut bare = Program::new();
    sandbox.write("program.elf", &bare.exit(0).elf());
    sandbox.cannon("load-elf --type multithreaded64-5 --path program.elf --out bare.bin").ok();
    sandbox.prestate("show bare.bin").fails(2, &["bare.bin", "no section"]);
    sandbox.build("--rollup-config rollup.json --l1-config l1.json --out state.bin");
    // A byte of the table, behind the header in the only page that starts with the section.
    let mut state = sandbox.read("state.bin");
    let at = state.windows(MAGIC.len()).position(|bytes| bytes == MAGIC).unwrap();
    state[at + 32 + 2 + 12 + 10] ^= 0xff;
    sandbox.write("damaged.bin", &state);
    sandbox.prestate("show damaged.bin").fails(2, &["damaged.bin", "chain configuration"]);
    assert_eq!(DATA % 16, 0, "a section starts where it is looked for");
}
