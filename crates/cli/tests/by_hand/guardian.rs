//! What the guardian does to games, and what becomes of their bonds.

use crate::world::{
    CHALLENGER, CLOCK, DEPLOYER, FINALITY, GUARDIAN, NOBODY, PROPOSER, World, account,
};
use alloy_primitives::{Address, B256, U256};
use serde_json::json;

/// A game with one answer; what each of the two players has paid in.
fn disputed(world: &World, block: u64) -> (Address, [(Address, U256); 2]) {
    let game = world.create(block);
    let claim = B256::repeat_byte(0x31);
    let attack = format!("game move {game} --attack --parent-index 0 --claim {claim}");
    world.act(CHALLENGER, &attack).ok();
    let claims = world.look(&format!("game claims {game} --json")).json();
    let bond = |index: usize| claims[index]["bond"].as_str().unwrap().parse().unwrap();
    (game, [(account(PROPOSER), bond(0)), (account(CHALLENGER), bond(1))])
}

/// The game ends; the challenger won it.
fn end(world: &World, game: Address) {
    world.l1.pass(CLOCK + 1);
    world.resolve(game, 2);
    world.l1.pass(FINALITY + 1);
}

/// Each player gets back what it paid in, in two steps.
fn check_refund(world: &World, game: Address, paid: &[(Address, U256); 2]) {
    for (player, bond) in paid {
        assert!(!bond.is_zero());
        assert_eq!(world.pay(game, *player), *bond, "{player}");
    }
    let credits = world.look(&format!("game credits {game} --json")).json();
    assert_eq!(credits["mode"], "refund");
    assert_eq!(world.shown(game, "bonds"), "refunded to who paid them");
    let again = format!("game claim-credit {game} --recipient {}", paid[0].0);
    world.act(NOBODY, &again).fails(&["NoCreditToClaim()"]);
}

#[test]
fn a_blacklisted_game_refunds() {
    let world = World::start();
    let (game, paid) = disputed(&world, 9);
    let (other, _) = disputed(&world, 10);
    let guardian = account(GUARDIAN).to_string();
    for key in [DEPLOYER, CHALLENGER] {
        let refused = world.act(key, &format!("guardian blacklist {game}"));
        let account = account(key).to_string();
        refused.fails(&["blacklist game", "only the guardian can", &guardian, &account]);
    }
    let dry = world.act(GUARDIAN, &format!("guardian blacklist {game} --dry-run --json")).json();
    assert_eq!(dry["dryRun"], true, "{dry}");
    assert!(dry["gas"].as_u64().unwrap() > 21_000, "{dry}");
    assert_eq!(world.shown(game, "counts"), "yes, not final yet");
    world.act(GUARDIAN, &format!("guardian blacklist {}", account(NOBODY))).fails(&["is no game"]);

    let done = world.act(GUARDIAN, &format!("guardian blacklist {game} --json")).json();
    assert_eq!(done["what"], format!("blacklist game {game}"));
    assert!(done["transaction"].is_string() && done["gasUsed"].is_u64(), "{done}");
    assert_eq!(world.shown(game, "counts"), "no: blacklisted");
    assert_eq!(world.standing(game)["blacklisted"], true);
    assert_eq!(world.standing(other)["blacklisted"], false);

    // It is played to its end as ever; only then bonds go back.
    end(&world, game);
    assert_eq!(world.shown(game, "status"), "Challenger Won");
    check_refund(&world, game, &paid);
}

#[test]
fn games_up_to_a_retirement_refund() {
    let world = World::start();
    let (game, paid) = disputed(&world, 9);
    let registry = world.at("anchor_state_registry");
    let retire = format!("guardian retire --anchor-state-registry {registry}");
    world.act(NOBODY, &retire).fails(&["retire all games", "only the guardian can"]);
    let dry = world.act(GUARDIAN, &format!("{retire} --dry-run")).ok();
    assert!(dry.starts_with("retire all games: would take "), "{dry}");
    assert_eq!(world.standing(game)["retired"], false);
    let done = world.act(GUARDIAN, &retire).ok();
    assert!(done.starts_with("retire all games: transaction 0x"), "{done}");
    assert_eq!(world.shown(game, "counts"), "no: retired");
    world.l1.pass(1);
    let later = world.create(10);
    assert_eq!(world.shown(later, "counts"), "yes, not final yet");
    end(&world, game);
    check_refund(&world, game, &paid);
}

#[test]
fn a_pause_holds_bonds_back_until_its_end() {
    let world = World::start();
    let (game, [(proposer, root_bond), (challenger, bond)]) = disputed(&world, 9);
    end(&world, game);
    let registry = world.at("anchor_state_registry");
    let portal = world.at("optimism_portal");
    let pause = |what: &str, more: &str| {
        format!("guardian {what} --anchor-state-registry {registry} {more}")
    };
    let claim = format!("game claim-credit {game} --recipient {challenger}");
    for identifier in [String::new(), format!("--identifier {portal}")] {
        world.act(PROPOSER, &pause("pause", &identifier)).fails(&["only the guardian can"]);
        world.act(GUARDIAN, &pause("pause", &identifier)).ok();
        world.act(GUARDIAN, &pause("pause", &identifier)).fails(&["the contract refuses"]);
        assert_eq!(world.shown(game, "counts"), "no: paused");
        world.act(NOBODY, &claim).fails(&["GamePaused()"]);
        world.act(PROPOSER, &pause("unpause", &identifier)).fails(&["only the guardian can"]);
        let done = world.act(GUARDIAN, &pause("unpause", &format!("{identifier} --json"))).json();
        assert!(done["what"].as_str().unwrap().starts_with("unpause "), "{done}");
        assert_eq!(world.shown(game, "counts"), "yes, final");
    }
    // A pause makes no game worthless: the winner takes both bonds.
    assert_eq!(world.pay(game, challenger), root_bond + bond);
    assert_eq!(world.pay(game, proposer), U256::ZERO);
    assert_eq!(world.standing(game)["bonds"], "normal");
}

#[test]
fn games_of_another_type_than_the_respected_one_pay_their_winners() {
    let world = World::start();
    let (before, _) = disputed(&world, 9);
    let registry = world.at("anchor_state_registry");
    let respect =
        format!("guardian set-respected-type --anchor-state-registry {registry} --game-type 8");
    world.act(NOBODY, &respect).fails(&["respect games of type 8", "only the guardian can"]);
    world.act(GUARDIAN, &respect).ok();
    let (game, [(_, root_bond), (challenger, bond)]) = disputed(&world, 10);
    assert_eq!(world.standing(before)["respected"], true);
    assert_eq!(world.standing(game)["respected"], false);
    let reason = "no: its type was not respected when it was created";
    assert_eq!(world.shown(game, "counts"), reason);
    end(&world, game);
    assert_eq!(world.pay(game, challenger), root_bond + bond);
    assert_eq!(world.shown(game, "counts"), reason);
    assert_eq!(world.standing(game)["bonds"], json!("normal"));
}
