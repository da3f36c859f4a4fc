//! Truth in games over made-up chains.

use super::fixtures::{recorded, server};
use super::vm::RunInputs;
use super::*;
use alloy_primitives::{Address, U256, keccak256};
use rebut_dispute::{Bond, Claim, Clock, Parameters, Proposal, Seconds, Side};
use rebut_host::source::{NodeUrl, Policy};
use rebut_program::Output;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const L1_HEAD: L1Head = L1Head { hash: B256::repeat_byte(0x11), number: 500 };
const CHAIN: u64 = 901;

fn header(number: u64) -> Vec<u8> {
    format!("header of block {number}").into_bytes()
}

fn output(number: u64) -> Output {
    Output {
        state_root: B256::left_padding_from(&number.to_be_bytes()),
        message_passer_storage_root: B256::repeat_byte(2),
        block_hash: keccak256(header(number)),
    }
}

/// A source of the outputs above, with the blocks up to `safe` derivable.
struct Fake {
    safe: u64,
    lie_at: Option<u64>,
}

impl OutputSource for Fake {
    fn name(&self) -> String {
        format!("the fake up to {}", self.safe)
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        Ok(output(if self.lie_at == Some(number) { 7 } else { number }))
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        assert_eq!(head, L1_HEAD);
        Ok(self.safe.min(limit))
    }
}

/// A made-up trace: its states are numbers, and it ends after some of them.
struct Counter(u64);

impl StateTrace for Counter {
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        let mut hash = B256::from(U256::from(steps.min(self.0)));
        hash[0] = if steps < self.0 { 3 } else { 0 };
        Ok(hash)
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let prestate = steps.to_be_bytes().to_vec();
        Ok(StepData { prestate, proof: Vec::new(), preimage: None })
    }

    fn report(&self) -> Report {
        Report::default()
    }
}

/// Such a trace wherever one is asked for, and a note of what each is about.
#[derive(Clone, Default)]
struct Counters(Arc<Mutex<Vec<RunInputs>>>);

impl Executions for Counters {
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        self.0.lock().unwrap().push(*inputs);
        Ok(Box::new(Counter(7)))
    }
}

fn claim(parent: Option<u32>, position: Position) -> Claim {
    Claim {
        parent: parent.map(ClaimIndex),
        countered_by: None,
        claimant: Address::ZERO,
        bond: Bond(0),
        value: keccak256(position.gindex().to_be_bytes()),
        position,
        clock: Clock::default(),
    }
}

/// From block 100 to block 108 in trees of depth 4 and 3, with one path of claims.
fn game(sides: &[Side]) -> Game {
    let parameters = Parameters::new(8, 4, Seconds(1000), Seconds(10), Seconds(10)).unwrap();
    let starting = Proposal { root: output(100).root(), l2_sequence_number: 100 };
    let mut game = Game::new(parameters, starting, 108, [claim(None, Position::ROOT)]).unwrap();
    let mut position = Position::ROOT;
    for (parent, side) in (0..).zip(sides) {
        position = position.answer(*side).unwrap();
        game.push(claim(Some(parent), position)).unwrap();
    }
    game
}

fn trace(safe: u64) -> (GameTrace, Counters) {
    let counters = Counters::default();
    let source = Box::new(Fake { safe, lie_at: None });
    let outputs = Outputs::new(source, L1_HEAD);
    let headers = Box::new((90..110).map(header).collect::<Vec<_>>());
    (GameTrace::new(outputs, headers, Box::new(counters.clone()), CHAIN), counters)
}

use Side::{Attack, Defend};

#[test]
fn outputs_are_those_of_derivable_blocks() {
    let game = game(&[]);
    let check = |safe, gindex, block: u64| {
        let position = Position::new(gindex).unwrap();
        let value = trace(safe).0.claim(&game, ClaimIndex::ROOT, position).unwrap();
        assert_eq!(value, output(block).root(), "position {gindex}, safe head {safe}");
    };
    check(200, 1, 108);
    check(200, 2, 108);
    check(200, 4, 104);
    check(200, 16, 101);
    check(200, 31, 108);
    // What cannot be derived is the last block that can.
    check(105, 1, 105);
    check(105, 4, 104);
    check(105, 23, 105);
    check(100, 16, 100);
    let error = trace(99).0.claim(&game, ClaimIndex::ROOT, Position::ROOT).unwrap_err();
    assert!(matches!(error, TraceError::SafeHead { safe: 99, starting: 100 }), "{error}");
}

