//! Games of the type asterisc, at the depth that mainnet has: one instruction of the real program is executed by RISCV.

use crate::liar::Lies;
use crate::world::{BLOCK, HONEST, LIAR, STARTING_BLOCK, World, metrics_url, scrape};
use alloy_primitives::{Address, B256, U256, keccak256};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use rebut_challenger::agent::Agent;
use rebut_challenger::trace::vm::Limits;
use rebut_challenger::trace::{Engine, Machinery, Prestates, Setup};
use rebut_contracts::bindings::FaultDisputeGame as Game;
use rebut_contracts::deployment::{GameConfig, Vm};
use rebut_devnet::l2;
use rebut_devnet::rpc::{Methods, Params, RpcResult, Server};
use rebut_dispute::GameType;
use rebut_fpvm::{AsteriscVersion, load_elf};
use rebut_program::Output;
use rebut_program::config::{Chain, Table, json, section};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const CHALLENGER_WINS: u8 = 1;
const DEFENDER_WINS: u8 = 2;
/// Half of what each side has for its answers, and a second more.
const HALF_A_CLOCK: u64 = 302_400 / 2 + 1;
/// More rounds than a game has levels.
const ROUNDS: usize = 90;
/// Where the liar leaves the truth.
const INSTRUCTION: u64 = 123_456;

/// The program for the world's chain as a state of Asterisc: the file's content, and the hash.
fn prestate(rollup_config: &str, l1_config: &str) -> (Vec<u8>, B256) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/prebuilt/riscv64/program.elf.gz");
    let mut elf = Vec::new();
    let packed = std::fs::File::open(path).expect("the guest");
    GzDecoder::new(packed).read_to_end(&mut elf).expect("a packed guest");
    let config =
        json::read(rollup_config.as_bytes(), Some(l1_config.as_bytes())).expect("a configuration");
    let table = Table::encode(&[Chain::new("", config)]).expect("one chain");
    section::fill(&mut elf, &table).expect("a section for it");
    let mut state = load_elf(AsteriscVersion, &elf).expect("a program").state;
    let seal = state.seal();
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    state.write_binary(&mut file, &seal).expect("a state");
    (file.finish().expect("packed"), state.hash())
}

/// Metrics of deployed challengers that dashboards show and alarms watch, as they are after a game.
const METRICS: &[&str] = &[
    "op_challenger_executors{status=\"active\"}",
    "op_challenger_executors{status=\"idle\"}",
    "op_challenger_moves",
    "op_challenger_steps",
    "op_challenger_claim_resolution_time_bucket{le=\"7.5\"}",
    "op_challenger_game_act_time_bucket{le=\"245760\"}",
    "op_challenger_vm_execution_time_bucket{vm=\"asterisc\",le=\"30\"}",
    "op_challenger_vm_memory_used_bucket{vm=\"asterisc\",le=\"1468006400\"}",
    "op_challenger_vm_step_count{vm=\"asterisc\"}",
    "op_challenger_preimage_count",
    "op_challenger_tracked_games{status=\"in_progress\"}",
    "op_challenger_tracked_games{status=\"challenger_won\"}",
    "op_challenger_tracked_games{status=\"defender_won\"}",
    "op_challenger_highest_acted_l1_block",
    "op_challenger_inflight_games",
    "op_challenger_txmgr_confirm_total{status=\"success\"}",
    "op_challenger_txmgr_last_confirm_unix{status=\"success\"}",
    "op_challenger_txmgr_publish_total",
    "op_challenger_txmgr_last_publish_unix",
    "op_challenger_txmgr_current_nonce",
    "op_challenger_txmgr_pending_txs",
    "op_challenger_txmgr_tx_fee_gwei",
    "op_challenger_txmgr_tx_fee_gwei_total",
    "op_challenger_txmgr_tx_fee_histogram_gwei_bucket{le=\"1600\"}",
    "op_challenger_txmgr_tx_gas_bump",
    "op_challenger_txmgr_tx_type",
    "op_challenger_txmgr_tx_confirmed_latency_ms",
    "op_challenger_txmgr_basefee_wei",
    "op_challenger_txmgr_tipcap_wei",
];

