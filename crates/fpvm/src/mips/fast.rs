//! The block interpreter.

use super::error::StepError;
use super::machine::{Machine, Stop, Until};

/// Decoded code.
#[derive(Debug, Default)]
pub(crate) struct Blocks;

impl Machine<'_> {
    /// Runs until the given point, the exit, or an error.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self, until: Until) -> Result<Stop, StepError> {
        self.run_plain(until)
    }
}
