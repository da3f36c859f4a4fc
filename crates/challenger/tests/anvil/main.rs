//! The agents on anvil: whole games, kills, failing nodes, a thousand games at once.
//!
//! They need the anvil that npm installs with the contract tools, and are skipped with a line where it is absent; with
//! `CI` set its absence is a failure. The kill tests start this executable again as an agent, so there is no usual
//! harness.

mod faults;
mod games;
mod guardian;
mod kill;
mod late;
mod machine;
mod node;
mod player;
mod poll;
mod preimages;
mod proposer;
mod rollup;
mod sender;
mod signer;
mod system;

use libtest_mimic::{Arguments, Trial};
use std::future::Future;
use std::process::ExitCode;

fn trial<F: Future<Output = ()> + 'static>(name: &'static str, test: fn() -> F) -> Trial {
    Trial::test(name, move || {
        runtime().block_on(test());
        Ok(())
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads")
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == kill::AGENT) {
        runtime().block_on(kill::agent(&arguments[2..]));
        return ExitCode::SUCCESS;
    }
    if arguments.get(1).is_some_and(|first| first == proposer::PROPOSER) {
        runtime().block_on(proposer::run(&arguments[2..]));
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    // Two cores: a game each would only make all of them slower.
    arguments.test_threads.get_or_insert(2);
    if rebut_foundry::installed("anvil").is_none() {
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        trial("a_false_root_loses", games::a_false_root_loses),
        trial(
            "a_false_root_loses_at_the_first_instruction",
            games::a_false_root_loses_at_the_first_instruction,
        ),
        trial("a_true_root_survives", games::a_true_root_survives),
        trial(
            "a_true_root_survives_lies_past_the_end",
            games::a_true_root_survives_lies_past_the_end,
        ),
        trial("failing_nodes_do_not_change_the_outcome", faults::failing_nodes),
        trial("disagreement_stops_the_agent", faults::disagreement),
        trial("a_reorganisation_of_three_blocks_does_not_change_the_outcome", faults::reorg),
        trial("fifty_kills_do_not_change_the_outcome", kill::fifty_kills),
        trial("two_agents_on_one_key_pay_once", kill::two_agents_on_one_key),
        trial("a_dry_run_sends_nothing", games::a_dry_run_sends_nothing),
        trial("the_spending_cap_holds", games::the_spending_cap_holds),
        trial("the_spending_cap_outlives_the_agent", guardian::the_spending_cap_outlives_the_agent),
        trial("a_blacklisted_game_gives_bonds_back", guardian::a_blacklisted_game_gives_bonds_back),
        trial("a_retired_game_gives_bonds_back", guardian::a_retired_game_gives_bonds_back),
        trial(
            "a_game_of_another_type_pays_but_moves_no_anchor",
            guardian::a_game_of_another_type_pays_but_moves_no_anchor,
        ),
        trial("a_pause_holds_payments_back", guardian::a_pause_holds_payments_back),
        trial(
            "a_large_preimage_is_loaded_by_many_lives",
            preimages::a_large_preimage_is_loaded_by_many_lives,
        ),
        trial(
            "attack17_false_large_preimages_are_challenged",
            preimages::false_large_preimages_are_challenged,
        ),
        trial(
            "attack17_a_false_large_preimage_is_challenged_after_its_period",
            preimages::a_false_large_preimage_is_challenged_late,
        ),
        trial("a_poll_of_a_thousand_games_is_cheap", poll::a_thousand_games),
        trial("silent_changes_are_noticed", poll::silent_changes),
        trial("attack30_a_malformed_game_stops_no_other", poll::malformed),
        trial("attack30_garbage_arguments_stop_no_other_game", poll::garbage_arguments),
        trial("attack30_a_crowded_game_stops_no_other", poll::a_crowded_game),
        trial("attack02_a_root_with_a_huge_block_number_is_attacked", poll::a_huge_block_number),
        trial("a_late_agent_steps_before_it_resolves", late::a_late_agent_steps_before_it_resolves),
        trial(
            "attack10_a_late_agent_challenges_the_block_number_before_it_resolves",
            late::a_late_agent_challenges_the_block_number_before_it_resolves,
        ),
        trial(
            "a_payment_that_is_lost_is_claimed_again",
            late::a_payment_that_is_lost_is_claimed_again,
        ),
        trial("attack29_a_fee_spike_is_followed", sender::a_fee_spike_is_followed),
        trial(
            "attack29_a_stuck_transaction_is_cancelled",
            sender::a_stuck_transaction_is_cancelled,
        ),
        trial(
            "attack29_what_an_earlier_life_left_is_cleared_away",
            sender::what_an_earlier_life_left_is_cleared_away,
        ),
        trial("patient_calls_leave_room", sender::patient_calls_leave_room),
        trial("few_traces_stay_open", late::few_traces_stay_open),
        trial(
            "attack31_a_redundant_challenger_burns_no_gas",
            late::a_redundant_challenger_burns_no_gas,
        ),
        trial("proposals_come_on_their_interval", proposer::proposals_come_on_their_interval),
        trial(
            "rollup_nodes_that_err_or_lie_lead_to_no_proposal",
            proposer::rollup_nodes_that_err_or_lie,
        ),
        trial(
            "bonds_of_proposals_are_those_of_the_factory_and_within_limits",
            proposer::bonds_are_those_of_the_factory_and_within_limits,
        ),
        trial(
            "a_game_lost_to_a_reorganisation_is_proposed_again",
            proposer::a_reorganisation_takes_a_game_away,
        ),
        trial("a_proposer_that_waits_is_not_ill", proposer::waiting_is_not_ill),
        trial("a_remote_signer_plays", signer::a_remote_signer_plays),
        trial(
            "nothing_is_sent_that_a_remote_signer_got_wrong",
            signer::nothing_is_sent_that_it_got_wrong,
        ),
        trial("a_killed_proposer_goes_on", proposer::a_killed_proposer_goes_on),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
