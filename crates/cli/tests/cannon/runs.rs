//! `cannon run`: where it stops, what it writes on the way, what it says.

use crate::program::{Program, TEXT};
use crate::sandbox::{Ended, Sandbox};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

crate::trials![
    a_program_runs_to_its_exit_whatever_its_code,
    a_run_stops_before_the_step_asked_for,
    snapshots_are_taken_where_the_pattern_says,
    a_snapshot_goes_on_like_an_uninterrupted_run,
    an_exited_state_is_written_as_it_was,
    log_lines_come_where_the_pattern_says,
    counters_are_written_in_the_order_of_the_deployed_tool,
    a_traceback_names_the_open_calls,
    a_traceback_forgets_calls_that_others_returned_from,
    profiles_are_accepted_and_refused_in_words,
    the_name_cannon_answers_alike,
    an_interrupt_ends_a_run,
    the_last_of_a_repeated_option_counts,
];

/// Instructions of `count_to(10)` as executed: four to set up, four a round.
const COUNTED: u64 = 4 + 4 * 10;

fn counter() -> Program {
    let mut program = Program::new();
    program.count_to(10).print("done\n").exit(3);
    program
}

fn a_program_runs_to_its_exit_whatever_its_code() {
    let sandbox = Sandbox::with(&counter());
    let ended = sandbox.cannon("run --input state.bin").ok();
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("done"), "{}", ended.stderr);
    let last = sandbox.witness("out.bin.gz");
    // A print is 9 instructions, an exit 5.
    assert_eq!(last["step"], COUNTED + 9 + 5);
    assert_eq!((&last["exited"], &last["exitCode"]), (&true.into(), &3.into()));
    assert_eq!(sandbox.files(), ["meta.json", "out.bin.gz", "program.elf", "state.bin"]);
}

fn a_run_stops_before_the_step_asked_for() {
    let sandbox = Sandbox::with(&counter());
    let check = |pattern: &str, want: u64| {
        sandbox.run(&format!("--stop-at {pattern}")).ok();
        assert_eq!(sandbox.step_of("out.bin"), want, "{pattern}");
    };
    let end = COUNTED + 9 + 5;
    check("=0", 0);
    check("=1", 1);
    check("=0x1e", 30);
    check("%7", 0);
    check("always", 0);
    check("never", end);
    check("''", end);
    check("=1000", end);
    // From a state in the middle, a multiple stops where it next occurs.
    sandbox.cannon("run --input state.bin --output 5.bin --stop-at =5").ok();
    sandbox.cannon("run --input 5.bin --output next.bin --stop-at %7").ok();
    assert_eq!(sandbox.step_of("next.bin"), 7);
    // A step in the past never comes.
    sandbox.cannon("run --input 5.bin --output next.bin --stop-at =4").ok();
    assert_eq!(sandbox.step_of("next.bin"), end);
}

fn snapshots_are_taken_where_the_pattern_says() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--snapshot-at %20 --snapshot-fmt s%d.bin.gz --output ''").ok();
    let snapshots: Vec<String> =
        sandbox.files().into_iter().filter(|name| name.ends_with("gz")).collect();
    assert_eq!(snapshots, ["s0.bin.gz", "s20.bin.gz", "s40.bin.gz"]);
    assert_eq!(sandbox.read("s0.bin.gz"), sandbox.read("state.bin"));
    assert_eq!(sandbox.step_of("s20.bin.gz"), 20);
    // A run that stops at a step does not take its snapshot any more.
    sandbox.run("--snapshot-at =9 --stop-at =9 --snapshot-fmt t%d.bin").ok();
    assert!(!sandbox.files().contains(&"t9.bin".into()));
}

