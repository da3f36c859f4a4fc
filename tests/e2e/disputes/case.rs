//! What disputes are about: programs with their inputs.

use alloy_primitives::{B256, U256};
use rebut_challenger::trace::vm::{InProcess, Limits, Loaded, Oracle};
use rebut_challenger::trace::{Derived, GameTrace, L1Head, OutputSource, Outputs, TraceError};
use rebut_dispute::Proposal;
use rebut_fpvm::isa::{Op, Operands};
use rebut_fpvm::{Machine, Mips64, Silent, State, StateVersion, load_elf};
use rebut_host::{ClaimWitness, WitnessOracle};
use rebut_preimage::{MemoryStore, PreimageKey};
use rebut_program::config::{Chain, Table, section};
use rebut_program::{Boot, Output};
use rebut_tests::{go, guests};
use std::sync::Arc;

/// A program on a chain whose blocks can be disputed.
pub struct Case {
    /// What the program is told in a dispute of the first block, whose true output this is.
    pub boot: Boot,
    pub starting: Proposal,
    pub kind: Kind,
}

/// Where data comes from.
pub enum Kind {
    /// A recorded run of the fault proof program.
    Recorded(Box<ClaimWitness>),
    /// A program that does not look at its claim.
    Fixed { oracle: WitnessOracle, prestate: Box<dyn Fn() -> State<Mips64>> },
}

/// The shortest recorded run; none where recordings are absent.
pub fn recorded() -> Option<Case> {
    let path = rebut_recordings::path("fpp-devnet/da047d3.json.zst")?;
    let witness = ClaimWitness::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let mut outputs = derived(&witness);
    let last = witness.boot.claimed_number;
    let first = (0..last).rev().find(|number| outputs.output(*number).is_err()).unwrap() + 1;
    let starting = Proposal { root: witness.boot.agreed_output, l2_sequence_number: first };
    let boot = Boot {
        claimed_number: first + 1,
        claimed_output: outputs.output(first + 1).expect("the first block").root(),
        ..witness.boot
    };
    Some(Case { boot, starting, kind: Kind::Recorded(Box::new(witness)) })
}

/// The fault proof program for the chain of a recording.
fn program(witness: &ClaimWitness) -> State<Mips64> {
    let table = Table::encode(&[Chain::new("", witness.config.clone())]).expect("one chain");
    let mut elf = guests::elf::<Mips64>("program");
    section::fill(&mut elf, &table).expect("a section for it");
    load_elf(StateVersion::V8, &elf).expect("the guest").state
}

fn derived(witness: &ClaimWitness) -> Derived {
    Derived::new(Box::new(witness.oracle()), witness.config.clone(), witness.boot)
}

/// A program that reads 8 bytes of the preimage of `key` from `offset` on, and ends with this verdict.
pub fn reader(is_valid: bool, key: PreimageKey, offset: u64, oracle: WitnessOracle) -> Case {
    let set = |rt: u8, imm: u16| Op::ori.encode(Operands { rt, imm, ..Operands::default() }).0;
    let call = Op::syscall.encode(Operands::default()).0;
    let buffer = Op::lui.encode(Operands { rt: 5, imm: 2, ..Operands::default() }).0;
    let exit_code = set(4, u16::from(!is_valid));
    // read(5, 0x20000, 8), exit_group(exit code)
    let code =
        vec![set(2, 5000), set(4, 5), buffer, set(6, 8), call, set(2, 5205), exit_code, call];
    let prestate = move || {
        let mut state = State::at(StateVersion::V8, 0x1000);
        let mut page = [0; 4096];
        for (place, word) in page.chunks_exact_mut(4).zip(&code) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        state.memory.set_page(1, &page);
        state.registers.preimage_key = B256::from(*key.as_bytes());
        state.registers.preimage_offset = offset;
        state
    };
    Case::fixed(oracle, Box::new(prestate))
}

