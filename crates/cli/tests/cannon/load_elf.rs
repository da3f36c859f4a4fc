//! `cannon load-elf`.

use crate::program::{DATA, Program, TEXT};
use crate::sandbox::Sandbox;
use std::os::unix::fs::PermissionsExt;

crate::trials![
    a_state_has_the_bytes_of_the_layout,
    the_defaults_are_those_of_the_deployed_tool,
    symbols_are_sorted_by_address,
    empty_names_write_nothing,
    symbols_can_go_to_standard_output,
    version_7_is_in_the_first_byte,
    modes_do_not_depend_on_the_umask,
    options_stand_behind_one_dash_too,
    listed_versions_are_those_that_load,
    the_32_bit_machine_has_files_and_proofs_of_its_own,
];

/// Pages, and bytes of everything but memory: those of a state with one thread and no hint.
const PAGE: usize = 8 + 4096;
const REST: usize = 419 - 9;

fn small() -> Program {
    let mut program = Program::new();
    program.print("hello\n").exit(0);
    program
}

fn a_state_has_the_bytes_of_the_layout() {
    let sandbox = Sandbox::with(&small());
    let state = sandbox.read("state.bin");
    // Text, data, and five pages of stack.
    assert_eq!(state.len(), 9 + 7 * PAGE + REST);
    assert_eq!(state[0], 8);
    assert_eq!(state[1..9], 7u64.to_be_bytes());
    assert_eq!(state[9..17], (TEXT >> 12).to_be_bytes());
    assert_eq!(state[17..21], 0x3c02_0000u32.to_be_bytes(), "lui v0, 0");
    assert_eq!(state[9 + PAGE..17 + PAGE], (DATA >> 12).to_be_bytes());
    assert_eq!(&state[17 + PAGE..23 + PAGE], b"hello\n");
    let thread = &state[state.len() - 4 - 8 - 298..];
    assert_eq!(thread[10..18], TEXT.to_be_bytes(), "pc");
    assert_eq!(thread[18..26], (TEXT + 4).to_be_bytes(), "next pc");
    assert_eq!(thread[42 + 29 * 8..50 + 29 * 8], 0x7fff_ffff_f000u64.to_be_bytes(), "sp");
}

fn the_defaults_are_those_of_the_deployed_tool() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    sandbox.cannon("load-elf --type=multithreaded64-5 --path=program.elf").ok();
    assert_eq!(sandbox.files(), ["meta.json", "program.elf", "state.bin.gz"]);
    sandbox.cannon("load-elf --type=multithreaded64-5 --path=program.elf --out=plain.bin").ok();
    assert_eq!(sandbox.read("state.bin.gz"), sandbox.read("plain.bin"));
}

fn symbols_are_sorted_by_address() {
    let mut program = small();
    program.symbol("later", 0x1_0040, 8).symbol("sooner", 0x1_0010, 4);
    let sandbox = Sandbox::with(&program);
    assert_eq!(
        String::from_utf8(sandbox.read("meta.json")).unwrap(),
        r#"{
  "symbols": [
    {
      "name": "start",
      "start": 65536,
      "size": 4
    },
    {
      "name": "sooner",
      "start": 65552,
      "size": 4
    },
    {
      "name": "later",
      "start": 65600,
      "size": 8
    }
  ]
}

"#
    );
}

fn empty_names_write_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let arguments = "load-elf --type multithreaded64-5 --path program.elf --out '' --meta ''";
    assert_eq!(sandbox.cannon(arguments).ok().stdout, "");
    assert_eq!(sandbox.files(), ["program.elf"]);
}

fn symbols_can_go_to_standard_output() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let arguments = "load-elf --type multithreaded64-5 --path program.elf --out '' --meta -";
    let printed: serde_json::Value =
        serde_json::from_str(&sandbox.cannon(arguments).ok().stdout).unwrap();
    assert_eq!(printed["symbols"][0]["name"], "start");
    assert_eq!(sandbox.files(), ["program.elf"]);
}

fn version_7_is_in_the_first_byte() {
    let sandbox = Sandbox::with(&small());
    sandbox.cannon("load-elf --type multithreaded64-4 --path program.elf --out 7.bin").ok();
    let (seven, eight) = (sandbox.read("7.bin"), sandbox.read("state.bin"));
    assert_eq!(seven[0], 7);
    assert_eq!(seven[1..], eight[1..]);
}

fn modes_do_not_depend_on_the_umask() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let script = format!(
        "umask 077; exec {} cannon load-elf --type multithreaded64-5 --path program.elf",
        env!("CARGO_BIN_EXE_rebut")
    );
    sandbox.write("script.sh", script.as_bytes());
    sandbox.start("sh", "script.sh").ok();
    let mode = sandbox.path("state.bin.gz").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

fn options_stand_behind_one_dash_too() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    sandbox.cannon("load-elf -type multithreaded64-5 -path=program.elf -out a.bin -meta=-").ok();
    assert_eq!(sandbox.files(), ["a.bin", "program.elf"]);
}

fn listed_versions_are_those_that_load() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let listed = sandbox.cannon("list").ok().stdout;
    assert_eq!(
        listed,
        "Available cannon versions:\n\
         filename: cannon-0\tversion: singlethreaded (0)\n\
         filename: cannon-2\tversion: singlethreaded-2 (2)\n\
         filename: cannon-7\tversion: multithreaded64-4 (7)\n\
         filename: cannon-8\tversion: multithreaded64-5 (8)\n"
    );
    for command in ["load-elf", "run", "witness"] {
        let help = sandbox.cannon(&format!("{command} --help")).ok().stdout;
        assert!(help.contains("version: multithreaded64-5 (8)"), "{help}");
    }
}

fn the_32_bit_machine_has_files_and_proofs_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.write("program.elf", &small().elf());
    let json = |arguments: &str| -> serde_json::Value {
        serde_json::from_str(&sandbox.cannon(arguments).ok().stdout).unwrap()
    };
    let bytes_of = |value: &serde_json::Value| value.as_str().map(|hex| (hex.len() - 2) / 2);
    sandbox.cannon("load-elf --type singlethreaded --path program.elf --out old.json.gz").ok();
    sandbox.cannon("load-elf --type singlethreaded-2 --path program.elf --out new.bin").ok();
    let [old, new] =
        ["old.json.gz", "new.bin"].map(|name| json(&format!("witness --input {name}")));
    assert_eq!((&old["stateVersion"], &new["stateVersion"]), (&0.into(), &2.into()));
    assert_eq!(old["witnessHash"], new["witnessHash"], "the version is no part of the witness");
    assert_eq!(bytes_of(&old["witness"]), Some(226));

    // The JSON form and the binary one are forms of one state.
    let step = "--proof-at =0 --stop-at =1 --meta '' --proof-fmt -";
    let proof = json(&format!("run --input old.json.gz --output out.json {step}"));
    assert_eq!(bytes_of(&proof["proof-data"]), Some(1792));
    assert_eq!(proof["pre"], old["witnessHash"]);
    assert_eq!(json(&format!("run --input new.bin --output out.bin {step}")), proof);
    assert_eq!(json("witness --input out.json")["witnessHash"], proof["post"]);
    assert_eq!(json("witness --input out.bin")["witnessHash"], proof["post"]);

    // Only version 0 has the JSON form.
    let refused = sandbox.cannon("run --input new.bin --meta '' --output out.json");
    refused.fails(1, &["--output", "out.json", ".bin"]);
}