fn a_snapshot_goes_on_like_an_uninterrupted_run() {
    let mut program = Program::new();
    program.count_to(5).hint_bytes(b"\0\0\0\x07half a");
    program.count_to(3);
    program.hint_bytes(b" \0\0\0\0\0");
    program.count_to(40_000).exit(0);
    let sandbox = Sandbox::with(&program);
    sandbox.run("--snapshot-at %25 --stop-at =101 --snapshot-fmt s%d.bin").ok();
    let held = sandbox.read("s50.bin");
    assert!(held.ends_with(b"\0\0\0\x0a\0\0\0\x07half a"), "the hint is buffered");
    assert!(sandbox.read("s75.bin").ends_with(b"\0\0\0\x01\0"), "the rest of the hint is buffered");

    // Past the quantum of 100,000 steps and to the exit.
    for stop in ["=60", "=99999", "=100063", "never"] {
        sandbox.run(&format!("--stop-at {stop} --output whole.bin")).ok();
        for from in ["s25.bin", "s50.bin", "s75.bin", "s100.bin"] {
            if stop == "=60" && from > "s60" {
                continue;
            }
            sandbox.cannon(&format!("run --input {from} --stop-at {stop} --output part.bin")).ok();
            let same = sandbox.read("part.bin") == sandbox.read("whole.bin");
            assert!(same || from == "s100.bin" && stop == "=60", "{from} to {stop}");
        }
    }
}

fn an_exited_state_is_written_as_it_was() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("").ok();
    sandbox
        .cannon("run --input out.bin --output again.bin --proof-at always --info-at always")
        .ok();
    assert_eq!(sandbox.read("again.bin"), sandbox.read("out.bin"));
    assert!(!sandbox.files().iter().any(|name| name.starts_with("proof")));
}

fn log_lines_come_where_the_pattern_says() {
    let sandbox = Sandbox::with(&counter());
    let count = |arguments: &str| {
        let ended = sandbox.run(arguments).ok();
        ended.stderr.lines().filter(|line| line.contains("processing")).count()
    };
    assert_eq!(count(""), 1, "the default matches step 0");
    assert_eq!(count("--info-at never"), 0);
    assert_eq!(count("--info-at %10"), 6);
    let ended = sandbox.run("--info-at =0").ok();
    let line = ended.stderr.lines().find(|line| line.contains("processing")).unwrap();
    for word in
        ["step=0", "pc=00010000", "insn=3c090002", "pages=7", "mem=28.0 KiB", "name=\"start\""]
    {
        assert!(line.contains(word), "no {word} in {line}");
    }
    let unnamed = sandbox.run("--info-at =0 --meta ''").ok();
    assert!(unnamed.stderr.contains("!unknown"), "{}", unnamed.stderr);
}

fn counters_are_written_in_the_order_of_the_deployed_tool() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--debug-info info.json").ok();
    let steps = COUNTED + 9 + 5;
    // With nothing reserved, a write to address 0 would count as an invalidation; there is none.
    let want = format!(
        r#"{{
  "pages": 7,
  "memory_used": "0x7000",
  "num_preimage_requests": 0,
  "total_preimage_size": 0,
  "total_steps": {steps},
  "instruction_cache_miss_count": 0,
  "highest_icache_miss_pc": "0x0",
  "rmw_success_count": 0,
  "rmw_fail_count": 0,
  "max_steps_between_ll_and_sc": 0,
  "reservation_invalidation_count": 0,
  "forced_preemption_count": 0,
  "idle_step_count_thread_0": 0
}}

"#
    );
    assert_eq!(String::from_utf8(sandbox.read("info.json")).unwrap(), want);
    let printed = sandbox.run("--debug-info -").ok().stdout;
    assert_eq!(printed, want);
    // The total is the counter of the state, the rest belongs to this run.
    sandbox.cannon("run --input out.bin --output '' --debug-info again.json").ok();
    assert_eq!(sandbox.json("again.json")["total_steps"], steps);
}

