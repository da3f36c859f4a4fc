//! The program over RPC: a host asks the devnet's nodes by URL, whatever they offer and lack.

use alloy_consensus::TxEip1559;
use alloy_primitives::{B256, TxKind, U256, keccak256};
use rebut_devnet::{
    batcher::Form,
    keys::Key,
    l1, l2,
    rollup::{Devnet, Rollup, Setup, l1_config_json},
    rpc::{Get, HttpAnswer, Methods, Params, RpcResult, Server, beacon::Beacon},
    state::StateStore,
};
use rebut_execution::Fork;
use rebut_host::{
    Evidence, Host, HostConfig, LocalValues, PayloadForm, VerifiedStore,
    source::{NodeUrl, Policy},
    store::{DataFormat, DataLocation},
};
use rebut_program::{
    Boot, Verdict,
    claim::{self, ClaimError},
    config::json,
};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A node that does not know some methods.
struct Without<M>(Arc<M>, &'static [&'static str]);

impl<M: Methods> Methods for Without<M> {
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult> {
        if self.1.contains(&method) { None } else { self.0.call(method, params) }
    }
}

/// A beacon node that does not know some paths.
struct WithoutPaths(Beacon, &'static [&'static str]);

impl Get for WithoutPaths {
    fn get(&self, path: &str, query: &str) -> HttpAnswer {
        if self.1.iter().any(|refused| path.starts_with(refused)) {
            return HttpAnswer { status: 404, body: "{}".into() };
        }
        self.0.get(path, query)
    }
}

/// What the nodes lack.
#[derive(Clone, Copy, Default)]
struct Lacks {
    l1: &'static [&'static str],
    beacon: &'static [&'static str],
    l2: &'static [&'static str],
}

/// Whatever the namespace for debugging has.
const DEBUG: &[&str] = &[
    "debug_getRawHeader",
    "debug_getRawBlock",
    "debug_getRawReceipts",
    "debug_getRawTransaction",
    "debug_dbGet",
    "debug_executePayload",
    "debug_executionWitness",
];

/// A devnet behind servers.
struct Served {
    l1: Arc<l1::Node>,
    node: Arc<l2::Node>,
    servers: [Server; 3],
}

impl Served {
    fn new(devnet: Devnet, lacks: Lacks) -> Self {
        let l1 = Arc::new(l1::Node::new(devnet.l1, l1::Mining::Manual));
        let access = l2::L1Access::Embedded(Arc::clone(&l1));
        let node = Arc::new(l2::Node::new(access, devnet.rollup));
        let servers = [
            Server::rpc(ANYWHERE, Arc::new(Without(Arc::clone(&l1), lacks.l1))).unwrap(),
            Server::get(ANYWHERE, Arc::new(WithoutPaths(Beacon(Arc::clone(&l1)), lacks.beacon)))
                .unwrap(),
            Server::rpc(ANYWHERE, Arc::new(Without(Arc::clone(&node), lacks.l2))).unwrap(),
        ];
        Self { l1, node, servers }
    }

    /// The true claim about a block.
    fn claim(&self, agreed: u64, claimed: u64) -> (Boot, B256) {
        let rollup = self.node.rollup();
        let chain = rollup.l2();
        let [agreed, block] = [agreed, claimed].map(|number| chain.ledger().block(number).unwrap());
        let root = |block: &l2::Block| chain.output(block).unwrap().root();
        let boot = Boot {
            l1_head: self.l1.chain().latest().hash(),
            agreed_output: root(agreed),
            claimed_output: root(block),
            claimed_number: claimed,
            chain_id: chain.config().chain.chain_id,
        };
        (boot, agreed.hash())
    }

    fn host(&self, boot: Boot, agreed_l2_head: B256, data: &DataLocation) -> Host {
        let config = json::write(self.node.rollup().config()).unwrap();
        let l1_config = l1_config_json(self.l1.chain().config());
        let [l1, beacon, l2]: [NodeUrl; 3] =
            self.servers.each_ref().map(|server| server.url().parse().unwrap());
        let policy = Policy { rounds: 2, backoff: Duration::from_millis(1), ..Policy::default() };
        let config = HostConfig {
            local: LocalValues {
                boot,
                rollup_config: Some(config.to_string().into_bytes()),
                l1_config: Some(l1_config.to_string().into_bytes()),
            },
            agreed_l2_head,
            l1: vec![l1],
            l1_beacon: vec![beacon],
            l2: vec![l2],
            l1_chain_id: Some(900),
            payload_form: PayloadForm::WithGas,
            policy,
        };
        Host::new(config, data.open().unwrap())
    }