/// The outputs, as claim indices, that lie around each of the two traces at a leaf.
#[test]
fn a_trace_runs_between_two_outputs() {
    let check = |path: &[Side], next, safe, agreed: Option<(u32, u64)>, disputed: (u32, u64)| {
        let game = game(path);
        let leaf = ClaimIndex(4);
        let position = game.claim(leaf).unwrap().position.answer(next).unwrap();
        let (mut trace, _) = trace(safe);
        let inputs = trace.run_inputs(&game, leaf, position).unwrap();
        let words = |index: u32| {
            let claim = game.claim(ClaimIndex(index)).unwrap();
            let position = U256::from(claim.position.gindex()).to_be_bytes::<32>();
            [claim.value.0, position].concat()
        };
        let (agreed_output, agreed_block) = match agreed {
            Some((index, block)) => (game.claim(ClaimIndex(index)).unwrap().value, block),
            None => (output(100).root(), 100),
        };
        let context = agreed.map_or(Vec::new(), |(index, _)| words(index));
        let want = RunInputs {
            boot: Boot {
                l1_head: L1_HEAD.hash,
                agreed_output,
                claimed_output: game.claim(ClaimIndex(disputed.0)).unwrap().value,
                claimed_number: disputed.1,
                chain_id: CHAIN,
            },
            agreed_l2_head: output(agreed_block).block_hash,
            context: keccak256([context, words(disputed.0)].concat()),
        };
        assert_eq!(inputs, want, "{path:?} {next}");
    };
    // At the left edge the game's own starting output is agreed on.
    check(&[Attack; 4], Attack, 200, None, (4, 101));
    check(&[Attack; 4], Defend, 200, Some((4, 101)), (3, 102));
    check(&[Attack, Attack, Attack, Defend], Attack, 200, Some((3, 102)), (4, 103));
    check(&[Attack, Attack, Attack, Defend], Defend, 200, Some((4, 103)), (2, 104));
    check(&[Attack, Defend, Attack, Attack], Attack, 200, Some((1, 108)), (4, 108));
    // Both beyond the safe head: agreed is what can be derived, disputed is what was claimed.
    check(&[Attack, Attack, Attack, Defend], Attack, 101, Some((3, 101)), (4, 103));
    // At the right edge the root itself is disputed.
    check(&[Attack, Defend, Defend, Defend], Defend, 200, Some((4, 108)), (0, 108));
}

#[test]
fn states_are_counted_from_the_left_of_their_trace() {
    let game = game(&[Attack, Attack, Attack, Defend, Attack, Attack, Defend, Attack]);
    let (mut trace, counters) = trace(200);
    let mut counter = Counter(7);
    let last = ClaimIndex(8);
    let leaf = game.claim(last).unwrap().position;
    // Below the root of the trace: attack, defend, attack, which is index 4 of 8.
    assert_eq!(trace.claim(&game, last, leaf).unwrap(), counter.state_hash(5).unwrap());
    let data = trace.step_data(&game, last, leaf).unwrap();
    assert_eq!(data, counter.step_data(4).unwrap());
    let next = trace.step_data(&game, last, leaf.right().unwrap()).unwrap();
    assert_eq!(next, counter.step_data(5).unwrap());
    // The root of the trace is the state at the end, and claims above it share its index.
    let root = game.claim(ClaimIndex(5)).unwrap().position;
    assert_eq!(trace.claim(&game, ClaimIndex(5), root).unwrap(), counter.state_hash(8).unwrap());
    assert_eq!(counters.0.lock().unwrap().len(), 1, "one trace, opened once");
    assert_eq!(trace.work().traces, 1);
    // The last step of a trace is the right edge of its tree.
    let edge = Position::at(leaf.depth(), leaf.index_at_depth() | 7).unwrap();
    assert_eq!(trace.step_data(&game, last, edge).unwrap(), counter.step_data(7).unwrap());
}

