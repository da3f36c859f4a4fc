//! What is wrong is said in one line, with the right exit code, and leaves nothing behind.

use crate::program::Program;
use crate::sandbox::Sandbox;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::os::unix::fs::symlink;

crate::trials![
    a_fault_of_the_guest_has_its_own_exit_code,
    files_that_are_not_there_are_named,
    cut_and_corrupt_states_are_refused,
    states_of_other_machines_are_refused_by_name,
    json_that_is_no_state_is_refused,
    other_types_are_refused_by_name,
    broken_elf_files_are_refused,
    broken_symbol_files_are_refused,
    bad_options_are_refused,
    names_that_are_no_states_are_refused,
    a_full_disk_leaves_nothing_behind,
    a_missing_folder_is_named,
    a_failed_write_leaves_the_old_file,
];

fn small() -> Program {
    let mut program = Program::new();
    program.count_to(10).exit(0);
    program
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn a_fault_of_the_guest_has_its_own_exit_code() {
    let check = |word: u32, words: &[&str]| {
        let mut program = Program::new();
        program.word(0).word(word).exit(0);
        let sandbox = Sandbox::with(&program);
        let before = sandbox.files();
        sandbox.run("--debug-info info.json").fails(2, words);
        sandbox.run("--proof-at always --proof-fmt ''").fails(2, words);
        sandbox.run("--debug").fails(2, words);
        assert_eq!(sandbox.files(), before);
    };
    check(0xf800_0000, &["step 1 ", "0x10004", "invalid instruction", "f8000000"]);
    check(0x0000_001a, &["step 1 ", "division by zero"]);
    check(0x0000_000c, &["step 1 ", "system call 0 "]);
}

fn files_that_are_not_there_are_named() {
    let sandbox = Sandbox::new();
    let check = |arguments: &str, name: &str| {
        sandbox.cannon(arguments).fails(1, &[name, "No such file"]);
        assert_eq!(sandbox.files(), [""; 0]);
    };
    check("run --meta '' --input gone.bin", "gone.bin");
    check("run --meta '' --input gone.json", "gone.json");
    check("run --input gone.bin", "meta.json");
    check("witness --input gone.bin.gz", "gone.bin.gz");
    check("load-elf --type multithreaded64-5 --path gone.elf", "gone.elf");
    sandbox.cannon("run --meta '' --input ''").fails(1, &["--input"]);
    sandbox.cannon("witness --input ''").fails(1, &["--input"]);
}

/// The state is refused by `witness` and `run`, and no file comes into being.
#[track_caller]
fn refused(name: &str, content: &[u8], words: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write(name, content);
    let words = [&[name], words].concat();
    sandbox.cannon(&format!("witness --input {name} --output raw")).fails(1, &words);
    sandbox.cannon(&format!("run --meta '' --input {name} --debug-info i.json")).fails(1, &words);
    assert_eq!(sandbox.files(), [name]);
}

fn cut_and_corrupt_states_are_refused() {
    let sandbox = Sandbox::with(&small());
    let state = sandbox.read("state.bin");
    for cut in [0, 1, 8, 9, 17, 5000, state.len() - 400, state.len() - 1] {
        refused("cut.bin", &state[..cut], &["cannot read"]);
    }
    let patched = |at: usize, byte: u8| {
        let mut state = state.clone();
        state[at] = byte;
        state
    };
    let registers = state.len() - 410;
    refused("flag.bin", &patched(registers + 66, 2), &["exited is 2"]);
    refused("reservation.bin", &patched(registers + 48, 3), &["reservation status is 3"]);
    refused("twice.bin", &patched(17 + 4096 + 7, 0x10), &["page 0x10 is there twice"]);
    refused("threads.bin", &patched(registers + 92, 1), &["cannot read"]);

    let packed = gzip(&state);
    for cut in [0, 5, 20, packed.len() / 2, packed.len() - 9, packed.len() - 1] {
        refused("cut.bin.gz", &packed[..cut], &[]);
    }
    let mut flipped = packed.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    refused("checksum.bin.gz", &flipped, &["corrupt"]);
    refused("plain.bin.gz", &state, &["gzip"]);
}

fn states_of_other_machines_are_refused_by_name() {
    let names = [
        (1, "multithreaded"),
        (3, "multithreaded64"),
        (4, "multithreaded64-2"),
        (5, "multithreaded-2"),
        (6, "multithreaded64-3"),
    ];
    let state = Sandbox::with(&small()).read("state.bin");
    for (number, name) in names {
        let mut older = state.clone();
        older[0] = number;
        refused("older.bin", &older, &["not supported", &format!("version {number} ({name})")]);
        refused("older.bin.gz", &gzip(&older), &["not supported", &format!("({name})")]);
    }
    for number in [9, 255] {
        let mut newer = state.clone();
        newer[0] = number;
        refused("newer.bin", &newer, &["unknown", &number.to_string()]);
    }
}

fn json_that_is_no_state_is_refused() {
    for name in ["state.json", "state"] {
        refused(name, b"{}", &["JSON form of a state", "missing field"]);
    }
}

fn other_types_are_refused_by_name() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let check = |name: &str, words: &[&str]| {
        sandbox.cannon(&format!("load-elf --path program.elf --type {name}")).fails(1, words);
        assert_eq!(sandbox.files(), ["program.elf"]);
    };
    check("multithreaded64-3", &["multithreaded64-3", "not supported", "multithreaded64-5"]);
    check("multithreaded", &["version 1", "not supported", "singlethreaded"]);
    check("multithreaded64-6", &["multithreaded64-6", "no state version"]);
    check("8", &["no state version"]);
    sandbox.cannon("load-elf --path program.elf").fails(1, &["--type"]);
}

