//! A game from its creation to the last bond, each act by its command.

use crate::world::{
    CHALLENGER, CLOCK, DEPLOYER, FINALITY, NOBODY, PROPOSER, World, account, command,
};
use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};
use std::fs;

/// A claim on the state at the end of an execution: its first byte says that the program finds the root invalid.
fn execution_root() -> B256 {
    B256::right_padding_from(&[1, 3])
}

/// The proof of the first instruction from the absolute prestate, as `cannon run` writes it.
fn prove_first_instruction(world: &World) -> String {
    let file = |name: &str| world.file(name).display().to_string();
    let (state, format) = (file("state.bin"), file("proof-%d.json"));
    let arguments = ["cannon", "run", "--input", &state, "--output", "", "--meta", ""];
    let mut command = command("");
    let status = command
        .args(arguments)
        .args(["--proof-at", "=0", "--stop-at", "=1", "--proof-fmt", &format])
        .status();
    assert!(status.unwrap().success());
    file("proof-0.json")
}

#[test]
fn a_game_is_played_by_hand_to_the_last_bond() {
    let world = World::start();
    let game = world.create(9);
    let play = |key, side: &str, parent: u32, claim: B256| {
        let answer = format!("game move {game} --{side} --parent-index {parent} --claim {claim}");
        world.act(key, &answer)
    };
    let value = |byte| B256::repeat_byte(byte);
    // The liar answers on the left edge, down to the first instruction.
    play(CHALLENGER, "attack", 0, value(0x31)).ok();
    play(PROPOSER, "attack", 1, value(0x32)).ok();
    play(CHALLENGER, "attack", 2, value(0x33)).fails(&["attack claim 2", "UnexpectedRootClaim()"]);
    play(CHALLENGER, "attack", 2, execution_root()).ok();
    play(PROPOSER, "attack", 3, value(0x34)).ok();
    play(CHALLENGER, "attack", 4, value(0x35)).ok();
    let told = play(DEPLOYER, "defend", 1, value(0x36)).ok();
    assert!(told.starts_with("defend claim 1 of game ") && told.contains(" gas"), "{told}");
    play(PROPOSER, "attack", 5, value(0x37)).fails(&["GameDepthExceeded()"]);
    play(PROPOSER, "defend", 0, value(0x38)).fails(&["CannotDefendRootClaim()"]);
    play(PROPOSER, "attack", 1, value(0x32)).fails(&["ClaimAlreadyExists()"]);
    play(PROPOSER, "attack", 99, value(0x32)).fails(&["99"]);

    step(&world, game);
    let claims = world.look(&format!("game claims {game} --json")).json();
    let claims = claims.as_array().unwrap();
    assert_eq!(claims.len(), 7);
    assert_eq!(claims[5]["counteredBy"], json!(account(PROPOSER)));
    let bonds: u128 = claims.iter().map(bond).sum();

    // Nothing is resolved before its time, nor before what it rests on.
    let resolve = |claim: u32| format!("game resolve-claim {game} --claim {claim}");
    world.act(NOBODY, &resolve(5)).fails(&["resolve claim 5", "ClockNotExpired()"]);
    world.l1.pass(CLOCK + 1);
    world.act(NOBODY, &resolve(4)).fails(&["OutOfOrderResolution()"]);
    world.act(NOBODY, &format!("game resolve {game}")).fails(&["OutOfOrderResolution()"]);
    let dry = world.act(NOBODY, &format!("{} --dry-run --json", resolve(5))).json();
    assert_eq!(dry["dryRun"], true);
    assert!(dry["gas"].as_u64().unwrap() > 21_000, "{dry}");
    let done = world.act(NOBODY, &format!("{} --json", resolve(6))).json();
    assert!(done["transaction"].is_string() && done["block"].is_u64(), "{done}");
    world.act(NOBODY, &resolve(6)).fails(&["ClaimAlreadyResolved()"]);
    world.resolve(game, 6);
    assert_eq!(world.shown(game, "status"), "Defender Won");
    assert_eq!(world.shown(game, "counts"), "yes, not final yet");

    let claim = format!("game claim-credit {game} --recipient {}", account(PROPOSER));
    world.act(NOBODY, &claim).fails(&["GameNotFinalized()"]);
    assert_eq!(world.shown(game, "bonds"), "undecided until the game is closed");
    world.l1.pass(FINALITY + 1);
    // The liar's last claim was countered by the step, so everything goes to the proposer.
    assert_eq!(
        world.pay(game, account(PROPOSER)),
        U256::from(bonds) - U256::from(bond(&claims[6]))
    );
    assert_eq!(world.pay(game, account(DEPLOYER)), U256::from(bond(&claims[6])));
    assert_eq!(world.pay(game, account(CHALLENGER)), U256::ZERO);
    assert_eq!(world.shown(game, "counts"), "yes, final");
    assert_eq!(world.shown(game, "bonds"), "to the winners");
    let credits = world.look(&format!("game credits {game}")).ok();
    assert!(credits.starts_with("mode normal; "), "{credits}");
}

fn bond(claim: &Value) -> u128 {
    claim["bond"].as_str().unwrap().parse().unwrap()
}

/// The proposer executes the first instruction, which does not lead to the last claim.
fn step(world: &World, game: Address) {
    let proof = prove_first_instruction(world);
    let step = |claim: u32, proof: &str| {
        world.act(PROPOSER, &format!("game step {game} --attack --claim {claim} --proof {proof}"))
    };
    step(4, &proof).fails(&["attack claim 4", "by a step", "InvalidParent()"]);
    let mut wrong: Value = serde_json::from_slice(&fs::read(&proof).unwrap()).unwrap();
    wrong["state-data"] = json!("0x00");
    let other = world.file("wrong.json").display().to_string();
    fs::write(&other, wrong.to_string()).unwrap();
    step(5, &other).fails(&["InvalidPrestate()"]);
    fs::write(&other, "{}").unwrap();
    step(5, &other).fails(&["wrong.json is not the proof of a step", "state-data"]);
    step(5, "gone.json").fails(&["gone.json"]);
    step(5, &proof).ok();
    step(5, &proof).fails(&["DuplicateStep()"]);
}

#[test]
fn a_game_is_created_once_and_about_a_later_block() {
    let world = World::start();
    world.create(9);
    let create = |block: u64| {
        let factory = world.at("dispute_game_factory");
        let root = B256::repeat_byte(0x22);
        let what = format!("--output-root {root} --l2-block-num {block}");
        world.act(NOBODY, &format!("game create --game-factory-address {factory} {what}"))
    };
    create(9).fails(&["GameAlreadyExists()"]);
    // Games start behind block 5.
    create(5).fails(&["UnexpectedRootClaim()"]);
    let factory = world.at("dispute_game_factory");
    let root = B256::repeat_byte(0x22);
    let other = format!("game create --game-factory-address {factory} --game-type 1");
    world
        .act(NOBODY, &format!("{other} --output-root {root} --l2-block-num 9"))
        .fails(&["NoImplementation()"]);
}
