//! Foundry's `anvil` in place of the embedded L1: followed block by block, and settled on.

use crate::{cast, key};
use alloy_primitives::Address;
use rebut_devnet::{
    l1::{Client, Remote},
    settlement::{Deployment, Parameters, SettlementError},
    state::StateStore,
};
use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A node that ends with this.
struct Anvil {
    child: Child,
    url: String,
}

impl Anvil {
    /// Starts a node that mines at once, on a port that it chooses.
    fn start() -> Option<Self> {
        let program = cast::installed("anvil")?;
        let mut child = Command::new(program)
            .args(["--port", "0", "--chain-id", "900", "--prune-history"])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.to_owned()));
        let url = format!("http://{}", address.expect("anvil says where it listens"));
        // It must not end for want of a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, url })
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // What npm installs starts the node as a child of its own: all of them, unless they have ended.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

#[test]
fn a_rollup_settles_on_anvil() {
    let Some(anvil) = Anvil::start() else { return };
    let mut remote = Remote::connect(anvil.url.parse().unwrap(), StateStore::new()).unwrap();
    assert_eq!(remote.chain_id(), 900);
    let parameters = Parameters {
        l2_chain_id: 901,
        batcher: key(8).address(),
        batch_inbox: Address::repeat_byte(0xff),
        unsafe_block_signer: key(8).address(),
        gas_limit: 30_000_000,
        base_fee_scalar: 1_368,
        blob_base_fee_scalar: 810_949,
    };
    let deployment = Deployment::send(&mut remote, &key(9), &parameters).unwrap();
    // It mines in its own time.
    let began = Instant::now();
    let settlement = loop {
        remote.update().unwrap();
        match deployment.settled(&remote) {
            Err(SettlementError::NotMined(_)) => {
                assert!(began.elapsed() < Duration::from_secs(60), "anvil mines nothing");
            }
            settled => break settled.unwrap(),
        }
    };
    // Every transaction is there once; blocks were checked against their hashes when they were copied.
    let ledger = remote.record().ledger();
    let blocks = (1..=ledger.latest().number()).filter_map(|number| ledger.block(number));
    assert_eq!(blocks.map(|block| block.transactions.len()).sum::<usize>(), 10);
    assert_eq!(settlement.proxy_admin, key(9).address().create(0));
}
