//! One test body for every engine: plain step, block interpreter, Solidity.

use crate::case::Case;
use crate::tested::Tested;
use crate::verdict::{self, Solidity, Step};
use rebut_fpvm::{Machine, Mips64, StepError, Stop, Until};

/// Steps that the block interpreter runs in one go; a case takes up one, what follows it the rest.
const STRETCH: u64 = 4;

/// The engines, and counts of what they were shown.
#[derive(Debug)]
pub struct Engines<A: Tested = Mips64> {
    contracts: [Solidity<A>; 2],
    /// Cases that all engines took, to the same state.
    pub taken: u64,
    /// Cases that all engines refused, for the same reason.
    pub refused: u64,
}

impl<A: Tested> Default for Engines<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Tested> Engines<A> {
    /// Deploys the contracts.
    pub fn new() -> Self {
        Self { contracts: Solidity::both(), taken: 0, refused: 0 }
    }

    /// Shows a case to every engine.
    ///
    /// # Panics
    /// When two engines differ: with both answers and the case.
    pub fn check(&mut self, name: &str, case: &Case<A>) -> Step {
        match self.compare(case) {
            Ok(Step::Taken) => {
                self.taken += 1;
                Step::Taken
            }
            Ok(Step::Refused) => {
                self.refused += 1;
                Step::Refused
            }
            Err(difference) => panic!("{name}: {difference}\n{case:x?}"),
        }
    }

    /// As [`check`](Self::check), and says which of the two has to come out.
    ///
    /// # Panics
    /// When it does not.
    pub fn expect(&mut self, name: &str, case: &Case<A>, want: Step) {
        assert_eq!(self.check(name, case), want, "{name}: {case:x?}");
    }

    fn compare(&mut self, case: &Case<A>) -> Result<Step, String> {
        let start = case.registers.step;
        let solidity = Solidity::of(&mut self.contracts, case.version);
        let mut plain = verdict::machine(case.state_without_windows());
        let verdict = verdict::compare(&mut plain, solidity)?;

        let mut fast = verdict::machine(case.state());
        let result = fast.run(Until::step(start.wrapping_add(1)));
        match (verdict, &result) {
            (Step::Taken, Err(error)) => return Err(format!("block interpreter refuses: {error}")),
            (Step::Refused, Ok(stop)) => return Err(format!("block interpreter: {stop:?}")),
            _ => {}
        }
        equal("after one step", &mut plain, &mut fast)?;
        stretch(case, start.wrapping_add(STRETCH))?;
        Ok(verdict)
    }
}

/// The block interpreter over the case and what follows it, against as many plain steps.
fn stretch<A: Tested>(case: &Case<A>, end: u64) -> Result<(), String> {
    let mut plain = verdict::machine(case.state_without_windows());
    let mut fast = verdict::machine(case.state());
    let [a, b] = [plain.run_plain(Until::step(end)), fast.run(Until::step(end))].map(outcome);
    if a != b {
        return Err(format!("after some steps: plain {a}, block interpreter {b}"));
    }
    equal("after some steps", &mut plain, &mut fast)
}

fn outcome(result: Result<Stop, StepError>) -> String {
    match result {
        Ok(stop) => format!("stops: {stop:?}"),
        Err(error) => format!("refuses: {error:?}"),
    }
}

/// Compares all that two machines hold.
///
/// # Errors
/// What differs, in words.
pub fn equal<A: Tested>(
    when: &str,
    plain: &mut Machine<'_, A>,
    fast: &mut Machine<'_, A>,
) -> Result<(), String> {
    let [a, b] = [&*plain, &*fast].map(Machine::registers);
    if a != b {
        return Err(format!("{when}: plain {a:x?}\nblock interpreter {b:x?}"));
    }
    if plain.witness() != fast.witness() {
        return Err(format!("{when}: plain and block interpreter differ in memory"));
    }
    Ok(())
}