/// Checks that all of them are there, and that a game has moved those that count.
fn check_metrics(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) {
    let missing: Vec<_> = METRICS.iter().filter(|name| !after.contains_key(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} among {after:?}");
    for (name, least) in [
        ("op_challenger_moves", 70.0),
        ("op_challenger_steps", 1.0),
        ("op_challenger_txmgr_publish_total", 70.0),
        ("op_challenger_txmgr_confirm_total{status=\"success\"}", 70.0),
        ("op_challenger_vm_execution_time_count{vm=\"asterisc\"}", 1.0),
        ("op_challenger_vm_execution_time_sum{vm=\"asterisc\"}", 0.001),
        ("op_challenger_vm_memory_used_sum{vm=\"asterisc\"}", 1e6),
        ("op_challenger_game_act_time_count", 35.0),
        ("op_challenger_claim_resolution_time_count", 1.0),
        ("op_challenger_txmgr_tx_fee_gwei_total", 1.0),
    ] {
        let moved = after[name] - before.get(name).copied().unwrap_or_default();
        assert!(moved >= least, "{name} moved by {moved}");
    }
    assert!(after["op_challenger_vm_step_count{vm=\"asterisc\"}"] > INSTRUCTION as f64);
}

/// A rollup node that gives another state of blocks, and the root that belongs to it.
pub struct Lying {
    pub node: Arc<l2::Node>,
    /// The first block that it lies about.
    pub from: u64,
}

impl Methods for Lying {
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult> {
        let mut answer = self.node.call(method, params)?;
        if method == "optimism_outputAtBlock"
            && let Ok(output) = &mut answer
            && output["blockRef"]["number"].as_u64() >= Some(self.from)
        {
            let hash = |at: &Value| at.as_str().expect("a hash").parse().expect("a hash");
            let lie = Output {
                state_root: B256::repeat_byte(0x66),
                message_passer_storage_root: hash(&output["withdrawalStorageRoot"]),
                block_hash: hash(&output["blockRef"]["hash"]),
            };
            output["stateRoot"] = json!(lie.state_root);
            output["outputRoot"] = json!(lie.root());
        }
        Some(answer)
    }
}

/// The world, with games of Asterisc (2) whose prestate is in a folder, and of Asterisc with another program (3), whose
/// prestate is nowhere.
async fn open() -> (World, Arc<Setup>, Vec<u8>) {
    let mut content = Vec::new();
    let mut hash = B256::ZERO;
    let world = World::start(|rollup, l1| {
        (content, hash) = prestate(rollup, l1);
        let game = |game_type, absolute_prestate| GameConfig {
            game_type,
            vm: Vm::Asterisc,
            absolute_prestate,
            ..GameConfig::default()
        };
        vec![game(2, hash), game(3, B256::repeat_byte(0x99))]
    })
    .await;
    std::fs::write(world.file("prestate.bin.gz"), &content).expect("a file");
    std::fs::create_dir(world.file("prestates")).expect("a folder");
    let named = world.file("prestates").join(format!("{hash}.bin.gz"));
    std::fs::write(named, &content).expect("a file");
    let setup = setup(&world, &[world.l2_url()]);
    (world, setup, content)
}

/// Truth from these rollup nodes, and prestates from the folder.
fn setup(world: &World, rollup: &[String]) -> Arc<Setup> {
    let base = format!("file://{}", world.file("prestates").display());
    let prestates = Prestates::named(world.file("kept"), Some(&base)).expect("a base");
    let engine = Engine::InProcess(Limits::default());
    let nothing = Prestates::named(world.file("nothing"), None).expect("a folder");
    let usual = Setup::new(world.nodes(rollup), nothing, world.file("traces"), engine.clone());
    Arc::new(usual.with(GameType::ASTERISC, Machinery { prestates, engine }))
}

fn lies(truth: &Arc<Setup>) -> Arc<Lies> {
    Arc::new(Lies {
        truth: Arc::clone(truth),
        from_block: STARTING_BLOCK + 1,
        from_instruction: INSTRUCTION,
    })
}

async fn claims(world: &World, game: Address) -> u64 {
    world.view(game, Game::claimDataLenCall {}).await.to()
}

/// Both sides in turns until the game ends.
async fn play_out(world: &World, game: Address, honest: &mut Agent, liar: &mut Agent) -> u8 {
    for _ in 0..ROUNDS {
        let before = claims(world, game).await;
        for agent in [&mut *honest, &mut *liar] {
            agent.round().await.expect("a readable chain");
            world.l1().mine().expect("a block");
        }
        let status = world.view(game, Game::statusCall {}).await;
        if status != 0 {
            return status;
        }
        if claims(world, game).await == before {
            world.pass(HALF_A_CLOCK).await;
        }
    }
    panic!("the game does not end");
}

/// The leaf at the largest depth that was countered: by a step, since nothing stands below it.
async fn stepped_on(world: &World, game: Address) -> Option<Address> {
    for index in 0..claims(world, game).await {
        let claim = world.view(game, Game::claimDataCall { _index: U256::from(index) }).await;
        if claim.position >> 73 == 1 && !claim.counteredBy.is_zero() {
            return Some(claim.counteredBy);
        }
    }
    None
}

fn rebut(arguments: &[String]) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_rebut")).args(arguments).output().expect("the binary");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What the commands say of a game, with the truth by flags.
fn check_commands(world: &World, game: Address, claims: u64) {
    let path = |name: &str| world.file(name).display().to_string();
    let flags = [
        ("--l1-eth-rpc", world.devnet.l1_url()),
        ("--l1-beacon", world.beacon_url()),
        ("--l2-eth-rpc", world.l2_url()),
        ("--rollup-rpc", world.l2_url()),
        ("--asterisc-prestate", path("prestate.bin.gz")),
        ("--rollup-config", path("rollup.json")),
        ("--l1-genesis", path("l1.json")),
    ];
    let flags = || flags.iter().flat_map(|(flag, value)| [(*flag).to_owned(), value.clone()]);
    let command = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(flags()).collect()
    };
    let game = game.to_string();
    let shown = rebut(&command(&["game", "show", "--json", "--game", &game]));
    let truth = &shown["truth"];
    assert_eq!(truth["wrong"][0], 0, "the root: {truth}");
    assert!(truth["traces"].as_u64() >= Some(1), "{truth}");
    assert!(truth["executed"].as_u64() >= truth["instructions"].as_u64(), "{truth}");
    assert!(truth["instructions"].as_u64() > Some(INSTRUCTION), "{truth}");
    assert!(truth["traceMilliseconds"].as_u64() > Some(0), "{truth}");
    let why = rebut(&command(&["game", "why", "--json", &game, "0"]));
    let why = &why[0];
    assert_eq!((&why["claim"], &why["countered"]), (&json!(0), &json!(true)), "{why}");
    let honest = world.output(BLOCK).to_string();
    assert_eq!(why["honestValue"], honest, "{why}");
    assert!(why["why"].as_str().expect("words").contains(&honest), "{why}");

    // Claims about outputs are judged without a prestate, those about states are not.
    let without = |claim: &str| -> Vec<String> {
        let words = ["game", "why", "--json", &game, claim];
        let flags = [("--l1-eth-rpc", world.devnet.l1_url()), ("--rollup-rpc", world.l2_url())];
        let flags = flags.iter().flat_map(|(flag, value)| [(*flag).to_owned(), value.clone()]);
        words.iter().map(|word| (*word).to_owned()).chain(flags).collect()
    };
    assert_eq!(&rebut(&without("0"))[0], why);
    let deepest = claims.saturating_sub(1).to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_rebut")).args(without(&deepest)).output();
    let output = output.expect("the binary");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("--prestates-url"), "{error}");

    check_findings(&command, &world.at.dispute_game_factory.to_string());
}

