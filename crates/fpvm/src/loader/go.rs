//! What is taken out of Go programs that run on a machine with one thread: functions that would wait for
//! another one, or that only cost time. Each returns at once.

use super::Symbols;
use crate::isa::{Op, Operands};
use crate::machine::state::State;
use crate::mips::Arch;
use crate::mips::state::RA;

/// Names of functions, as the deployed loader has them: they decide the state hash of every program.
const FUNCTIONS: [&str; 14] = [
    "runtime.gcenable",
    "runtime.init.5",
    "runtime.main.func1",
    "runtime.deductSweepCredit",
    "runtime.(*gcControllerState).commit",
    "github.com/prometheus/client_golang/prometheus.init",
    "github.com/prometheus/client_golang/prometheus.init.0",
    "github.com/prometheus/procfs.init",
    "github.com/prometheus/common/model.init",
    "github.com/prometheus/client_model/go.init",
    "github.com/prometheus/client_model/go.init.0",
    "github.com/prometheus/client_model/go.init.1",
    "flag.init",
    "runtime.check",
];

/// Writes a return and its delay slot to the start of each function that is there.
pub(super) fn patch<A: Arch>(state: &mut State<A>, symbols: &Symbols) {
    let jump = Op::jr.encode(Operands { rs: RA as u8, ..Operands::default() }).0;
    let code = [jump.to_be_bytes(), [0; 4]].concat();
    for symbol in symbols.all().iter().filter(|s| FUNCTIONS.contains(&s.name.as_str())) {
        state.memory.write_range(A::wrap(symbol.start), &code);
    }
}
