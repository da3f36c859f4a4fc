//! What a node can do wrong, and how it is reported.

use super::NodeUrl;
use alloy_primitives::B256;
use std::{fmt, time::Duration};

/// What is wrong with one answer, or why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, or it broke.
    #[error("unreachable: {0}")]
    Unreachable(#[source] Box<ureq::Error>),
    /// No complete answer in time.
    #[error("no answer within {} seconds", limit.as_secs_f32())]
    TimedOut {
        /// The time there was.
        limit: Duration,
    },
    /// An HTTP status that is no success.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The node or its provider wants fewer requests.
    #[error("rate limited")]
    RateLimited {
        /// The pause the node asks for.
        pause: Option<Duration>,
    },
    /// The answer is longer than any honest one.
    #[error("the answer exceeds {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The answer is no JSON.
    #[error("the answer is not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// The answer is JSON of the wrong shape.
    #[error("the answer has the wrong shape: {0}")]
    Shape(#[source] serde_json::Error),
    /// The answer belongs to another request.
    #[error("the answer belongs to another request")]
    Stray,
    /// The node answers with an error.
    #[error("error {code}: {message}")]
    Rpc {
        /// The number.
        code: i64,
        /// The text, shortened.
        message: String,
    },
    /// The node does not have the method.
    #[error("the method is not offered")]
    Unsupported,
    /// The node has no such data.
    #[error("the node does not have it")]
    Absent,
    /// The node follows another L1 chain at this height.
    #[error("the node's block {number} is {canonical}: the block was reorganised away there")]
    Reorged {
        /// The height.
        number: u64,
        /// What the node has there.
        canonical: B256,
    },
    /// The node serves another chain.
    #[error("the node serves chain {found}, not {expected}")]
    Chain {
        /// What the host is for.
        expected: u64,
        /// What the node is for.
        found: u64,
    },
    /// Data that does not hash to what it was asked by.
    #[error("wrong {what}: its hash is {found}")]
    Hash {
        /// What was asked for.
        what: &'static str,
        /// The hash of the answer.
        found: B256,
    },
    /// A list that does not hash to the root in its header.
    #[error("wrong {what}: their root is {found}, the header says {expected}")]
    Root {
        /// What was asked for.
        what: &'static str,
        /// The root in the header.
        expected: B256,
        /// The root of the answer.
        found: B256,
    },
    /// Bytes that are no encoding of what was asked for.
    #[error("{what} that cannot be decoded")]
    Encoding {
        /// What was asked for.
        what: &'static str,
    },
    /// A proof that does not lead from the state root to its value.
    #[error("a wrong proof of {what}")]
    Proof {
        /// What it should prove.
        what: &'static str,
    },
    /// Blobs, but not the one with this hash. The blobs' own hashes were recomputed.
    #[error("{count} blobs in slot {slot}, none of which has this hash")]
    Blob {
        /// The slot.
        slot: u64,
        /// How many came.
        count: usize,
    },
    /// An output whose parts do not hash to the root.
    #[error("the output at block {block} is {found}")]
    Output {
        /// The block.
        block: B256,
        /// Its output root.
        found: B256,
    },
    /// A time before the chain began, or a clock that stands still.
    #[error("time {timestamp} has no slot: genesis is at {genesis}, a slot takes {slot_seconds} s")]
    Slot {
        /// The time asked for.
        timestamp: u64,
        /// The chain's begin.
        genesis: u64,
        /// The length of a slot.
        slot_seconds: u64,
    },
}

impl Fault {
    /// Whether the same node may do better a little later.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::TimedOut { .. }
            | Self::RateLimited { .. }
            // A node behind a balancer may lag behind its neighbour.
            | Self::Absent => true,
            Self::Status(status) => *status >= 500 || *status == 408,
            _ => false,
        }
    }

    /// Whether another method of the same node would meet the same obstacle.
    pub(crate) const fn is_of_the_connection(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::TimedOut { .. }
                | Self::RateLimited { .. }
                | Self::Chain { .. }
        )
    }

    /// What to do about it.
    const fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::TimedOut { .. } | Self::Status(_) => {
                "check the URL and that the node is up, or add another URL behind a comma"
            }
            Self::RateLimited { .. } => "wait, or use a node with a higher limit",
            Self::Unsupported | Self::Rpc { .. } => {
                "use a node that offers the method, with its debug namespace enabled"
            }
            Self::Absent => {
                "the node has pruned it or never had it: use an archive node, or one in sync"
            }
            Self::Reorged { .. } => "use a node on the chain that the L1 head belongs to",
            Self::Chain { .. } => "use a node of this chain",
            Self::Slot { .. } => "check that the beacon node belongs to the same L1",
            Self::Output { .. } => "check the agreed head and the agreed output root",
            Self::TooLarge { .. }
            | Self::NotJson(_)
            | Self::Shape(_)
            | Self::Stray
            | Self::Hash { .. }
            | Self::Root { .. }
            | Self::Encoding { .. }
            | Self::Proof { .. }
            | Self::Blob { .. } => "do not trust this node, use another one",
        }
    }
}

/// A fault and the method that met it.
#[derive(Debug)]
pub struct Failure {
    /// The JSON-RPC method or the beacon API's path.
    pub method: &'static str,
    /// What is wrong.
    pub fault: Fault,
}

/// All that one node did wrong about one request; at least one failure.
#[derive(Debug)]
pub struct Failures(pub Vec<Failure>);

impl From<Failure> for Failures {
    fn from(failure: Failure) -> Self {
        Self(vec![failure])
    }
}

/// A failure and the node it comes from.
#[derive(Debug)]
pub struct Attempt {
    /// The node.
    pub url: NodeUrl,
    /// What happened.
    pub failure: Failure,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, failure: Failure { method, fault } } = self;
        write!(f, "{url} {method}: {fault}")
    }
}

/// No node gave what was asked for. Nothing was stored.
#[derive(Debug)]
pub struct SourceError {
    /// What was asked for, in words.
    pub wanted: String,
    /// The last failure of each method of each node; at least one.
    pub attempts: Vec<Attempt>,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot get {}", self.wanted)?;
        for (index, attempt) in self.attempts.iter().enumerate() {
            write!(f, "{} {attempt}", if index == 0 { ":" } else { ";" })?;
        }
        match self.attempts.last() {
            Some(last) => write!(f, " ({})", last.failure.fault.advice()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SourceError {}

/// The first of several ways to the same data at one node. A way whose method is not offered is
/// passed over; a broken connection ends the search.
pub(crate) fn first_of<T>(ways: &[&dyn Fn() -> Result<T, Failure>]) -> Result<T, Failures> {
    let mut failures = Vec::new();
    for way in ways {
        match way() {
            Ok(found) => return Ok(found),
            Err(failure) => {
                let stop = failure.fault.is_of_the_connection();
                failures.push(failure);
                if stop {
                    break;
                }
            }
        }
    }
    Err(Failures(failures))
}