/// The Go program of `guests/go`, whose threads take turns, ending with this verdict; none where there is no Go.
pub fn threads(is_valid: bool) -> Option<Case> {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let elf = go::build::<Mips64>(go::WHOLE, folder.path())?;
    let prestate = move || {
        let mut program = load_elf(StateVersion::V8, &elf).expect("the guest");
        let exit_code = program.symbols.find("main.exitCode").expect("a variable").start;
        program.state.memory.store_u64(exit_code, u64::from(!is_valid));
        program.state
    };
    Some(Case::fixed(WitnessOracle::new(MemoryStore::new()), Box::new(prestate)))
}

/// The step in which such a program reads.
pub const READ: u64 = 4;

fn made_up(number: u64) -> Output {
    Output {
        state_root: B256::from(U256::from(number)),
        message_passer_storage_root: B256::ZERO,
        block_hash: B256::from(U256::from(number)),
    }
}

struct MadeUp;

impl OutputSource for MadeUp {
    fn name(&self) -> String {
        "made-up outputs".into()
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        Ok(made_up(number))
    }

    fn safe_head(&mut self, _: L1Head, limit: u64) -> Result<u64, TraceError> {
        Ok(limit)
    }
}

impl Case {
    fn fixed(oracle: WitnessOracle, prestate: Box<dyn Fn() -> State<Mips64>>) -> Self {
        let starting = Proposal { root: made_up(100).root(), l2_sequence_number: 100 };
        let boot = Boot {
            l1_head: B256::repeat_byte(0x11),
            agreed_output: starting.root,
            claimed_output: made_up(101).root(),
            claimed_number: 101,
            chain_id: 901,
        };
        Self { boot, starting, kind: Kind::Fixed { oracle, prestate } }
    }

    /// The block that games are about: the last one, or the third.
    pub fn block(&self) -> u64 {
        match &self.kind {
            Kind::Recorded(witness) => witness.boot.claimed_number,
            Kind::Fixed { .. } => self.starting.l2_sequence_number + 3,
        }
    }

    fn outputs(&self) -> Box<dyn OutputSource> {
        match &self.kind {
            Kind::Recorded(witness) => Box::new(derived(witness)),
            Kind::Fixed { .. } => Box::new(MadeUp),
        }
    }

    /// The true output root of the block that games are about.
    pub fn root(&self) -> B256 {
        self.outputs().output(self.block()).expect("the last output").root()
    }

    fn source(&self) -> Source {
        match &self.kind {
            Kind::Recorded(witness) => Source::Recorded(witness.clone()),
            Kind::Fixed { oracle, .. } => Source::Fixed(oracle.clone()),
        }
    }

    pub fn prestate(&self) -> State<Mips64> {
        match &self.kind {
            Kind::Recorded(witness) => program(witness),
            Kind::Fixed { prestate, .. } => prestate(),
        }
    }

    /// The program on the first block's true output.
    pub fn machine(&self) -> Machine<'static> {
        Machine::new(self.prestate(), self.source().oracle(&self.boot), Silent)
    }

    /// The truth in a game.
    pub fn trace(&self) -> GameTrace {
        let head = L1Head { hash: self.boot.l1_head, number: 1 };
        let source = self.source();
        let executions = InProcess::new(
            Loaded::new(self.prestate()),
            Limits::default(),
            Arc::default(),
            move |inputs| Ok(source.oracle(&inputs.boot)),
        );
        let outputs = Outputs::new(self.outputs(), head);
        GameTrace::new(outputs, Box::new(Vec::new()), Box::new(executions), self.boot.chain_id)
    }
}

/// What gives oracles for as long as a trace lives.
enum Source {
    Recorded(Box<ClaimWitness>),
    Fixed(WitnessOracle),
}

impl Source {
    fn oracle(&self, boot: &Boot) -> Oracle {
        match self {
            Self::Recorded(witness) => {
                let mut witness = ClaimWitness::clone(witness);
                witness.boot = *boot;
                Box::new(witness.oracle())
            }
            Self::Fixed(oracle) => Box::new(oracle.clone()),
        }
    }
}
