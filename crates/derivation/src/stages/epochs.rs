//! The L1 blocks that the next L2 blocks may have as their origins.
//!
//! Invariant: consecutive L1 blocks, from the epoch that the next L2 block may still belong to up to
//! the L1 block that the pipeline reads.
//!
//! Specification: "Derivation", batch queue; its rule for empty batches.

use crate::{BlockId, L1BlockRef, L2BlockRef, ResetError, RollupConfig, SingularBatch};
use alloc::{collections::VecDeque, vec::Vec};

/// A window of consecutive L1 blocks.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    /// The L1 block that the pipeline reads.
    origin: L1BlockRef,
    blocks: VecDeque<L1BlockRef>,
}

impl Epochs {
    /// The window of a pipeline that starts to read at `origin`.
    pub(crate) fn new(origin: L1BlockRef) -> Self {
        Self { origin, blocks: VecDeque::from([origin]) }
    }

    /// The pipeline reads the next L1 block now.
    pub(crate) fn advance(&mut self, origin: L1BlockRef) {
        self.origin = origin;
        self.blocks.push_back(origin);
    }

    /// Forgets the epochs before that of the safe head.
    pub(crate) fn prune(&mut self, safe: &L2BlockRef) {
        while self.first().is_some_and(|first| first.id.number < safe.l1_origin.number) {
            self.blocks.pop_front();
        }
    }

    /// The L1 block that the pipeline reads.
    pub(crate) fn origin(&self) -> &L1BlockRef {
        &self.origin
    }

    /// The epoch that the next L2 block belongs to, unless it starts the one after.
    pub(crate) fn first(&self) -> Option<&L1BlockRef> {
        self.blocks.front()
    }

    /// The epoch after the first, if it is known.
    pub(crate) fn second(&self) -> Option<&L1BlockRef> {
        self.blocks.get(1)
    }

    /// The L1 block with this number, if it is in the window.
    pub(crate) fn get(&self, number: u64) -> Option<&L1BlockRef> {
        let offset = number.checked_sub(self.first()?.id.number)?;
        self.blocks.get(usize::try_from(offset).ok()?)
    }

    /// The first epoch, which has to be that of the safe head, or the one after it where empty
    /// batches have used up the safe head's.
    ///
    /// # Errors
    /// When the safe head has another origin than this L1 chain knows.
    pub(crate) fn current(&self, safe: &L2BlockRef) -> Result<Option<&L1BlockRef>, ResetError> {
        let Some(epoch) = self.first() else { return Ok(None) };
        let follows = epoch.id.number.checked_sub(1) == Some(safe.l1_origin.number);
        if epoch.id == safe.l1_origin || follows {
            return Ok(Some(epoch));
        }
        Err(ResetError::Origin { origin: epoch.id, parent_origin: safe.l1_origin })
    }

    /// A block without transactions, where the time to say anything else has passed.
    ///
    /// `out_of_data`: nothing is left to be read from the pipeline's L1 block. Moves on to the next
    /// epoch, and gives nothing then, when the first cannot have another block.
    pub(crate) fn empty_batch(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        out_of_data: bool,
    ) -> Option<SingularBatch> {
        let (epoch, next) = (*self.first()?, *self.second()?);
        let last_chance = epoch.id.number.saturating_add(config.seq_window_size);
        let passed = self.origin.id.number;
        if last_chance > passed || last_chance == passed && !out_of_data {
            return None;
        }
        let timestamp = safe.timestamp.saturating_add(config.block_time);
        // Every epoch has a block at least, whatever the time is.
        let first_of_epoch = epoch.id.number != safe.l1_origin.number;
        if timestamp < next.timestamp || first_of_epoch {
            let BlockId { number, hash } = epoch.id;
            return Some(SingularBatch {
                parent_hash: safe.id.hash,
                epoch_number: number,
                epoch_hash: hash,
                timestamp,
                transactions: Vec::new(),
            });
        }
        self.blocks.pop_front();
        None
    }
}
