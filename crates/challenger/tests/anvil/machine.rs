//! A machine small enough to be written down, and a chain small enough to be a function.
//!
//! ```text
//!   output of block n     keccak256(n), first byte 0x70 ("p" for proper)
//!   a lie about it        the same with first byte 0x66
//!   state                 one word: steps made in the last byte, verdict in the first
//!   step 0                reads the disputed output (local key 3): verdict 0 where it is proper, else 1
//!   step READ             reads the preimage of keccak256(large()), and counts
//!   other steps           count
//!   state hash            keccak256(state), first byte: the verdict once it has ended, 3 before
//! ```

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use rebut_challenger::agent::{BoxedTrace, TraceFailure, Traces};
use rebut_challenger::chain::Facts;
use rebut_dispute::{
    ClaimIndex, Evidence, Game, L2BlockChallenge, Position, PreimagePart, StepData, Trace,
};

/// Steps that the machine makes before it ends.
pub const LENGTH: u8 = 10;
/// The step that reads a large preimage.
pub const READ: u8 = 8;

/// What it reads: more than the oracle takes in one call.
pub fn large() -> Vec<u8> {
    (0..50_000_u32).map(|at| (at % 251) as u8).collect()
}

/// The oracle's key of that.
pub fn large_key() -> B256 {
    let mut key = keccak256(large());
    key[0] = 2;
    key
}
const PROPER: u8 = 0x70;
const LIE: u8 = 0x66;

/// Code of the machine, for an oracle.
pub fn code(oracle: Address) -> Bytes {
    let key = large_key();
    // The assembler knows two things: bytes, and labels of two bytes.
    enum Op<'a> {
        Code(&'a [u8]),
        Go(&'static str),
        Label(&'static str),
    }
    use Op::{Code, Go, Label};
    let oracle = oracle.as_slice();
    let program = [
        // selector == oracle()
        Code(&[0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x63, 0x7d, 0xc0, 0xd1, 0xd0, 0x14]),
        Go("oracle"),
        Code(&[0x57]),
        // state := the first word of the state data
        Code(&[0x60, 0x84, 0x35]),
        // the very first step has the state 0
        Code(&[0x80, 0x15]),
        Go("first"),
        Code(&[0x57]),
        // one step reads a large preimage: oracle.readPreimage(key, 8)
        Code(&[0x80, 0x60, 0xff, 0x16, 0x60, READ, 0x14, 0x15]),
        Go("count"),
        Code(&[0x57]),
        Code(&[0x63, 0xe0, 0x31, 0x10, 0xe1, 0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x7f]),
        Code(key.as_slice()),
        Code(&[0x60, 0x04, 0x52, 0x60, 0x08, 0x60, 0x24, 0x52]),
        Code(&[0x60, 0x40, 0x5f, 0x60, 0x44, 0x5f, 0x73]),
        Code(oracle),
        Code(&[0x5a, 0xfa, 0x15]),
        Go("fail"),
        Code(&[0x57]),
        Label("count"),
        // state + 1, unless it has ended
        Code(&[0x80, 0x60, 0xff, 0x16, 0x60, LENGTH, 0x14, 0x15, 0x01]),
        Go("hash"),
        Code(&[0x56]),
        Label("first"),
        // the key: keccak256(0x01..03, caller, context), first byte 1
        Code(&[0x50, 0x60, 0x03, 0x60, 0x01, 0x60, 0xf8, 0x1b, 0x17, 0x5f, 0x52]),
        Code(&[0x33, 0x60, 0x20, 0x52, 0x60, 0x44, 0x35, 0x60, 0x40, 0x52]),
        Code(&[0x60, 0x60, 0x5f, 0x20, 0x60, 0x08, 0x1b, 0x60, 0x08, 0x1c]),
        Code(&[0x60, 0x01, 0x60, 0xf8, 0x1b, 0x17]),
        // oracle.readPreimage(key, 8)
        Code(&[0x63, 0xe0, 0x31, 0x10, 0xe1, 0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x60, 0x04, 0x52]),
        Code(&[0x60, 0x08, 0x60, 0x24, 0x52]),
        Code(&[0x60, 0x40, 0x5f, 0x60, 0x44, 0x5f, 0x73]),
        Code(oracle),
        Code(&[0x5a, 0xfa, 0x15]),
        Go("fail"),
        Code(&[0x57]),
        // verdict << 248 | 1
        Code(&[0x5f, 0x51, 0x60, 0xf8, 0x1c, 0x60, PROPER, 0x14, 0x15]),
        Code(&[0x60, 0xf8, 0x1b, 0x60, 0x01, 0x17]),
        Label("hash"),
        // [state] -> [hash without first byte, state]
        Code(&[0x80, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0x20, 0x60, 0x08, 0x1b, 0x60, 0x08, 0x1c, 0x90]),
        Code(&[0x80, 0x60, 0xff, 0x16, 0x60, LENGTH, 0x14]),
        Go("ended"),
        Code(&[0x57, 0x50, 0x60, 0x03]),
        Go("out"),
        Code(&[0x56]),
        Label("ended"),
        Code(&[0x60, 0xf8, 0x1c]),
        Label("out"),
        Code(&[0x60, 0xf8, 0x1b, 0x17, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]),
        Label("oracle"),
        Code(&[0x73]),
        Code(oracle),
        Code(&[0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]),
        Label("fail"),
        Code(&[0x5f, 0x5f, 0xfd]),
    ];
    let size = |op: &Op<'_>| match op {
        Code(bytes) => bytes.len(),
        Go(_) => 3,
        Label(_) => 1,
    };
    let place = |name: &str| {
        let before = program.iter().take_while(|op| !matches!(op, Label(label) if *label == name));
        before.map(size).sum::<usize>() as u16
    };
    let mut code = Vec::new();
    for op in &program {
        match op {
            Code(bytes) => code.extend_from_slice(bytes),
            Go(label) => {
                code.push(0x61);
                code.extend(place(label).to_be_bytes());
            }
            Label(_) => code.push(0x5b),
        }
    }
    code.into()
}

/// Creation code that leaves `code` behind.
pub fn creation(code: &Bytes) -> Bytes {
    // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
    let [high, low] = (code.len() as u16).to_be_bytes();
    [&[0x61, high, low, 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3], code.as_ref()].concat().into()
}

fn word(state: U256) -> B256 {
    state.into()
}

fn state(steps: u64, verdict: u8) -> U256 {
    match steps.min(LENGTH.into()) {
        0 => U256::ZERO,
        steps => U256::from(verdict) << 248 | U256::from(steps),
    }
}

fn hash(state: U256) -> B256 {
    let mut hash = keccak256(word(state));
    let ended = state.byte(0) == LENGTH;
    hash[0] = if ended { state.byte(31) } else { 3 };
    hash
}

/// The absolute prestate.
pub fn prestate() -> B256 {
    hash(U256::ZERO)
}

/// The output root after a block.
pub fn output(block: u64, proper: bool) -> B256 {
    let mut root = keccak256(U256::from(block).to_be_bytes::<32>());
    root[0] = if proper { PROPER } else { LIE };
    root
}

/// What somebody holds to be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// Outputs from this block on are lies.
    pub outputs_lie_from: u64,
    /// States after this many steps are lies; none where none are.
    pub states_lie_from: Option<u64>,
}

