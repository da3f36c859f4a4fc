//! Who answers the guest: a server process, or nobody.

use super::error::CannonError;
use rebut_preimage::{
    FinishTimes, OracleError, PreimageKey, PreimageOracle, ProcessOptions, ProcessOracle,
};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The oracle of a run.
#[derive(Debug)]
pub enum Server {
    /// A child process.
    Process(Box<ProcessOracle>),
    /// Nobody: hints go nowhere, and no key has a value.
    Nobody,
}

impl Server {
    /// Starts `command`, if there is one.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &[OsString], interrupt: Arc<AtomicBool>) -> Result<Self, CannonError> {
        if command.is_empty() {
            return Ok(Self::Nobody);
        }
        // A server learns from its closed pipes that it is done; waiting first would gain nothing.
        let finish = FinishTimes { before_close: Duration::ZERO, ..FinishTimes::default() };
        let options =
            ProcessOptions { interrupt: Some(interrupt), finish, ..ProcessOptions::default() };
        Ok(Self::Process(Box::new(ProcessOracle::start(command, options)?)))
    }

    /// Ends the server. One that fails now has already answered, so that is only logged.
    pub fn finish(self) {
        if let Self::Process(oracle) = self
            && let Err(error) = oracle.finish()
        {
            tracing::warn!(module = "host", %error, "the preimage server was not ended");
        }
    }
}

impl PreimageOracle for Server {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        match self {
            Self::Process(oracle) => oracle.get(key),
            Self::Nobody => Err(OracleError::Missing { key }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        match self {
            Self::Process(oracle) => oracle.hint(hint),
            Self::Nobody => Ok(()),
        }
    }
}
