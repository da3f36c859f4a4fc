//! Polls of many games, of changes without events, and of games that are none.

use crate::faults::reverted;
use crate::games::BLOCK;
use crate::machine::{Belief, creation, output};
use crate::node::Anvil;
use crate::player::{scope, sure_agent};
use crate::system::{
    CLOCK, DEPLOYER, GAME_TYPE, HONEST, HONEST_KEY, INIT_BOND, LIAR, LIAR_KEY, System, view,
};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use rebut_challenger::chain::{At, Lens, Reader, listings};
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Game};
use std::time::{Duration, Instant};

const GAMES: u64 = 1000;
const CLAIMS: u64 = 20;
const CALL_LIMIT: u64 = 20;
const TIME_LIMIT: Duration = Duration::from_secs(1);
const MEMORY_LIMIT_BYTES: u64 = 500 << 20;

fn reader(anvil: &Anvil, system: &System) -> Reader {
    Reader::new(Lens::new(anvil.node.clone()), scope(system.factory))
}

/// A contract that attacks the root of a game many times. Its call is a word each: game, root, bond, the first value
/// that is claimed, and the value below the last one, down to which it counts.
fn crowd() -> Bytes {
    let code = [
        // attack(root, 0, i), written to memory but for i
        &[0x63, 0x47, 0x27, 0x77, 0xc6, 0x60, 0xe0, 0x1b, 0x5f, 0x52][..],
        &[0x60, 0x20, 0x35, 0x60, 0x04, 0x52],
        // i := the first
        &[0x60, 0x60, 0x35],
        // loop (at 19): the claim is i, the value is the bond
        &[0x5b, 0x80, 0x60, 0x44, 0x52],
        &[0x5f, 0x5f, 0x60, 0x64, 0x5f, 0x60, 0x40, 0x35, 0x5f, 0x35, 0x5a, 0xf1],
        // whoever fails, all fail
        &[0x60, 0x2a, 0x57, 0x5f, 0x5f, 0xfd],
        // next (at 42): i - 1, again unless it is the limit
        &[0x5b, 0x60, 0x01, 0x90, 0x03, 0x80, 0x60, 0x80, 0x35, 0x14, 0x15, 0x60, 0x13, 0x57, 0x00],
    ]
    .concat();
    assert_eq!((code[0x13], code[0x2a]), (0x5b, 0x5b));
    code.into()
}

/// Deploys a contract with this code.
async fn place(anvil: &Anvil, code: &[u8]) -> Address {
    let nonce = anvil.node.nonce(DEPLOYER, At::Latest).await.expect("an answer");
    let code = creation(&Bytes::copy_from_slice(code));
    anvil.transact(DEPLOYER, None, U256::ZERO, code).await;
    DEPLOYER.create(nonce)
}

/// 1,000 open games of 20 claims each: a poll that finds nothing new.
pub async fn a_thousand_games() {
    let anvil = Anvil::start(&["--gas-limit", "20000000000"]);
    let system = System::deploy(&anvil).await;
    let rich = U256::from(10).pow(U256::from(24));
    for account in [DEPLOYER, LIAR] {
        anvil.ask("anvil_setBalance", serde_json::json!([account, rich])).await;
    }
    let crowd = place(&anvil, &crowd()).await;
    // All of a kind in one block: a block each would take minutes.
    anvil.ask("evm_setAutomine", serde_json::json!([false])).await;
    for index in 0..GAMES {
        let call = Factory::createCall {
            _gameType: GAME_TYPE,
            _rootClaim: output(BLOCK + index, false),
            _extraData: U256::from(BLOCK + index).to_be_bytes_vec().into(),
        };
        let (value, data) = (U256::from(INIT_BOND), call.abi_encode().into());
        anvil.send(LIAR, Some(system.factory), value, data, 1_000_000).await;
    }
    anvil.mine().await;
    let head = anvil.node.head().await.expect("an answer");
    let lens = Lens::new(anvil.node.clone());
    let games = listings(&lens, system.factory, 0, GAMES, &head).await.expect("an answer");
    assert_eq!(games.len() as u64, GAMES);
    let first = games[0].address;
    let bond = view(&anvil, first, Game::getRequiredBondCall { _position: 2 }).await;
    for (index, game) in (0..).zip(&games) {
        let root = output(BLOCK + index, false);
        let call = (game.address, root, bond, CLAIMS - 1, 0_u64).abi_encode();
        let value = bond * U256::from(CLAIMS - 1);
        anvil.send(DEPLOYER, Some(crowd), value, call.into(), 10_000_000).await;
    }
    anvil.mine().await;
    let mut reader = reader(&anvil, &system);
    let first = Instant::now();
    let poll = reader.poll().await.expect("a readable chain");
    let first = first.elapsed();
    assert_eq!(poll.changed.len() as u64, GAMES);
    let claims: usize = reader.snapshots().map(|s| s.game.claims().len()).sum();
    assert_eq!(claims as u64, GAMES * CLAIMS);

    let mut best = (Duration::MAX, 0);
    for _ in 0..5 {
        anvil.mine().await;
        let (begin, calls) = (Instant::now(), anvil.node.calls());
        let poll = reader.poll().await.expect("a readable chain");
        assert!(poll.changed.is_empty());
        best = best.min((begin.elapsed(), anvil.node.calls() - calls));
    }
    let (time, calls) = best;
    let memory = resident_bytes();
    eprintln!(
        "{GAMES} games of {CLAIMS} claims: first poll {first:.1?}; without changes {time:.1?}, \
         {calls} calls; {} MB",
        memory >> 20
    );
    assert!(calls <= CALL_LIMIT, "{calls} calls");
    assert!(time <= TIME_LIMIT, "{time:?}");
    assert!(memory <= MEMORY_LIMIT_BYTES, "{memory} bytes");
}

