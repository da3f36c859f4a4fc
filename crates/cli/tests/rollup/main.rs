//! `rebut program` against a devnet by URL, natively and in Cannon.

use rebut_devnet::{
    batcher::Form,
    l1, l2,
    rollup::{Devnet, Setup, l1_config_json},
    rpc::{Server, beacon::Beacon},
};
use rebut_execution::Fork;
use rebut_program::config::json;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Output},
    sync::Arc,
};
use tempfile::TempDir;

/// A devnet behind servers, with the files that name its chains.
struct Served {
    l1: Arc<l1::Node>,
    node: Arc<l2::Node>,
    servers: [Server; 3],
    folder: TempDir,
}

impl Served {
    fn new(setup: Setup, steps: u64) -> Self {
        let mut devnet = Devnet::new(setup).unwrap();
        for _ in 0..steps {
            devnet.step().unwrap();
        }
        let folder = TempDir::new().unwrap();
        let config = json::write(devnet.l2().config()).unwrap();
        std::fs::write(folder.path().join("rollup.json"), config.to_string()).unwrap();
        let config = l1_config_json(devnet.l1.config());
        std::fs::write(folder.path().join("l1.json"), config.to_string()).unwrap();
        let l1 = Arc::new(l1::Node::new(devnet.l1, l1::Mining::Manual));
        let access = l2::L1Access::Embedded(Arc::clone(&l1));
        let node = Arc::new(l2::Node::new(access, devnet.rollup));
        let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let servers = [
            Server::rpc(anywhere, Arc::clone(&l1) as _).unwrap(),
            Server::get(anywhere, Arc::new(Beacon(Arc::clone(&l1)))).unwrap(),
            Server::rpc(anywhere, Arc::clone(&node) as _).unwrap(),
        ];
        Self { l1, node, servers, folder }
    }

    /// Runs `rebut program` on a claim about the last safe block, agreed on `back` blocks before.
    fn program(&self, command: &str, back: u64, is_true: bool) -> Output {
        let rollup = self.node.rollup();
        let (_, safe) = rollup.follower.head();
        let chain = rollup.l2();
        let [agreed, claimed] = [safe.number - back, safe.number]
            .map(|number| chain.ledger().block(number).unwrap().clone());
        let [agreed_root, mut claim] =
            [&agreed, &claimed].map(|block| chain.output(block).unwrap().root());
        drop(rollup);
        if !is_true {
            claim.0[31] ^= 1;
        }
        let l1_head = self.l1.chain().latest().hash();
        let [l1, beacon, l2] = self.servers.each_ref().map(Server::url);
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let arguments = [
            ("--l1-head", l1_head.to_string()),
            ("--agreed-l2-head-hash", agreed.hash().to_string()),
            ("--agreed-l2-output-root", agreed_root.to_string()),
            ("--claimed-l2-output-root", claim.to_string()),
            ("--claimed-l2-block-number", claimed.number().to_string()),
            ("--rollup-config-path", path("rollup.json")),
            ("--l1-config-path", path("l1.json")),
            ("--l1-node-address", l1),
            ("--l1-beacon-address", beacon),
            ("--l2-node-address", l2),
        ];
        Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(["program", command])
            .args(arguments.iter().flat_map(|(flag, value)| [*flag, value]))
            .output()
            .unwrap()
    }

    fn check(&self, command: &str, back: u64) {
        for (is_true, code) in [(true, 0), (false, 1)] {
            let output = self.program(command, back, is_true);
            assert_eq!(output.status.code(), Some(code), "{command}: {output:?}");
        }
    }
}

#[test]
fn claims_are_decided_by_url() {
    for (fork, blobs) in [(Fork::Bedrock, false), (Fork::Canyon, false), (Fork::Jovian, true)] {
        let mut setup = Setup::at_fork(3, fork);
        setup.form = Form { blobs, ..Form::default() };
        Served::new(setup, 4).check("run", 5);
    }
}

/// One fork of each kind of derivation; the block before the claimed one is agreed on.
#[test]
fn claims_are_decided_in_cannon() {
    for fork in [Fork::Bedrock, Fork::Ecotone, Fork::Jovian] {
        let mut setup = Setup::at_fork(4, fork);
        setup.limits.data_bytes = 500;
        setup.transactions_per_block = 2;
        setup.rollup.channel_timeout = 4;
        setup.rollup.granite_channel_timeout = 4;
        Served::new(setup, 3).check("vm", 1);
    }
}
