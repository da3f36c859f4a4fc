//! Output roots: what is true above the split depth.
//!
//! ```text
//!   claimed block(position) = min( starting block + trace index + 1, the game's block )
//!   honest block(position)  = min( claimed block, safe head at the game's L1 head )
//!   value(position)         = output root of the honest block
//! ```
//!
//! So a claim about a block that cannot be derived up to the game's L1 head is about the last one that can.

use super::TraceError;
use alloy_primitives::{B256, keccak256};
use rebut_dispute::{Game, Position};
use rebut_host::source::{NodeUrl, Patience, Policy, Pool, RpcNode};
use rebut_program::Output;
use std::collections::BTreeMap;
use std::fmt::Display;

/// The L1 block up to which the data of a game counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Head {
    /// Its hash.
    pub hash: B256,
    /// Its number.
    pub number: u64,
}

/// Where outputs come from.
pub trait OutputSource: Send {
    /// What the source is called in messages.
    fn name(&self) -> String;

    /// The output at an L2 block.
    ///
    /// # Errors
    /// [`TraceError`] where the source does not have it, or is not sure.
    fn output(&mut self, number: u64) -> Result<Output, TraceError>;

    /// The last L2 block that can be derived from L1 up to `head`, at most `limit`.
    ///
    /// # Errors
    /// [`TraceError`] where the source does not know, or has not seen that much of L1.
    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError>;
}

impl<S: OutputSource + ?Sized> OutputSource for Box<S> {
    fn name(&self) -> String {
        self.as_ref().name()
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        self.as_mut().output(number)
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        self.as_mut().safe_head(head, limit)
    }
}

/// Several sources, of which each has to say the same.
pub struct Agreeing<S = Box<dyn OutputSource>>(Vec<S>);

impl<S: OutputSource> std::fmt::Debug for Agreeing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Agreeing").field(&self.name()).finish()
    }
}

impl<S: OutputSource> Agreeing<S> {
    /// These sources; without any there is never an answer.
    pub const fn new(sources: Vec<S>) -> Self {
        Self(sources)
    }

    /// The sources, for questions about each of them.
    pub fn each(&mut self) -> &mut [S] {
        &mut self.0
    }

    pub(super) fn ask<T: PartialEq>(
        &mut self,
        what: impl Fn() -> String,
        show: impl Fn(&T) -> String,
        ask: impl Fn(&mut S) -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let mut agreed: Option<(String, T)> = None;
        for source in &mut self.0 {
            let answer = ask(source)?;
            match &agreed {
                None => agreed = Some((source.name(), answer)),
                Some((one, said)) if *said != answer => {
                    return Err(TraceError::Disagreement {
                        what: what(),
                        one: one.clone(),
                        said: show(said).into(),
                        other: source.name(),
                        but: show(&answer).into(),
                    });
                }
                Some(_) => {}
            }
        }
        let none = || TraceError::Answer { source_name: self.name(), what: "no source".into() };
        agreed.map(|(_, answer)| answer).ok_or_else(none)
    }
}

fn show(value: &impl Display) -> String {
    value.to_string()
}

impl<S: OutputSource> OutputSource for Agreeing<S> {
    fn name(&self) -> String {
        self.0.iter().map(|source| source.name()).collect::<Vec<_>>().join(", ")
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        self.ask(
            || format!("the output at L2 block {number}"),
            |output: &Output| show(&output.root()),
            |source| source.output(number),
        )
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        let L1Head { number, .. } = head;
        self.ask(
            || format!("the safe head at L1 block {number}"),
            show,
            |source| source.safe_head(head, limit),
        )
    }
}

/// The outputs of one game.
pub struct Outputs {
    source: Box<dyn OutputSource>,
    l1_head: L1Head,
    /// What was answered once stays true.
    known: BTreeMap<u64, Output>,
    /// The safe head at the L1 head, at most the block with it.
    safe_head: Option<(u64, u64)>,
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outputs")
            .field("source", &self.source.name())
            .field("l1_head", &self.l1_head)
            .finish_non_exhaustive()
    }
}

impl Outputs {
    /// Outputs as `source` has them, in a game with this L1 head.
    pub fn new(source: Box<dyn OutputSource>, l1_head: L1Head) -> Self {
        Self { source, l1_head, known: BTreeMap::new(), safe_head: None }
    }

    /// The game's L1 head.
    pub const fn l1_head(&self) -> L1Head {
        self.l1_head
    }

    /// The output at an L2 block.
    ///
    /// # Errors
    /// [`TraceError`] where the source does not have it.
    pub fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        if let Some(output) = self.known.get(&number) {
            return Ok(*output);
        }
        let output = self.source.output(number)?;
        self.known.insert(number, output);
        Ok(output)
    }

    /// The block whose output is true at a position not below the split depth.
    ///
    /// # Errors
    /// [`TraceError`] where the safe head is not known.
    pub fn honest_block(&mut self, game: &Game, position: Position) -> Result<u64, TraceError> {
        let claimed = game.l2_block_at(position)?;
        let limit = game.l2_sequence_number();
        let safe = match self.safe_head {
            Some((known, safe)) if known == limit => safe,
            _ => {
                let safe = self.source.safe_head(self.l1_head, limit)?;
                self.safe_head = Some((limit, safe));
                safe
            }
        };
        let starting = game.starting().l2_sequence_number;
        if safe < starting {
            return Err(TraceError::SafeHead { safe, starting });
        }
        Ok(claimed.min(safe))
    }
}

/// Where L2 headers come from.
pub trait HeaderSource: Send {
    /// The header of the L2 block with this hash, RLP encoded.
    ///
    /// # Errors
    /// [`TraceError`] where it cannot be had.
    fn header(&mut self, hash: B256) -> Result<Vec<u8>, TraceError>;
}

/// Headers from execution nodes of L2.
#[derive(Debug)]
pub struct HeaderNodes(Pool<RpcNode>);

impl HeaderNodes {
    /// Headers of the chain `chain_id` from these nodes, the preferred one first.
    pub fn new(nodes: Vec<NodeUrl>, chain_id: u64, policy: &Policy) -> Self {
        let node = |url| RpcNode::new(url, Some(chain_id), &["debug_getRawHeader"], policy);
        Self(Pool::new(nodes.into_iter().map(node).collect(), policy.clone()))
    }
}

impl HeaderSource for HeaderNodes {
    fn header(&mut self, hash: B256) -> Result<Vec<u8>, TraceError> {
        let wanted = format!("the header of L2 block {hash}");
        let header =
            self.0.fetch(wanted, Patience::Rounds, |node| rebut_host::header_rlp(node, hash))?;
        Ok(header.into())
    }
}

/// Headers that are at hand.
impl HeaderSource for Vec<Vec<u8>> {
    fn header(&mut self, hash: B256) -> Result<Vec<u8>, TraceError> {
        let found = self.iter().find(|header| keccak256(header) == hash).cloned();
        let what = format!("there is no header with the hash {hash}");
        found.ok_or_else(|| TraceError::Answer { source_name: "the headers at hand".into(), what })
    }
}