    /// Runs the program on a claim, with the configuration as a host hands it out.
    fn decide(
        &self,
        boot: Boot,
        agreed_l2_head: B256,
    ) -> Result<Verdict, ClaimError<json::JsonError>> {
        self.decide_in(&DataLocation::Memory, boot, agreed_l2_head)
    }

    /// The same, with what was fetched kept in a place.
    fn decide_in(
        &self,
        data: &DataLocation,
        boot: Boot,
        agreed_l2_head: B256,
    ) -> Result<Verdict, ClaimError<json::JsonError>> {
        let mut host = self.host(boot, agreed_l2_head, data);
        let LocalValues { rollup_config, l1_config, .. } = host.local().clone();
        let rollup_config = rollup_config.unwrap();
        claim::run(&mut host, |_| json::read(&rollup_config, l1_config.as_deref()), |_| {})
    }

    /// The program confirms what is true, and nothing else.
    fn check(&self, agreed: u64, claimed: u64) {
        let (boot, head) = self.claim(agreed, claimed);
        assert!(self.decide(boot, head).unwrap().is_valid(), "block {claimed}");
        let wrong = Boot { claimed_output: keccak256(boot.claimed_output), ..boot };
        let verdict = self.decide(wrong, head).unwrap();
        assert_eq!((verdict.is_valid(), verdict.computed), (false, Some(boot.claimed_output)));
    }

    /// Why there is no verdict, with everything behind it.
    fn failure(&self, agreed: u64, claimed: u64) -> String {
        let (boot, head) = self.claim(agreed, claimed);
        text(&self.decide(boot, head).unwrap_err())
    }
}

/// An error with everything behind it.
fn text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

/// With this claim a host of sick nodes says what is wrong. What it has stored by then is right, and with it a
/// host of healthy nodes goes on to the verdict.
fn check_recovery(sick: &Served, healthy: &Served, (boot, head): (Boot, B256), expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let format = DataFormat::Redb;
    let data = DataLocation::Disk { path: folder.path().into(), format };
    let error = text(&sick.decide_in(&data, boot, head).unwrap_err());
    for part in expected {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
    let mut store = VerifiedStore::new(data.open().unwrap(), PayloadForm::WithGas);
    let keys = store.inner().keys().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let (_, evidence) = store.get(key).unwrap().unwrap();
        assert_eq!(evidence, Evidence::Full, "{key}");
    }
    drop(store);
    assert!(healthy.decide_in(&data, boot, head).unwrap().is_valid());
    let wrong = Boot { claimed_output: keccak256(boot.claimed_output), ..boot };
    assert!(!healthy.decide_in(&data, wrong, head).unwrap().is_valid());
}

/// A devnet with some blocks, batches in blobs where the fork has them.
fn devnet(fork: Fork, steps: u64) -> Devnet {
    let mut setup = Setup::at_fork(7, fork);
    setup.form = Form { blobs: true, span: true, ..Form::default() };
    setup.updates_percent = 20;
    // As many blocks as it takes for reorgs to be possible are not final.
    setup.l1.finalized_distance = 64;
    let mut devnet = Devnet::new(setup).unwrap();
    for _ in 0..steps {
        devnet.step().unwrap();
    }
    devnet
}

#[test]
fn every_fork_over_rpc() {
    for fork in std::iter::once(Fork::Bedrock).chain(Fork::TIMED) {
        if fork > Fork::Jovian {
            break;
        }
        let served = Served::new(devnet(fork, 4), Lacks::default());
        let (_, safe) = served.node.rollup().follower.head();
        served.check(safe.number - 4, safe.number - 1);
    }
}

#[test]
fn nodes_that_lack_methods_are_asked_otherwise() {
    let cases: [Lacks; 8] = [
        Lacks { l1: &["debug_getRawHeader", "debug_getRawBlock"], ..Lacks::default() },
        Lacks { l1: &["debug_getRawReceipts"], ..Lacks::default() },
        Lacks { l1: &["debug_getRawReceipts", "eth_getBlockReceipts"], ..Lacks::default() },
        Lacks { beacon: &["/eth/v1/beacon/blobs"], ..Lacks::default() },
        Lacks { beacon: &["/eth/v1/beacon/blob_sidecars"], ..Lacks::default() },
        // State comes out of the witnesses of the blocks.
        Lacks { l2: &["debug_dbGet"], ..Lacks::default() },
        Lacks {
            l2: &["debug_getRawHeader", "debug_getRawBlock", "debug_executePayload"],
            ..Lacks::default()
        },
        // State comes out of proofs of what the blocks look up.
        Lacks { l2: DEBUG, ..Lacks::default() },
    ];
    for (index, lacks) in cases.into_iter().enumerate() {
        let served = Served::new(devnet(Fork::Jovian, 3), lacks);
        let (_, safe) = served.node.rollup().follower.head();
        println!("case {index}");
        served.check(safe.number - 3, safe.number);
    }
}