/// Memory of this process that is in use.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes << 10
}

/// After every move, step and resolution the reader that remembers knows what one that reads everything knows.
pub async fn silent_changes() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let challenged = challenged_game(&anvil, &system).await;
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(6) };
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let mut known = reader(&anvil, &system);
    let mut silent = 0;
    let mut idle = 0;
    while view(&anvil, game, Game::statusCall {}).await == 0 {
        let before = known.snapshot(game).map(|s| s.game.clone());
        anvil.mine().await;
        match idle % 2 {
            0 => honest.round().await.expect("a readable chain"),
            _ => liar.round().await.expect("a readable chain"),
        };
        known.poll().await.expect("a readable chain");
        let mut fresh = reader(&anvil, &system);
        fresh.poll().await.expect("a readable chain");
        for game in [game, challenged] {
            let (known, fresh) = (known.snapshot(game), fresh.snapshot(game));
            let (known, fresh) = (known.expect("readable"), fresh.expect("readable"));
            assert_eq!(known.game, fresh.game);
        }
        let after = known.snapshot(game).map(|s| s.game.clone());
        if let (Some(before), Some(after)) = (before, after) {
            let same_length = before.claims().len() == after.claims().len();
            silent += u32::from(same_length && before != after);
            idle = if before == after { idle + 1 } else { idle };
        }
        idle += 1;
        if idle > 12 {
            anvil.pass(CLOCK / 2 + 1).await;
            idle = 0;
        }
    }
    assert!(silent >= 2, "a step and resolutions, {silent}");
    let challenger = known.snapshot(challenged).expect("readable").game.l2_block_number_challenger;
    assert_eq!(challenger, Some(DEPLOYER));
}

/// A game whose root is that of another block, and its challenge.
async fn challenged_game(anvil: &Anvil, system: &System) -> Address {
    let header = alloy_rlp::encode(Header { number: BLOCK - 1, ..Header::default() });
    let parts = [B256::ZERO, B256::repeat_byte(1), B256::repeat_byte(2), keccak256(&header)];
    let root = keccak256(parts.concat());
    let game = system.create_game(anvil, root, BLOCK + 7).await;
    let [version, state_root, storage_root, block] = parts;
    let call = Game::challengeRootL2BlockCall {
        _outputRootProof: Game::OutputRootProof {
            version,
            stateRoot: state_root,
            messagePasserStorageRoot: storage_root,
            latestBlockhash: block,
        },
        _headerRLP: header.into(),
    };
    let mut before = reader(anvil, system);
    before.poll().await.expect("a readable chain");
    anvil.transact(DEPLOYER, Some(game), U256::ZERO, call.abi_encode().into()).await;
    let poll = before.poll().await.expect("a readable chain");
    assert_eq!(poll.changed, [game], "the challenge is noticed");
    game
}

/// What stands where a game should, once it is created: a contract may do with a call whatever it likes.
const HOSTILE: [(&str, &[u8]); 5] = [
    // Each stops where it is paid, as on creation.
    ("answers nothing", &[0x00]),
    ("reverts", &[0x34, 0x60, 0x08, 0x57, 0x5f, 0x5f, 0xfd, 0x00, 0x5b, 0x00]),
    (
        "answers garbage",
        &[0x34, 0x60, 0x0c, 0x57, 0x5f, 0x19, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, 0x5b, 0x00],
    ),
    ("answers 128 KiB", &[0x34, 0x60, 0x0a, 0x57, 0x62, 0x02, 0x00, 0x00, 0x5f, 0xf3, 0x5b, 0x00]),
    ("burns all gas", &[0x34, 0x60, 0x08, 0x57, 0x5b, 0x60, 0x04, 0x56, 0x5b, 0x00]),
];
/// Games of the last kind: more than a call of a node has gas for.
const BURNERS: u64 = 45;

async fn implement(anvil: &Anvil, system: &System, with: Address) {
    let set = Factory::setImplementation_0Call { _gameType: GAME_TYPE, _impl: with };
    anvil.transact(DEPLOYER, Some(system.factory), U256::ZERO, set.abi_encode().into()).await;
}