#[test]
fn a_program_without_end_has_no_claim() {
    struct Endless;
    impl Executions for Endless {
        fn open(&mut self, _: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
            Ok(Box::new(Counter(9)))
        }
    }
    let game = game(&[Attack; 4]);
    let outputs = Outputs::new(Box::new(Fake { safe: 200, lie_at: None }), L1_HEAD);
    let mut trace = GameTrace::new(outputs, Box::new(Vec::new()), Box::new(Endless), CHAIN);
    let root = Position::new(32).unwrap();
    let error = trace.claim(&game, ClaimIndex(4), root).unwrap_err();
    assert!(matches!(error, TraceError::TooLong { depth: 3 }), "{error}");
    assert!(trace.claim(&game, ClaimIndex(4), Position::new(64).unwrap()).is_ok());
}

#[test]
fn only_the_traces_asked_for_last_stay_open() {
    let (mut trace, counters) = trace(200);
    for round in 0..2 {
        for bits in 0..6_u32 {
            let side = |bit: u32| if bits >> bit & 1 == 1 { Defend } else { Attack };
            let game = game(&[Attack, side(2), side(1), side(0)]);
            let leaf = game.claim(ClaimIndex(4)).unwrap().position;
            trace.claim(&game, ClaimIndex(4), leaf.answer(Attack).unwrap()).unwrap();
        }
        assert_eq!(counters.0.lock().unwrap().len(), 6 * (round + 1));
        assert!(trace.open.len() <= OPEN_TRACES);
    }
}

#[test]
fn an_early_root_is_shown_by_its_header() {
    let game = game(&[]);
    assert_eq!(trace(108).0.l2_block_challenge(&game).unwrap(), None);
    let challenge = trace(106).0.l2_block_challenge(&game).unwrap().expect("a challenge");
    let L2BlockChallenge { version, state_root, message_passer_storage_root, .. } = challenge;
    let words = [version, state_root, message_passer_storage_root, challenge.latest_block_hash];
    assert_eq!(keccak256(words.concat()), output(106).root());
    assert_eq!(challenge.header_rlp, header(106));
    let error = trace(80).0.l2_block_challenge(&game).unwrap_err();
    assert!(matches!(error, TraceError::SafeHead { .. }), "{error}");
}

#[test]
fn a_game_that_starts_elsewhere_is_noticed() {
    let (mut honest, _) = trace(200);
    honest.check_starting(game(&[]).starting()).unwrap();
    let liar = Box::new(Fake { safe: 200, lie_at: Some(100) });
    let outputs = Outputs::new(liar, L1_HEAD);
    let counters = Box::new(Counters::default());
    let mut lied_to = GameTrace::new(outputs, Box::new(Vec::new()), counters, CHAIN);
    let error = lied_to.check_starting(game(&[]).starting()).unwrap_err();
    assert!(matches!(error, TraceError::Starting { number: 100, .. }), "{error}");
}

#[test]
fn sources_that_disagree_give_no_answer() {
    let sources = |safes: &[u64], lie_at| {
        let source =
            |safe: &u64| -> Box<dyn OutputSource> { Box::new(Fake { safe: *safe, lie_at }) };
        let mut sources: Vec<_> = safes.iter().map(source).collect();
        sources.push(Box::new(Fake { safe: 120, lie_at: None }));
        Agreeing::new(sources)
    };
    assert_eq!(sources(&[120, 120], None).output(101).unwrap(), output(101));
    assert_eq!(sources(&[120, 500], None).safe_head(L1_HEAD, 108).unwrap(), 108);
    let error = sources(&[120, 120], Some(101)).output(101).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the output at L2 block 101: the fake up to 120 says"), "{text}");
    assert!(sources(&[119], None).safe_head(L1_HEAD, 200).is_err());
    assert!(Agreeing::<RollupNode>::new(Vec::new()).output(1).is_err());
}