/// Nodes that offer proofs, and nothing of the namespace for debugging.
#[test]
fn proofs_are_enough_for_every_fork() {
    for fork in std::iter::once(Fork::Bedrock).chain(Fork::TIMED) {
        if fork > Fork::Jovian {
            break;
        }
        let lacks = Lacks { l2: DEBUG, ..Lacks::default() };
        let served = Served::new(devnet(fork, 6), lacks);
        let (_, safe) = served.node.rollup().follower.head();
        println!("{fork:?}");
        served.check(0, safe.number / 2);
        served.check(safe.number / 2, safe.number);
    }
}

/// A contract with slots 1 to `SLOTS`, which clears the slot that it is called with.
fn clearing_contract() -> Vec<u8> {
    // SSTORE(slot, 1) for each, then CODECOPY and RETURN of what is behind.
    let mut code: Vec<u8> = (1..=SLOTS).flat_map(|slot| [0x60, 1, 0x60, slot, 0x55]).collect();
    let runtime = [0x60, 0, 0x60, 0, 0x35, 0x55, 0];
    let at = code.len() as u8 + 12;
    code.extend([0x60, 7, 0x60, at, 0x60, 0, 0x39, 0x60, 7, 0x60, 0, 0xf3]);
    code.extend(runtime);
    code
}

const SLOTS: u8 = 24;

/// When slots are cleared until one is left, branches lose all children but one, and that one has to be read
/// though nobody looks it up.
#[test]
fn proofs_are_enough_where_branches_go() {
    let mut setup = Setup::at_fork(7, Fork::Isthmus);
    (setup.transactions_per_block, setup.deposits_percent) = (0, 0);
    let mut config = setup.l1.clone();
    config.accounts.extend(Rollup::l1_accounts().unwrap());
    let l1 = l1::Chain::new(config, StateStore::new()).unwrap();
    let key = Key::named("somebody");
    let rich = BTreeMap::from([(key.address(), l1::funded(1_000))]);
    let rollup = Rollup::new(setup, &l1.latest().header, rich).unwrap();
    let mut devnet = Devnet { l1, rollup };
    let mut blocks = Vec::new();
    for nonce in 0..u64::from(SLOTS) {
        let (to, input) = match nonce {
            0 => (TxKind::Create, clearing_contract()),
            slot => {
                let contract = key.address().create(0);
                (TxKind::Call(contract), B256::from(U256::from(slot)).to_vec())
            }
        };
        let transaction = TxEip1559 {
            chain_id: 901,
            nonce,
            gas_limit: 1_000_000,
            max_fee_per_gas: 10_000_000_000,
            to,
            input: input.into(),
            ..TxEip1559::default()
        };
        let transaction = key.sign_encoded(transaction).unwrap();
        let hash = devnet.rollup.sequencer.submit(&transaction).unwrap();
        devnet.step().unwrap();
        let (block, index) = devnet.l2().ledger().transaction(hash).unwrap();
        assert!(block.receipts[index].status());
        blocks.push(block.number());
    }
    let served = Served::new(devnet, Lacks { l2: DEBUG, ..Lacks::default() });
    for block in blocks {
        served.check(block - 1, block);
    }
}

