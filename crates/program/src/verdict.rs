//! The epilogue: a claim, what is right, and the exit code.
//!
//! Source: fault proof program specification, "Epilogue"; exit codes as the machines' status bytes.

use alloy_primitives::B256;

/// Exit code when the claim is right.
pub const EXIT_VALID: u8 = 0;
/// Exit code when it is wrong.
pub const EXIT_INVALID: u8 = 1;
/// Exit code when there is no verdict.
pub const EXIT_ERROR: u8 = 2;

/// The hash that was claimed and the one that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is claimed.
    pub claimed: B256,
    /// What was computed, `None` if nothing could be right.
    pub computed: Option<B256>,
}

impl Verdict {
    /// Whether the claim is right.
    pub fn is_valid(&self) -> bool {
        self.computed == Some(self.claimed)
    }

    /// What a process or guest ends with.
    pub fn exit_code(&self) -> u8 {
        if self.is_valid() { EXIT_VALID } else { EXIT_INVALID }
    }
}
