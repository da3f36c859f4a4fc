//! The preimage server, and the stops at reads of preimages.

use crate::program::Program;
use crate::sandbox::{Ended, Sandbox};
use crate::server::{LONG, SHORT, local_key, long_key, short_key};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

crate::trials![
    a_server_answers_and_is_asked_once_for_each_key,
    a_server_gets_whole_hints,
    a_servers_words_are_logged,
    hints_without_a_server_go_nowhere,
    a_read_without_a_server_names_the_key,
    a_stop_at_a_key_looks_at_offset_and_step,
    a_stop_at_a_type_is_one_at_its_first_byte,
    a_stop_at_a_size_counts_the_prefix,
    a_key_and_a_size_must_both_hold,
    any_read_stops_a_run,
    a_stop_at_a_step_comes_before_one_at_a_read,
    a_dying_server_is_an_error,
    a_lying_server_is_an_error,
    a_server_that_cannot_start_is_an_error,
    an_interrupt_ends_the_wait_for_a_silent_server,
    a_challenger_gets_its_proof_or_the_last_state,
    options_of_the_server_are_its_own,
];

/// Reads three preimages, two words of each, and the first of them once more at the end.
fn reader() -> (Program, [u64; 7]) {
    let mut program = Program::new();
    let mut steps = Vec::new();
    for key in [local_key(), short_key(), long_key()] {
        program.key(key);
        steps.extend([program.read(), program.read()]);
    }
    program.key(short_key());
    steps.push(program.read());
    program.exit(0);
    (program, steps.try_into().unwrap())
}

/// A run of `reader` with these options stops behind this step, or at the exit.
#[track_caller]
fn check_stop(options: &str, want: Option<u64>) {
    let (program, _) = reader();
    let sandbox = Sandbox::with(&program);
    sandbox.run_served(options, "honest").ok();
    let last = sandbox.witness("out.bin");
    let stopped = (last["exited"] == false).then(|| last["step"].as_u64().unwrap() - 1);
    assert_eq!(stopped, want, "{options}");
    // Following calls goes another way through the loop.
    sandbox.run_served(&format!("{options} --debug"), "honest").ok();
    assert_eq!(sandbox.witness("out.bin"), last, "{options} --debug");
    // So does proving every step.
    sandbox.run_served(&format!("{options} --proof-at always --proof-fmt ''"), "honest").ok();
    assert_eq!(sandbox.witness("out.bin"), last, "{options}, proven");
}

fn a_server_answers_and_is_asked_once_for_each_key() {
    let (program, _) = reader();
    let sandbox = Sandbox::with(&program);
    sandbox.run_served("--debug-info info.json", "honest").ok();
    let info = sandbox.json("info.json");
    assert_eq!(info["num_preimage_requests"], 4);
    assert_eq!(info["total_preimage_size"], 32 + 2 * SHORT.len() + LONG.len());
    let last = sandbox.read("out.bin");
    let second_word = [&(SHORT.len() as u64).to_be_bytes(), &SHORT[..8]];
    for word in second_word {
        assert!(last.windows(8).any(|bytes| bytes == word), "{word:?} is in memory");
    }
}

fn a_server_gets_whole_hints() {
    let mut program = Program::new();
    program.hint_bytes(b"\0\0\0\x0afirst").hint_bytes(b" half\0\0\0\x06second");
    program.hint_bytes(b"\0\0\0\x05never");
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    sandbox.run_served("", "honest hints.txt").ok();
    assert_eq!(sandbox.read("hints.txt"), b"first half\nsecond\nnever\n");
}

fn a_servers_words_are_logged() {
    let (program, _) = reader();
    let sandbox = Sandbox::with(&program);
    let ended = sandbox.run_served("", "honest").ok();
    let line = ended.stderr.lines().find(|line| line.contains("serving as honest")).unwrap();
    assert!(line.contains("module=\"host\"") && line.contains("stream=\"stdout\""), "{line}");
}

