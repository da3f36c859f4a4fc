//! The program over RPC: a host asks the devnet's nodes by URL, whatever they offer and lack.

use alloy_primitives::{B256, keccak256};
use rebut_devnet::{
    batcher::Form,
    l1, l2,
    rollup::{Devnet, Setup, l1_config_json},
    rpc::{Get, HttpAnswer, Methods, Params, RpcResult, Server, beacon::Beacon},
};
use rebut_execution::Fork;
use rebut_host::{
    Host, HostConfig, LocalValues, PayloadForm,
    source::{NodeUrl, Policy},
    store::DataLocation,
};
use rebut_program::{
    Boot, Verdict,
    claim::{self, ClaimError},
    config::json,
};
use std::{
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

    fn host(&self, boot: Boot, agreed_l2_head: B256) -> Host {
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
        Host::new(config, DataLocation::Memory.open().unwrap())
    }

    /// Runs the program on a claim, with the configuration as a host hands it out.
    fn decide(
        &self,
        boot: Boot,
        agreed_l2_head: B256,
    ) -> Result<Verdict, ClaimError<json::JsonError>> {
        let mut host = self.host(boot, agreed_l2_head);
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
        let error = self.decide(boot, head).unwrap_err();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            text = format!("{text}: {source}");
            cause = source.source();
        }
        text
    }
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
    let cases: [Lacks; 7] = [
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
    ];
    for (index, lacks) in cases.into_iter().enumerate() {
        let served = Served::new(devnet(Fork::Jovian, 3), lacks);
        let (_, safe) = served.node.rollup().follower.head();
        println!("case {index}");
        served.check(safe.number - 3, safe.number);
    }
}

fn check_failure(served: &Served, expected: &[&str]) {
    let (_, safe) = served.node.rollup().follower.head();
    let text = served.failure(safe.number - 3, safe.number);
    for part in expected {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn what_cannot_be_had_is_named() {
    let lacks = Lacks { l2: &["debug_dbGet", "debug_executionWitness"], ..Lacks::default() };
    check_failure(&Served::new(devnet(Fork::Jovian, 3), lacks), &["trie node", "debug_dbGet"]);
    let lacks = Lacks {
        l1: &["debug_getRawReceipts", "eth_getBlockReceipts", "eth_getTransactionReceipt"],
        ..Lacks::default()
    };
    check_failure(&Served::new(devnet(Fork::Jovian, 3), lacks), &["receipts"]);
    let lacks = Lacks {
        beacon: &["/eth/v1/beacon/blobs", "/eth/v1/beacon/blob_sidecars"],
        ..Lacks::default()
    };
    check_failure(&Served::new(devnet(Fork::Jovian, 3), lacks), &["blob"]);
}

#[test]
fn a_blob_that_was_pruned_is_named() {
    let mut devnet = devnet(Fork::Jovian, 3);
    let numbers = 1..=devnet.l1.latest().number();
    let hashes: Vec<B256> =
        numbers.map(|number| devnet.l1.ledger().block(number).unwrap().hash()).collect();
    let dropped = hashes.into_iter().filter(|hash| devnet.l1.drop_blobs(*hash)).count();
    assert!(dropped > 0);
    check_failure(&Served::new(devnet, Lacks::default()), &["blob"]);
}

#[test]
fn an_l2_node_that_pruned_its_state_is_named() {
    let devnet = devnet(Fork::Jovian, 3);
    let (_, safe) = devnet.rollup.follower.head();
    let chain = devnet.l2();
    let agreed = chain.ledger().block(safe.number - 3).unwrap();
    assert!(chain.store().forget(agreed.header.state_root));
    let root = agreed.header.state_root.to_string();
    let output = chain.ledger().block(safe.number - 3).is_some();
    assert!(output);
    let served = Served::new(devnet, Lacks::default());
    // The claim's own output cannot be computed any more; what is asked for is what counts.
    let rollup = served.node.rollup();
    let block = rollup.l2().ledger().block(safe.number - 3).unwrap();
    let withdrawals = block.header.withdrawals_root.unwrap();
    let preimage = [B256::ZERO, block.header.state_root, withdrawals, block.hash()].concat();
    let (head, number) = (block.hash(), safe.number);
    let boot = Boot {
        l1_head: served.l1.chain().latest().hash(),
        agreed_output: keccak256(preimage),
        claimed_output: B256::ZERO,
        claimed_number: number,
        chain_id: 901,
    };
    drop(rollup);
    let error = served.decide(boot, head).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains(&root[2..]) || error.to_string().contains(&root[2..]), "{error}: {text}");
}

#[test]
fn a_reorg_of_l1_below_the_safe_head_is_noticed() {
    let devnet = devnet(Fork::Jovian, 5);
    let served = Served::new(devnet, Lacks::default());
    let (_, safe) = served.node.rollup().follower.head();
    let (boot, head) = served.claim(safe.number - 3, safe.number);
    // The L1 head of the claim is not canonical any more, and neither is what was derived from it.
    let latest = served.l1.chain().latest().number();
    let blocks = vec![Vec::new(); 6];
    served.l1.chain().reorg(latest - 3, &blocks, l1::Removed::Dropped).unwrap();
    served.node.rollup().follow(served.l1.chain().record()).unwrap();
    let (_, after) = served.node.rollup().follower.head();
    assert!(after.number < safe.number, "the safe head stays at {}", safe.number);
    // Nodes keep old blocks by hash, but a beacon node has no blobs of slots that are empty now.
    let text = format!("{:?}", served.decide(boot, head).unwrap_err());
    assert!(text.contains("blob 0x01") && text.contains("Absent"), "{text}");
    // Against the new one it is about a block that cannot be derived.
    let l1_head = served.l1.chain().latest().hash();
    let verdict = served.decide(Boot { l1_head, ..boot }, head);
    assert!(!verdict.is_ok_and(|verdict| verdict.is_valid()));
}