fn broken_elf_files_are_refused() {
    let elf = small().elf();
    let check = |content: &[u8], word: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("bad.elf", content);
        let ended = sandbox.cannon("load-elf --type multithreaded64-5 --path bad.elf");
        ended.fails(1, &["bad.elf", word]);
        assert_eq!(sandbox.files(), ["bad.elf"]);
    };
    for cut in [0, 4, 20, 63, 100, 176, elf.len() / 2, elf.len() - 1] {
        check(&elf[..cut], "");
    }
    let patched = |at: usize, bytes: &[u8]| {
        let mut elf = elf.clone();
        elf[at..at + bytes.len()].copy_from_slice(bytes);
        elf
    };
    check(b"#!/bin/sh\n", "ELF");
    check(&patched(18, &243u16.to_be_bytes()), "243");
    check(&patched(64 + 16, &u64::MAX.to_be_bytes()), "48-bit");
    check(&patched(64 + 16, &0x1000_0000_0000u64.to_be_bytes()), "heap");
    check(&patched(64 + 40, &1u64.to_be_bytes()), "larger than memory size");
    check(&patched(64 + 40, &(1u64 << 40).to_be_bytes()), "memory");
    // Without the symbol table, whose section header is the third.
    let sections = elf.len() - 4 * 64;
    check(&patched(sections + 2 * 64 + 4, &1u32.to_be_bytes()), "symbol table");
}

fn broken_symbol_files_are_refused() {
    let sandbox = Sandbox::with(&small());
    let before = sandbox.files();
    for content in
        [&b""[..], b"{", b"[]", b"{}", b"{\"symbols\":[{\"name\":1}]}", b"{\"symbols\":[]} x"]
    {
        sandbox.write("meta.json", content);
        sandbox.run("").fails(1, &["meta.json", "line"]);
        assert_eq!(sandbox.files(), before);
    }
    sandbox.write("meta.json", b"{\"symbols\":null}");
    sandbox.run("").ok();
}

fn bad_options_are_refused() {
    let sandbox = Sandbox::with(&small());
    let before = sandbox.files();
    let check = |arguments: &str, words: &[&str]| {
        sandbox.run(arguments).fails(1, words);
        assert_eq!(sandbox.files(), before, "{arguments}");
    };
    for option in ["--proof-at", "--snapshot-at", "--stop-at", "--info-at"] {
        for pattern in ["5", "=", "=x", "%0", "%", "=1..5", "=-1", "=18446744073709551616"] {
            check(&format!("{option} {pattern}"), &[option, pattern]);
        }
    }
    check("--stop-at-preimage xyz", &["--stop-at-preimage", "hexadecimal"]);
    check("--stop-at-preimage 02@a", &["--stop-at-preimage", "offset"]);
    check("--stop-at-preimage 02@1@b", &["--stop-at-preimage", "step"]);
    check("--stop-at-preimage-type kecak", &["--stop-at-preimage-type", "kecak"]);
    check("--stop-at-preimage-larger-than many", &["--stop-at-preimage-larger-than", "many"]);
    check("--no-such-option", &["--no-such-option"]);
    check("stray", &["stray"]);
    sandbox.cannon("no-such-command").fails(1, &["no-such-command"]);
    sandbox.cannon("run").fails(1, &["--input"]);
}