fn a_traceback_names_the_open_calls() {
    let mut program = Program::new();
    let at = |instruction: u64| TEXT + 4 * instruction;
    // start calls first, which returns; then outer, which calls inner, which stays.
    program.call(at(8)).call(at(10)).hang();
    program.word(0).word(0);
    assert_eq!(program.address(), at(8));
    program.ret().call(at(14)).hang().hang();
    program.symbol("first", at(8), 4).symbol("outer", at(10), 12).symbol("inner", at(14), 4);
    let sandbox = Sandbox::with(&program);
    let ended = sandbox.run("--debug --stop-at =20").ok();
    let shown: Vec<&str> =
        ended.stderr.lines().skip_while(|line| !line.starts_with("traceback")).take(3).collect();
    assert_eq!(
        shown,
        [
            "traceback at pc=10038. step=20",
            "\t0 10038 in inner caller=00010028",
            "\t1 10028 in outer caller=00010008",
        ]
    );
    let same = sandbox.read("out.bin");
    sandbox.run("--stop-at =20").ok();
    assert_eq!(sandbox.read("out.bin"), same, "following calls changes nothing");
    sandbox.run("--debug --meta ''").fails(1, &["--debug", "--meta"]);
    sandbox.run("--debug=false --meta '' --stop-at =20").ok();
}

fn a_traceback_forgets_calls_that_others_returned_from() {
    let mut program = Program::new();
    let at = |instruction: u64| TEXT + 4 * instruction;
    // start calls outer, outer jumps on to other, which returns to start.
    program.call(at(4)).hang();
    assert_eq!(program.address(), at(4));
    program.word(0x0800_0000 | (at(8) >> 2) as u32).word(0).hang();
    assert_eq!(program.address(), at(8));
    program.ret();
    program.symbol("outer", at(4), 8).symbol("other", at(8), 8);
    let sandbox = Sandbox::with(&program);
    let depth = |stop: u64| {
        let ended = sandbox.run(&format!("--debug --stop-at ={stop}")).ok();
        ended.stderr.lines().filter(|line| line.contains("caller=")).count()
    };
    // Call and jump, each with its delay slot, then the return.
    assert_eq!((depth(4), depth(6)), (1, 0));
}

fn profiles_are_accepted_and_refused_in_words() {
    let sandbox = Sandbox::with(&counter());
    let ended = sandbox.run("--pprof.cpu").ok();
    assert!(ended.stderr.contains("--pprof.cpu has no effect"), "{}", ended.stderr);
    assert!(!sandbox.run("").ok().stderr.contains("pprof"));
}

fn the_name_cannon_answers_alike() {
    let sandbox = Sandbox::with(&counter());
    let cannon = sandbox.path("cannon");
    symlink(env!("CARGO_BIN_EXE_rebut"), &cannon).unwrap();
    sandbox.start(&cannon, "run -input=state.bin -output=a.bin -stop-at =9").ok();
    assert_eq!(sandbox.step_of("a.bin"), 9);
    let printed = sandbox.start(&cannon, "witness --input a.bin").ok().stdout;
    assert_eq!(printed, sandbox.cannon("witness --input a.bin").stdout);
    sandbox.start(&cannon, "run --output a.bin").fails(1, &["--input"]);
}

fn an_interrupt_ends_a_run() {
    let mut program = Program::new();
    program.hang();
    for signal in ["-INT", "-TERM"] {
        let sandbox = Sandbox::with(&program);
        let before = sandbox.files();
        let mut child = sandbox
            .command("run --input state.bin --debug-info info.json")
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("processing") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the run ended by itself");
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let last = log.lines().last().unwrap().unwrap();
        assert_eq!(last, "command interrupted");
        assert_eq!(Ended::of(child.wait_with_output().unwrap()).code, Some(130));
        assert_eq!(sandbox.files(), before, "nothing is left behind");
    }
}

fn the_last_of_a_repeated_option_counts() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--stop-at =5 --stop-at =8").ok();
    assert_eq!(sandbox.step_of("out.bin"), 8);
}