/// Attack 30: games that answer nothing, or garbage, or burn whatever they get, are reported, and the others are played.
pub async fn malformed() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let real = view(&anvil, system.factory, Factory::gameImplsCall::new((GAME_TYPE,))).await;
    let mut broken = Vec::new();
    for (index, (_, code)) in (0..).zip(HOSTILE) {
        let hostile = place(&anvil, code).await;
        implement(&anvil, &system, hostile).await;
        let last = HOSTILE.len() as u64 - 1;
        for block in 0..if index == last { BURNERS } else { 1 } {
            let block = BLOCK + 100 * index + block;
            broken.push(system.create_game(&anvil, output(block, false), block).await);
        }
    }
    implement(&anvil, &system, real).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK + 1).await;

    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    let mut malformed: Vec<Address> =
        honest.reader().malformed().map(|(listing, _)| listing.address).collect();
    malformed.sort_unstable();
    broken.sort_unstable();
    assert_eq!(malformed, broken);
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2));
    // A look at them again costs little.
    anvil.mine().await;
    let calls = honest.reader().lens().node().calls();
    honest.round().await.expect("a readable chain");
    let calls = honest.reader().lens().node().calls() - calls;
    assert!(calls <= CALL_LIMIT, "{calls} calls");
}

/// Attack 30: arguments that only the owner of the factory can give, and that no game can be played with.
pub async fn garbage_arguments() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let real = view(&anvil, system.factory, Factory::gameImplsCall::new((GAME_TYPE,))).await;
    let sound = view(&anvil, system.factory, Factory::gameArgsCall(GAME_TYPE)).await;
    let arguments = async |arguments: &[u8]| {
        let set = Factory::setImplementation_1Call {
            _gameType: GAME_TYPE,
            _impl: real,
            _args: Bytes::copy_from_slice(arguments),
        };
        let data = set.abi_encode().into();
        anvil.transact(DEPLOYER, Some(system.factory), U256::ZERO, data).await;
    };
    let garbled = |bytes: std::ops::Range<usize>| {
        let mut arguments = sound.to_vec();
        arguments[bytes].fill(0xee);
        arguments
    };
    let mut games = Vec::new();
    // The prestate, and the chain id: all else is used when a game is created, which then fails.
    for (block, bytes) in (BLOCK..).zip([0..32, 92..124]) {
        arguments(&garbled(bytes)).await;
        games.push(system.create_game(&anvil, output(block, false), block).await);
    }
    arguments(&sound).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK + 7).await;
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2));
    for game in games {
        assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(1), "untouched");
    }
    let malformed: Vec<String> =
        honest.reader().malformed().map(|(_, why)| why.to_string()).collect();
    assert!(malformed.len() == 1 && malformed[0].contains("chain id"), "{malformed:?}");
}

/// Attack 2: a number beyond all L2 blocks, in a game of a version that takes any. Its root would stand if nobody played.
pub async fn a_huge_block_number() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let real = view(&anvil, system.factory, Factory::gameImplsCall::new((GAME_TYPE,))).await;
    let [sequence, block] =
        [Game::l2SequenceNumberCall::SELECTOR, Game::l2BlockNumberCall::SELECTOR];
    let code = [
        // The largest number where that is asked for,
        &[0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x80, 0x63][..],
        &sequence,
        &[0x14, 0x60, 0x45, 0x57, 0x63],
        &block,
        &[0x14, 0x60, 0x45, 0x57],
        // else what the game answers.
        &[0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x73],
        real.as_slice(),
        &[0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e, 0x60, 0x41, 0x57, 0x3d, 0x5f, 0xfd],
        &[0x5b, 0x3d, 0x5f, 0xf3],
        &[0x5b, 0x5f, 0x19, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3],
    ]
    .concat();
    assert_eq!((code[0x41], code[0x45]), (0x5b, 0x5b));
    let earlier = place(&anvil, &code).await;
    implement(&anvil, &system, earlier).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    assert_eq!(view(&anvil, game, Game::l2SequenceNumberCall {}).await, U256::MAX);
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2), "attacked");
}

/// Claims in the game of [`a_crowded_game`]: more than one call of a node has gas to watch.
const CROWD: u64 = 3000;

/// Attacks 7 and 30: a game with thousands of claims whose clocks have run out blinds nobody for the other games.
pub async fn a_crowded_game() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let crowd = place(&anvil, &crowd()).await;
    let root = output(BLOCK, false);
    let crowded = system.create_game(&anvil, root, BLOCK).await;
    let bond = view(&anvil, crowded, Game::getRequiredBondCall { _position: 2 }).await;
    const PART: u64 = 100;
    for first in (PART..=CROWD).step_by(PART as usize) {
        let call = (crowded, root, bond, first, first - PART).abi_encode();
        anvil.transact(DEPLOYER, Some(crowd), bond * U256::from(PART), call.into()).await;
    }
    anvil.pass(CLOCK + 1).await;
    let game = system.create_game(&anvil, output(BLOCK + 1, false), BLOCK + 1).await;
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    anvil.mine().await;
    honest.round().await.expect("a readable chain");
    let known = honest.reader().snapshot(crowded).expect("it is readable");
    assert_eq!(known.game.claims().len() as u64, CROWD + 1);
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2), "answered");
    assert_eq!(reverted(&anvil, HONEST).await, 0, "nothing is paid for nothing");
}