fn names_that_are_no_states_are_refused() {
    let sandbox = Sandbox::with(&small());
    let before = sandbox.files();
    for name in ["out.json", "out.json.gz", "out", "-", "out.gz"] {
        let check = |arguments: String, option: &str| {
            sandbox.cannon(&arguments).fails(1, &[option, name, ".bin"]);
            assert_eq!(sandbox.files(), before, "{arguments}");
        };
        check(format!("run --input state.bin --output {name}"), "--output");
        check(format!("run --input state.bin --snapshot-fmt {name}"), "--snapshot-fmt");
        check(
            format!("load-elf --type multithreaded64-5 --path program.elf --out {name}"),
            "--out",
        );
    }
}

fn a_full_disk_leaves_nothing_behind() {
    let sandbox = Sandbox::with(&small());
    // Every write to this device fails for want of space.
    for name in ["full.bin", "full.bin.gz", "full.json"] {
        symlink("/dev/full", sandbox.path(name)).unwrap();
    }
    let before = sandbox.files();
    let check = |arguments: &str, name: &str| {
        sandbox.cannon(arguments).fails(1, &[name, "No space left"]);
        assert_eq!(sandbox.files(), before, "{arguments}");
    };
    check("run --input state.bin --output full.bin", "full.bin");
    check("run --input state.bin --output full.bin.gz", "full.bin.gz");
    check("run --input state.bin --output '' --debug-info full.json", "full.json");
    check("run --input state.bin --output '' --debug-info /dev/full", "/dev/full");
    check("run --input state.bin --proof-at =3 --proof-fmt full.json", "full.json");
    check("run --input state.bin --snapshot-at =3 --snapshot-fmt full.bin", "full.bin");
    check("load-elf --type multithreaded64-5 --path program.elf --out full.bin", "full.bin");
    check("load-elf --type multithreaded64-5 --path program.elf --meta full.json", "full.json");
    check("witness --input state.bin --output full.bin", "full.bin");
    sandbox.write(
        "w.sh",
        format!("{} cannon witness --input state.bin > /dev/full", env!("CARGO_BIN_EXE_rebut"))
            .as_bytes(),
    );
    sandbox.start("sh", "w.sh").fails(1, &["standard output", "No space left"]);
}

/// Before anything is run: a program that ends in a fault does not get that far.
fn a_missing_folder_is_named() {
    let mut program = Program::new();
    program.word(0xf800_0000);
    let sandbox = Sandbox::with(&program);
    let before = sandbox.files();
    let check = |arguments: &str, words: &[&str]| {
        sandbox.run(arguments).fails(1, words);
        assert_eq!(sandbox.files(), before, "{arguments}");
    };
    let missing = ["there is no folder", "gone"];
    check("--output gone/out.bin", &missing);
    check("--output '' --debug-info gone/info.json", &missing);
    check("--proof-at =7 --proof-fmt gone/%d.json", &missing);
    check("--snapshot-at %9 --snapshot-fmt gone/%d.bin", &missing);
    check("--output state.bin/out.bin", &["state.bin/out.bin", "there is no folder"]);
    // What is never written needs no folder, and whether one named after a step is there is seen at that step.
    sandbox.run("--proof-fmt gone/%d.json --snapshot-fmt gone/%d.bin").fails(2, &["step 0"]);
    sandbox.run("--proof-at =7 --proof-fmt gone/%d/proof.json").fails(2, &["step 0"]);
    check("--snapshot-at =0 --snapshot-fmt %d/state.bin", &["there is no folder 0"]);
    let asterisc = "asterisc run --input state.json --output gone/out.json";
    sandbox.start(env!("CARGO_BIN_EXE_rebut"), asterisc).fails(1, &missing);
}

fn a_failed_write_leaves_the_old_file() {
    let sandbox = Sandbox::with(&small());
    sandbox.write("out.bin", b"old");
    let before = sandbox.files();
    // Files may have 8 KiB, in whichever unit the shell counts; the state has 28.
    let script = format!(
        "ulimit -f 8; exec {} cannon run --input state.bin --output out.bin --meta ''",
        env!("CARGO_BIN_EXE_rebut")
    );
    sandbox.write("limit.sh", script.as_bytes());
    let ended = sandbox.start("sh", "limit.sh");
    ended.fails(1, &["out.bin", "File too large"]);
    assert_eq!(sandbox.read("out.bin"), b"old");
    std::fs::remove_file(sandbox.path("limit.sh")).unwrap();
    assert_eq!(sandbox.files(), before);
}