fn quick() -> Policy {
    Policy { rounds: 1, request_timeout: Duration::from_secs(20), ..Policy::default() }
}

/// A rollup node that answers as op-node does, with `change` made to each answer.
fn node(change: impl Fn(&str, &mut Value) + Send + 'static) -> RollupNode {
    let address = server(move |_, body| {
        let request: Value = serde_json::from_slice(body).expect("JSON");
        let method = request["method"].as_str().expect("a method");
        let block = |number: u64, hash: B256| json!({ "number": number, "hash": hash });
        let parameter = request["params"][0].as_str().unwrap_or("0x0");
        let number = u64::from_str_radix(&parameter[2..], 16).expect("a number");
        let mut result = match method {
            "optimism_rollupConfig" => {
                json!({ "l2_chain_id": CHAIN, "l1_chain_id": 900, "seq_window_size": 20 })
            }
            "optimism_syncStatus" => json!({
                "current_l1": block(501, B256::ZERO),
                "safe_l2": block(120, B256::ZERO),
                "finalized_l2": block(110, B256::ZERO),
            }),
            "optimism_outputAtBlock" => {
                let output = output(number);
                json!({
                    "version": B256::ZERO,
                    "outputRoot": output.root(),
                    "blockRef": block(number, output.block_hash),
                    "withdrawalStorageRoot": output.message_passer_storage_root,
                    "stateRoot": output.state_root,
                })
            }
            "optimism_safeHeadAtL1Block" => json!({
                "l1Block": block(number, L1_HEAD.hash),
                "safeHead": block(115, B256::ZERO),
            }),
            method => panic!("{method}"),
        };
        change(method, &mut result);
        let answer = match result.get("error") {
            Some(error) => json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }),
            None => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
        };
        Some(answer.to_string().into_bytes())
    });
    let url: NodeUrl = address.parse().expect("an address");
    RollupNode::new(url, Some(CHAIN), &quick())
}

#[test]
fn a_rollup_node_is_asked() {
    let mut honest = node(|_, _| {});
    assert_eq!(honest.output(104).unwrap(), output(104));
    assert_eq!(honest.safe_head(L1_HEAD, 108).unwrap(), 108);
    assert_eq!(honest.safe_head(L1_HEAD, 1000).unwrap(), 115);
    let status = honest.sync_status().unwrap();
    let numbers = [status.current_l1, status.safe_l2, status.finalized_l2].map(|b| b.number);
    assert_eq!(numbers, [501, 120, 110]);
}

#[test]
fn what_a_rollup_node_says_is_checked() {
    let check = |method: &'static str, path: &'static str, value: Value, want: &str| {
        let mut node = node(move |asked, answer| {
            if asked == method {
                *answer.pointer_mut(path).expect("a member") = value.clone();
            }
        });
        let error = match method {
            "optimism_outputAtBlock" => node.output(104).unwrap_err(),
            _ => node.safe_head(L1_HEAD, 108).unwrap_err(),
        };
        assert!(error.to_string().contains(want), "{method} {path}: {error}");
    };
    let root = json!(B256::repeat_byte(9));
    check("optimism_outputAtBlock", "/outputRoot", root.clone(), "does not hash to its root");
    check("optimism_outputAtBlock", "/stateRoot", root.clone(), "does not hash to its root");
    check("optimism_outputAtBlock", "/version", root.clone(), "does not hash to its root");
    check("optimism_outputAtBlock", "/blockRef/number", json!(103), "it answers for block 103");
    check("optimism_outputAtBlock", "/blockRef", json!("x"), "wrong shape");
    check("optimism_safeHeadAtL1Block", "/l1Block/hash", root, "its L1 block 500 is");
    check("optimism_safeHeadAtL1Block", "/l1Block/number", json!(501), "answers for block 501");
    let absent = json!({ "error": { "code": -32000, "message": "safe head not found" } });
    check("optimism_safeHeadAtL1Block", "", absent, "safe head not found");
    check("optimism_syncStatus", "/current_l1/number", json!(500), "processed L1 up to block 500");
    check("optimism_rollupConfig", "/l2_chain_id", json!(10), "a node of chain 10, not 901");
    // An older entry holds for the block asked for as well.
    let mut older = node(|method, answer| {
        if method == "optimism_safeHeadAtL1Block" {
            answer["l1Block"] = json!({ "number": 490, "hash": B256::ZERO });
        }
    });
    assert_eq!(older.safe_head(L1_HEAD, 108).unwrap(), 108);
}