/// What is looked at before games are played: what is not well is named, and kinds without games are no fault.
fn check_findings(command: &dyn Fn(&[&str]) -> Vec<String>, factory: &str) {
    let check = |game_types: &str, bad: &[&str]| {
        let key = LIAR.to_string();
        let words = ["challenger", "check", "--json", "--game-factory-address", factory];
        let of = ["--game-types", game_types, "--private-key", &key];
        let arguments = command(&[&words[..], &of].concat());
        let output = Command::new(env!("CARGO_BIN_EXE_rebut")).args(&arguments).output();
        let output = output.expect("the binary");
        let findings: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = findings.as_array().expect("a list");
        let named = findings.iter().filter(|finding| finding["ok"] == json!(false));
        let named: Vec<&str> = named.filter_map(|finding| finding["what"].as_str()).collect();
        assert_eq!(named, bad, "{game_types}: {findings:?}");
        assert_eq!(output.status.code(), Some(i32::from(!bad.is_empty())), "{game_types}");
        findings.len()
    };
    let alone = check("asterisc", &[]);
    assert_eq!(check("asterisc,cannon", &[]), alone + 1);
    check("cannon", &["type 0: implementation"]);
    // Games of this kind have a prestate of their own, which nobody has.
    check("asterisc-kona", &["type 3: prestate"]);
}