fn hints_without_a_server_go_nowhere() {
    let mut program = Program::new();
    program.hint_bytes(b"\0\0\0\x04hint").exit(0);
    Sandbox::with(&program).run("").ok();
}

fn a_read_without_a_server_names_the_key() {
    let mut program = Program::new();
    program.key(short_key());
    let step = program.read();
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    let before = sandbox.files();
    let key = short_key().to_string();
    sandbox.run("").fails(1, &[&format!("step {step} "), &key, "no preimage server"]);
    assert_eq!(sandbox.files(), before);
}

fn a_stop_at_a_key_looks_at_offset_and_step() {
    let (_, [l0, _, s0, s8, _, g8, again]) = reader();
    let (short, long) = (short_key().to_string(), long_key().to_string());
    check_stop(&format!("--stop-at-preimage {short}"), Some(s0));
    check_stop(&format!("--stop-at-preimage {short}@8"), Some(s8));
    check_stop(&format!("--stop-at-preimage {short}@0@{}", s0 + 1), Some(again));
    check_stop(&format!("--stop-at-preimage {short}@8@{}", s8 + 1), None);
    check_stop(&format!("--stop-at-preimage {}@8", &long[2..6]), Some(g8));
    check_stop("--stop-at-preimage 01", Some(l0));
    check_stop("--stop-at-preimage 04", None);
    check_stop("--stop-at-preimage ''", None);
    // The key makes the type meaningless, be it sense or nonsense.
    check_stop("--stop-at-preimage 02 --stop-at-preimage-type local", Some(s0));
    check_stop("--stop-at-preimage 02 --stop-at-preimage-type nonsense", Some(s0));
}

fn a_stop_at_a_type_is_one_at_its_first_byte() {
    let (_, [l0, _, s0, ..]) = reader();
    check_stop("--stop-at-preimage-type local", Some(l0));
    check_stop("--stop-at-preimage-type keccak", Some(s0));
    check_stop("--stop-at-preimage-type sha256", None);
    check_stop("--stop-at-preimage-type blob", None);
    check_stop("--stop-at-preimage-type precompile", None);
    check_stop("--stop-at-preimage-type ''", None);
}

fn a_stop_at_a_size_counts_the_prefix() {
    let (_, [l0, _, _, _, g0, ..]) = reader();
    check_stop("--stop-at-preimage-larger-than 39", Some(l0));
    check_stop("--stop-at-preimage-larger-than 40", Some(g0));
    check_stop("--stop-at-preimage-larger-than 107", Some(g0));
    check_stop("--stop-at-preimage-larger-than 108", None);
    check_stop("--stop-at-preimage-larger-than 0", None);
}

fn a_key_and_a_size_must_both_hold() {
    let (_, [_, _, _, _, g0, ..]) = reader();
    check_stop("--stop-at-preimage-type keccak --stop-at-preimage-larger-than 30", Some(g0));
    check_stop("--stop-at-preimage 01 --stop-at-preimage-larger-than 50", None);
    // Neither offset nor step counts then.
    check_stop("--stop-at-preimage 02@99@99999 --stop-at-preimage-larger-than 30", Some(g0));
}

fn any_read_stops_a_run() {
    let (_, [l0, ..]) = reader();
    check_stop("--stop-at-preimage-type any", Some(l0));
    check_stop("--stop-at-preimage-type any --stop-at-preimage-larger-than 50", Some(l0));
}

fn a_stop_at_a_step_comes_before_one_at_a_read() {
    let (program, [l0, ..]) = reader();
    let sandbox = Sandbox::with(&program);
    for (stop, want) in [(l0, l0), (l0 + 1, l0 + 1), (l0 + 2, l0 + 1)] {
        sandbox
            .run_served(&format!("--stop-at ={stop} --stop-at-preimage-type any"), "honest")
            .ok();
        assert_eq!(sandbox.step_of("out.bin"), want);
    }
}