/// A database that was restored from a copy lacks entries, and answers with the last one before them.
#[test]
fn attack27_a_safe_head_of_long_ago_is_no_answer() {
    let check = |entry: u64, window: Value, want: Result<u64, &str>| {
        let mut node = node(move |method, answer| match method {
            "optimism_safeHeadAtL1Block" => {
                *answer = json!({
                    "l1Block": { "number": entry, "hash": B256::ZERO },
                    "safeHead": { "number": 90, "hash": B256::ZERO },
                });
            }
            "optimism_rollupConfig" => answer["seq_window_size"] = window.clone(),
            _ => {}
        });
        let found = node.safe_head(L1_HEAD, 108).map_err(|error| error.to_string());
        match (found, want) {
            (Err(found), Err(want)) => assert!(found.contains(want), "{entry}: {found}"),
            (found, want) => assert_eq!(found, want.map_err(Into::into), "{entry}"),
        }
    };
    check(490, json!(20), Ok(90));
    check(479, json!(20), Ok(90));
    check(478, json!(20), Err("more than a sequencing window of 20 blocks is missing"));
    check(0, json!(3600), Ok(90));
    check(0, Value::Null, Ok(90));
}

#[test]
fn headers_come_from_execution_nodes() {
    let address = server(|_, body| {
        let request: Value = serde_json::from_slice(body).expect("JSON");
        let result = match request["method"].as_str() {
            Some("eth_chainId") => json!("0x385"),
            Some("debug_getRawHeader") if request["params"].get(0).is_none() => {
                let error = json!({ "code": -32602, "message": "missing value" });
                let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "error": error });
                return Some(answer.to_string().into_bytes());
            }
            Some("debug_getRawHeader") => json!("0xc0"),
            method => panic!("{method:?}"),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
        Some(answer.to_string().into_bytes())
    });
    let mut nodes = HeaderNodes::new(vec![address.parse().unwrap()], CHAIN, &quick());
    // The header has another hash than the one asked for.
    let error = nodes.header(B256::ZERO).unwrap_err().to_string();
    assert!(error.contains("wrong header"), "{error}");
}

#[test]
fn our_own_derivation_has_the_outputs() {
    let Some(witness) = recorded() else { return };
    let boot = witness.boot;
    let derived = |oracle| Derived::new(oracle, witness.config.clone(), boot);
    let mut source = derived(Box::new(witness.oracle()));
    let head = L1Head { hash: boot.l1_head, number: 1 };
    // The recorded claim was made by other software.
    let last = boot.claimed_number;
    assert_eq!(source.output(last).unwrap().root(), boot.claimed_output);
    assert_eq!(source.safe_head(head, last).unwrap(), last);
    let first = (0..last).rev().find(|number| source.output(*number).is_err()).unwrap() + 1;
    assert_eq!(source.output(first).unwrap().root(), boot.agreed_output);
    assert!(last - first >= 2, "{first} to {last}");
    let text = source.output(last + 1).unwrap_err().to_string();
    assert!(text.contains("was") || text.contains("were"), "{text}");
    let other = L1Head { hash: B256::ZERO, number: 1 };
    assert!(source.safe_head(other, last).is_err(), "another L1 head");
    assert!(source.safe_head(head, last + 1).is_err(), "further than derived");

    let mut lacking = witness.oracle();
    lacking.remove(&rebut_preimage::PreimageKey::keccak256(boot.l1_head));
    assert!(derived(Box::new(lacking)).output(last).is_err());
}