/// A false root loses, a true root survives, and there one instruction of the program is executed by the verifier.
#[tokio::test(flavor = "multi_thread")]
async fn whole_disputes_of_the_riscv_machine() {
    let metrics = metrics_url().await;
    let before = scrape(&metrics);
    let (world, truth, _) = open().await;
    let wrong = world.create_game(2, keccak256("a false root")).await;
    let mut honest = world.agent(HONEST, 2, Arc::clone(&truth) as _).await;
    let mut liar = world.agent(LIAR, 2, lies(&truth)).await;
    assert_eq!(play_out(&world, wrong, &mut honest, &mut liar).await, CHALLENGER_WINS);
    let made = claims(&world, wrong).await;
    assert!(made >= 73, "down to the largest depth");
    check_commands(&world, wrong, made);
    // Preimages by the hundred were kept for it, and nobody needs them any more.
    let cache = world.file("traces").join(format!("game-{wrong}"));
    let kept = || std::fs::read_dir(&cache).expect("a folder").count();
    assert_ne!(kept(), 0);
    honest.round().await.expect("a readable chain");
    assert_eq!(kept(), 0);

    let right = world.create_game(2, world.output(BLOCK)).await;
    assert_eq!(play_out(&world, right, &mut honest, &mut liar).await, DEFENDER_WINS);
    let us = rebut_devnet::keys::Key::new(HONEST).expect("a key").address();
    assert_eq!(stepped_on(&world, right).await, Some(us), "one step decides");
    check_metrics(&before, &scrape(&metrics));
}

/// Nothing is done in a game whose prestate is not to be had, nor where rollup nodes disagree; and it is counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sure_is_not_played() {
    let metrics = metrics_url().await;
    let (world, truth, _) = open().await;
    let elsewhere = world.create_game(3, keccak256("a false root")).await;
    let mut honest = world.agent(HONEST, 3, Arc::clone(&truth) as _).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(claims(&world, elsewhere).await, 1);
    let counted = |reason: &str, count: u32| {
        let name = format!("op_challenger_not_acted{{reason=\"{reason}\"}}");
        assert_eq!(scrape(&metrics).get(&name), Some(&f64::from(count)), "{name}");
    };
    counted("setup", 1);

    let node = Arc::clone(world.devnet.l2().expect("a rollup").node());
    let lying = Lying { node, from: BLOCK };
    let lying = Server::rpc(([127, 0, 0, 1], 0).into(), Arc::new(lying)).expect("a server");
    let game = world.create_game(2, keccak256("a false root")).await;
    let torn = setup(&world, &[world.l2_url(), lying.url()]);
    let mut honest = world.agent(HONEST, 2, torn).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(claims(&world, game).await, 1);
    counted("disagreement", 1);
    // Alone the liar would be believed: that is why several can be asked.
    let mut honest = world.agent(HONEST, 2, truth).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(claims(&world, game).await, 2);
}