fn a_dying_server_is_an_error() {
    let (program, [l0, ..]) = reader();
    let sandbox = Sandbox::with(&program);
    let before = sandbox.files();
    let key = local_key().to_string();
    let step = format!("step {l0} ");
    sandbox.run_served("", "dying").fails(1, &[&step, &key, "has ended", "7"]);
    sandbox.run_served("", "absent").fails(1, &[&step, &key, "has ended", "5"]);
    assert_eq!(sandbox.files(), before);
}

fn a_lying_server_is_an_error() {
    let mut program = Program::new();
    program.key(short_key());
    let step = program.read();
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    let before = sandbox.files();
    let key = short_key().to_string();
    sandbox.run_served("", "liar").fails(1, &[&format!("step {step} "), &key, "wrong"]);
    assert_eq!(sandbox.files(), before);
}

fn a_server_that_cannot_start_is_an_error() {
    let (program, _) = reader();
    let sandbox = Sandbox::with(&program);
    sandbox.run("-- ./no-such-server --flag").fails(1, &["no-such-server", "cannot be started"]);
}

fn an_interrupt_ends_the_wait_for_a_silent_server() {
    let mut program = Program::new();
    program.print("asking\n").key(short_key());
    program.read();
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    let before = sandbox.files();
    let mut child = sandbox
        .command("run --input state.bin --")
        .arg(std::env::current_exe().unwrap())
        .args(["serve", "silent"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("asking") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the run ended by itself");
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(log.lines().last().unwrap().unwrap(), "command interrupted");
    assert_eq!(Ended::of(child.wait_with_output().unwrap()).code, Some(130));
    assert_eq!(sandbox.files(), before);
}

/// The command of op-challenger for the proof at one trace index, in its directories.
fn challenger_run(sandbox: &Sandbox, index: u64) -> Ended {
    let stop = index + 1;
    let options = format!(
        "run --input state.bin --output final.bin.gz --meta '' --info-at %10000000 \
         --proof-at ={index} --proof-fmt proofs/%d.json.gz \
         --snapshot-at %1000000000 --snapshot-fmt snapshots/%d.bin.gz \
         --stop-at ={stop} --debug-info preimages/debug-info.json --"
    );
    let mut command = sandbox.command(&options);
    command.arg(std::env::current_exe().unwrap()).args(["serve", "honest"]);
    Ended::of(command.output().unwrap())
}

fn a_challenger_gets_its_proof_or_the_last_state() {
    let (program, [.., again]) = reader();
    let sandbox = Sandbox::with(&program);
    for directory in ["proofs", "snapshots", "preimages"] {
        std::fs::create_dir(sandbox.path(directory)).unwrap();
    }
    challenger_run(&sandbox, again).ok();
    let proof = sandbox.json(&format!("proofs/{again}.json.gz"));
    assert_eq!(proof["post"], sandbox.witness("final.bin.gz")["witnessHash"]);
    assert_eq!(proof["oracle-key"], short_key().to_string());
    assert_eq!(sandbox.read("snapshots/0.bin.gz"), sandbox.read("state.bin"));
    assert_eq!(sandbox.json("preimages/debug-info.json")["total_steps"], again + 1);

    // Beyond the end of the program there is no proof, but the state that it ended in.
    challenger_run(&sandbox, 1_000_000).ok();
    assert!(!sandbox.path("proofs/1000000.json.gz").exists());
    let last = sandbox.witness("final.bin.gz");
    // Five instructions make the exit.
    assert_eq!((&last["exited"], &last["step"]), (&true.into(), &(again + 1 + 5).into()));
}

fn options_of_the_server_are_its_own() {
    let mut program = Program::new();
    program.hint_bytes(b"\0\0\0\x04hint").exit(0);
    let sandbox = Sandbox::with(&program);
    sandbox.run_served("", "honest -input --stop-at =0 -- --output").ok();
    assert_eq!(sandbox.read("-input"), b"hint\n");
    assert_eq!(sandbox.step_of("out.bin"), 14, "a hint is 9 instructions, the exit 5");
}