impl Belief {
    /// The truth.
    pub const TRUTH: Self = Self { outputs_lie_from: u64::MAX, states_lie_from: None };
}

impl Traces for Belief {
    fn open(&self, facts: &Facts, _l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        if facts.absolute_prestate != prestate() {
            return Err("the prestate is not that of the machine".into());
        }
        Ok(BoxedTrace::new(*self))
    }
}

impl Trace for Belief {
    type Error = TraceFailure;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceFailure> {
        let split = game.parameters().split_depth();
        if position.depth() <= split {
            let block = game.l2_block_at(position)?;
            return Ok(output(block, block < self.outputs_lie_from));
        }
        let (steps, verdict) = self.place(game, reference, position)?;
        let mut hash = hash(state(steps, verdict));
        if self.states_lie_from.is_some_and(|from| steps >= from) {
            // A liar who claims that a wrong output is right, or a right one wrong.
            let ended = steps >= LENGTH.into();
            hash = keccak256(hash);
            hash[0] = if ended { 1 - verdict } else { 3 };
        }
        Ok(hash)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceFailure> {
        let (steps, verdict) = self.place(game, reference, position)?;
        let before = steps - 1;
        let preimage = (before == 0).then(|| {
            let mut key = B256::with_last_byte(3);
            key[0] = 1;
            let span = game.span(reference, position).map_err(|e| e.to_string())?;
            let disputed = game.claim(span.disputed).map_err(|e| e.to_string())?.value;
            let data = disputed.to_vec();
            Ok::<_, String>(PreimagePart { key, data, offset: 8, evidence: Evidence::Data })
        });
        let large = (before == u64::from(READ)).then(|| PreimagePart {
            key: large_key(),
            data: large(),
            offset: 8,
            evidence: Evidence::Data,
        });
        Ok(StepData {
            prestate: word(state(before, verdict)).to_vec(),
            proof: Vec::new(),
            preimage: preimage.transpose()?.or(large),
        })
    }

    fn l2_block_challenge(&mut self, _: &Game) -> Result<Option<L2BlockChallenge>, TraceFailure> {
        Ok(None)
    }
}

impl Belief {
    /// Steps behind a position, and the verdict of its trace.
    fn place(
        &self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<(u64, u8), TraceFailure> {
        let parameters = game.parameters();
        let span = game.span(reference, position)?;
        let disputed = game.claim(span.disputed)?.value;
        let verdict = u8::from(disputed[0] != PROPER);
        let place = position.relative_to(parameters.split_depth().below())?;
        let index = place.trace_index(parameters.execution_depth())?;
        Ok((u64::try_from(index.0)?.saturating_add(1), verdict))
    }
}
