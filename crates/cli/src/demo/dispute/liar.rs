//! What the two sides believe.
//!
//! Both are the same challenger over the same truth. The liar sees it through lies that are consistent: right up to
//! some block and, in the trace of that block, up to some instruction; wrong from there on.

use super::stage::GameVm;
use alloy_primitives::{Address, B256, keccak256};
use rebut_challenger::agent::{BoxedTrace, TraceFailure, Traces, game_setup};
use rebut_challenger::chain::Facts;
use rebut_challenger::trace::vm::RunInputs;
use rebut_challenger::trace::{GameTrace, Prestates, Setup, Work};
use rebut_dispute::{ClaimIndex, Game, L2BlockChallenge, Position, StepData, Trace};
use rebut_fpvm::machine::state::VmStatus;
use rebut_fpvm::{Asterisc, Machine, Mips64, Silent, State, Stop, Until, Vm};
use rebut_preimage::{KeyType, OracleError, PreimageKey, PreimageOracle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the trace work of games took, by game.
pub type Book = Arc<Mutex<BTreeMap<Address, Work>>>;

/// Where a liar's execution trace leaves the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After so many hundredths of the run.
    Hundredths(u64),
    /// At the first instruction that reads a preimage by its hash.
    FirstKeccakRead,
}

/// The lies of one game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lies {
    /// The first block whose output is another.
    pub from_block: u64,
    /// The first instruction after which the state is another.
    pub place: Place,
}

/// What a liar says instead of an output root, or of a state hash in the middle of a run.
pub fn lie(truth: B256) -> B256 {
    keccak256(truth)
}

/// The truth about games, seen straight or through lies.
pub struct Belief {
    setup: Setup,
    /// Lies by the type of a game; the truth in all others.
    lies: BTreeMap<u32, Lies>,
    prestate: Prestate,
    book: Book,
}

/// Where the absolute prestate is, its hash, and its machine.
pub type Prestate = (Prestates, B256, GameVm);

impl Belief {
    /// Nothing but the truth.
    pub fn truth(setup: Setup, prestate: Prestate, book: Book) -> Self {
        Self { setup, lies: BTreeMap::new(), prestate, book }
    }

    /// Lies in games of these types.
    pub fn lies(setup: Setup, prestate: Prestate, lies: BTreeMap<u32, Lies>) -> Self {
        Self { setup, lies, prestate, book: Book::default() }
    }
}

impl Traces for Belief {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        let game = game_setup(facts, l1_head);
        let lies = self.lies.get(&facts.listing.game_type.0).copied();
        Ok(BoxedTrace::new(Seen {
            truth: self.setup.open(&game)?,
            game: facts.listing.address,
            lies: lies.map(|lies| (lies, None)),
            prestate: self.prestate.clone(),
            book: Arc::clone(&self.book),
        }))
    }
}

/// The trace of one game as one side sees it.
struct Seen {
    truth: GameTrace,
    game: Address,
    /// With the first instruction after which the state is another, once it is known.
    lies: Option<(Lies, Option<u64>)>,
    prestate: Prestate,
    book: Book,
}

impl Seen {
    /// Writes down what the work took so far.
    fn note(&self) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.insert(self.game, self.truth.work());
    }

    /// The first instruction after which the liar's state is another.
    fn first_lie(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<Option<u64>, TraceFailure> {
        let Some((lies, known)) = self.lies else { return Ok(None) };
        if known.is_some() {
            return Ok(known);
        }
        let inputs = self.truth.run_inputs(game, reference, position)?;
        let first = match lies.place {
            Place::FirstKeccakRead => {
                let (prestates, hash, vm) = &self.prestate;
                match vm {
                    GameVm::Cannon => {
                        first_keccak_read(prestates.get::<Mips64>(*hash)?.state, inputs)?
                    }
                    GameVm::Asterisc => {
                        first_keccak_read(prestates.get::<Asterisc>(*hash)?.state, inputs)?
                    }
                }
            }
            // The run has ended: the truth at this place was asked for before.
            Place::Hundredths(part) => self.truth.work().longest / 100 * part,
        };
        self.lies = Some((lies, Some(first)));
        Ok(Some(first))
    }
}

impl Trace for Seen {
    type Error = TraceFailure;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceFailure> {
        let truth = self.truth.claim(game, reference, position)?;
        self.note();
        let parameters = game.parameters();
        let split_depth = parameters.split_depth();
        if position.depth() <= split_depth {
            let number = game.l2_block_at(position)?;
            let lies = self.lies.is_some_and(|(lies, _)| number >= lies.from_block);
            return Ok(if lies { lie(truth) } else { truth });
        }
        let Some(first) = self.first_lie(game, reference, position)? else { return Ok(truth) };
        let index =
            position.relative_to(split_depth.below())?.trace_index(parameters.execution_depth())?;
        Ok(if index.0 < first.into() { truth } else { lie_about_state(truth) })
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceFailure> {
        // There is no proof of a lie; the true one is the best that a liar can try.
        let data = self.truth.step_data(game, reference, position)?;
        self.note();
        Ok(data)
    }

    fn l2_block_challenge(
        &mut self,
        game: &Game,
    ) -> Result<Option<L2BlockChallenge>, TraceFailure> {
        match self.lies {
            Some(_) => Ok(None),
            None => Ok(self.truth.l2_block_challenge(game)?),
        }
    }
}

/// Another state with the opposite verdict, or as unfinished as the true one.
fn lie_about_state(truth: B256) -> B256 {
    let mut state = lie(truth);
    state[0] = match truth[0] {
        unfinished if unfinished == VmStatus::Unfinished as u8 => unfinished,
        valid if valid == VmStatus::Valid as u8 => VmStatus::Invalid as u8,
        _ => VmStatus::Valid as u8,
    };
    state
}

/// The number of the first instruction that reads a preimage by its hash. Until then a run depends on its local
/// values alone.
fn first_keccak_read<V: Vm>(prestate: State<V>, inputs: RunInputs) -> Result<u64, TraceFailure> {
    let mut machine = Machine::new(prestate, Locals(inputs), Silent);
    loop {
        match machine.run(Until { step: u64::MAX, preimage_read: true })? {
            Stop::PreimageRead => {}
            _ => return Err("the program reads no preimage by its hash".into()),
        }
        let (key, ..) = machine.last_preimage_read().ok_or("no preimage was read")?;
        if key[0] == KeyType::Keccak256 as u8 {
            return Ok(machine.registers().step.saturating_sub(1));
        }
    }
}

/// Serves local values; of anything else only that it is there.
struct Locals(RunInputs);

impl PreimageOracle for Locals {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let Some(identifier) = key.local_identifier() else { return Ok(vec![0; 32]) };
        let mut values = self.0.boot.local_values().into_iter();
        let value = values.find(|(known, _)| *known == identifier).map(|(_, value)| value);
        value.ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_about_the_end_have_the_opposite_verdict() {
        let check = |status: u8, want: u8| {
            let truth = B256::with_last_byte(7);
            let truth = B256::new([&[status], &truth[1..]].concat().try_into().expect("32 bytes"));
            let lie = lie_about_state(truth);
            assert_eq!(lie[0], want, "{status}");
            assert_ne!(lie, truth);
        };
        check(0, 1);
        check(1, 0);
        check(2, 0);
        check(3, 3);
    }
}