fn check_failure(lacks: Lacks, expected: &[&str]) {
    let served = Served::new(devnet(Fork::Jovian, 3), lacks);
    let (_, safe) = served.node.rollup().follower.head();
    let text = served.failure(safe.number - 3, safe.number);
    for part in expected {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn what_cannot_be_had_is_named() {
    let l1 = |l1| Lacks { l1, ..Lacks::default() };
    let l2 = |l2| Lacks { l2, ..Lacks::default() };
    let methods = ["debug_getRawHeader: the method is not offered", "eth_getBlockByHash"];
    check_failure(l1(&["debug_getRawHeader", "eth_getBlockByHash"]), &methods);
    let methods = ["the transactions of L1 block", "debug_getRawBlock", "eth_getBlockByHash"];
    check_failure(l1(&["debug_getRawBlock", "eth_getBlockByHash"]), &methods);
    let receipts = ["debug_getRawReceipts", "eth_getBlockReceipts", "eth_getTransactionReceipt"];
    let lacks = l1(&["debug_getRawReceipts", "eth_getBlockReceipts", "eth_getTransactionReceipt"]);
    check_failure(lacks, &[&["the receipts of L1 block"], &receipts[..]].concat());
    let beacon = &["/eth/v1/beacon/blobs", "/eth/v1/beacon/blob_sidecars"];
    check_failure(Lacks { beacon, ..Lacks::default() }, &["blob 0x01", "/eth/v1/beacon/blob"]);

    let methods = ["the header of L2 block", "debug_getRawHeader", "eth_getBlockByHash"];
    check_failure(l2(&["debug_getRawHeader", "eth_getBlockByHash"]), &methods);
    let lacks = l2(&["debug_dbGet", "debug_executionWitness", "eth_getProof"]);
    let methods = ["trie node", "debug_dbGet", "debug_executionWitness", "eth_getProof"];
    check_failure(lacks, &methods);
    let lacks = l2(&["debug_dbGet", "debug_executionWitness", "eth_getCode"]);
    check_failure(lacks, &["trie node", "debug_dbGet", "eth_getCode"]);
}

#[test]
fn a_blob_that_was_pruned_is_named() {
    let mut sick = devnet(Fork::Jovian, 3);
    let numbers = 1..=sick.l1.latest().number();
    let hashes: Vec<B256> =
        numbers.map(|number| sick.l1.ledger().block(number).unwrap().hash()).collect();
    let dropped = hashes.into_iter().filter(|hash| sick.l1.drop_blobs(*hash)).count();
    assert!(dropped > 0);
    let healthy = Served::new(devnet(Fork::Jovian, 3), Lacks::default());
    let (_, safe) = healthy.node.rollup().follower.head();
    let claim = healthy.claim(safe.number - 3, safe.number);
    let expected = ["blob 0x01", "the node does not have it", "pruned it or never had it"];
    check_recovery(&Served::new(sick, Lacks::default()), &healthy, claim, &expected);
}

#[test]
fn an_l2_node_that_pruned_its_state_is_named() {
    let healthy = Served::new(devnet(Fork::Jovian, 3), Lacks::default());
    let (_, safe) = healthy.node.rollup().follower.head();
    let claim = healthy.claim(safe.number - 3, safe.number);
    let sick = devnet(Fork::Jovian, 3);
    let chain = sick.l2();
    let root = chain.ledger().block(safe.number - 3).unwrap().header.state_root;
    assert!(chain.store().forget(root));
    let root = format!("the L2 trie node {root}");
    let expected = [root.as_str(), "debug_dbGet", "debug_executionWitness", "eth_getProof"];
    check_recovery(&Served::new(sick, Lacks::default()), &healthy, claim, &expected);
}

#[test]
fn a_reorg_of_l1_below_the_safe_head_is_noticed() {
    let healthy = Served::new(devnet(Fork::Jovian, 5), Lacks::default());
    let (_, safe) = healthy.node.rollup().follower.head();
    let (boot, head) = healthy.claim(safe.number - 3, safe.number);
    // The L1 head of the claim is not canonical any more, and neither is what was derived from it.
    let sick = Served::new(devnet(Fork::Jovian, 5), Lacks::default());
    let latest = sick.l1.chain().latest().number();
    let blocks = vec![Vec::new(); 6];
    sick.l1.chain().reorg(latest - 3, &blocks, l1::Removed::Dropped).unwrap();
    sick.node.rollup().follow(sick.l1.chain().record()).unwrap();
    let (_, after) = sick.node.rollup().follower.head();
    assert!(after.number < safe.number, "the safe head stays at {}", safe.number);
    // Nodes keep old blocks by hash, but a beacon node has no blobs of slots that are empty now.
    let expected = ["blob 0x01", "the block was reorganised away there"];
    check_recovery(&sick, &healthy, (boot, head), &expected);
    // Against the new one it is about a block that cannot be derived.
    let l1_head = sick.l1.chain().latest().hash();
    let verdict = sick.decide(Boot { l1_head, ..boot }, head);
    assert!(!verdict.is_ok_and(|verdict| verdict.is_valid()));
}
