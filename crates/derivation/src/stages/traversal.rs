//! L1 traversal: block after block, and the system config as it stands in each.
//!
//! Specification: "L1 Traversal", "Resetting the Pipeline".

use crate::{
    CriticalError, L1Source, L2Block, L2BlockRef, L2Source, PipelineError, ResetError,
    RollupConfig, SystemConfig,
    receipts::{Event, EventFilter},
    system_config,
};
use alloc::{collections::VecDeque, vec::Vec};
use alloy_consensus::{Header, Sealed};

/// The L1 block that the pipeline has reached.
#[derive(Clone, Debug)]
pub(crate) struct Traversal {
    block: Sealed<Header>,
    system_config: SystemConfig,
    updates: EventFilter,
    /// The updates in the blocks that follow, one after the other, as far as they were read ahead.
    ahead: VecDeque<Vec<Event>>,
}

impl Traversal {
    /// Begins at `block`, after which `system_config` holds.
    fn new(config: &RollupConfig, block: Sealed<Header>, system_config: SystemConfig) -> Self {
        let updates = system_config::update_filter(config);
        Self { block, system_config, updates, ahead: VecDeque::new() }
    }

    /// Begins at `block`, which the L1 origin of the L2 block `safe` is or follows.
    ///
    /// The system config is the one of the time of `block`. Whoever was the batcher then wrote what
    /// stands there, not whoever is when `safe` is built.
    pub(crate) fn start<S, E>(
        config: &RollupConfig,
        block: Sealed<Header>,
        safe: &L2Block,
        source: &mut S,
    ) -> Result<Self, PipelineError<E>>
    where
        S: L1Source<Error = E> + L2Source<Error = E>,
    {
        let origin = L2BlockRef::from_block(config, safe)?.l1_origin.number;
        let mut traversal = Self::new(config, block, SystemConfig::from_block(config, safe)?);
        let mut changed = None;
        for number in traversal.block.number.saturating_add(1)..=origin {
            let Some(header) = source.header(number).map_err(PipelineError::Source)? else { break };
            let events = traversal.updates.events(&header, source)?;
            if !events.is_empty() {
                changed.get_or_insert(number);
            }
            traversal.ahead.push_back(events);
        }
        if let Some(changed) = changed {
            traversal.system_config = config_before(config, changed, safe, source)?;
        }
        Ok(traversal)
    }

    /// The L1 block.
    pub(crate) fn block(&self) -> &Sealed<Header> {
        &self.block
    }

    /// The system config after the L1 block's updates.
    pub(crate) fn system_config(&self) -> &SystemConfig {
        &self.system_config
    }

    /// Goes to the next L1 block. `false` where there is none: L1 ends here.
    pub(crate) fn advance<S: L1Source>(
        &mut self,
        config: &RollupConfig,
        l1: &mut S,
    ) -> Result<bool, PipelineError<S::Error>> {
        let Some(number) = self.block.number.checked_add(1) else { return Ok(false) };
        let Some(next) = l1.header(number).map_err(PipelineError::Source)? else {
            return Ok(false);
        };
        if next.parent_hash != self.block.hash() {
            return Err(ResetError::L1Parent {
                number,
                parent: next.parent_hash,
                expected: self.block.hash(),
            }
            .into());
        }
        let events = match self.ahead.pop_front() {
            Some(events) => events,
            None => self.updates.events(&next, l1)?,
        };
        system_config::apply(&mut self.system_config, &events, config, &next);
        self.block = next;
        Ok(true)
    }
}

/// The system config before the updates of L1 block `changed`, which is not above the L1 origin of the
/// L2 block `safe`: it stands in the last L2 block with an earlier origin.
fn config_before<S: L2Source>(
    config: &RollupConfig,
    changed: u64,
    safe: &L2Block,
    l2: &mut S,
) -> Result<SystemConfig, PipelineError<S::Error>> {
    let mut block = safe.clone();
    loop {
        let reference = L2BlockRef::from_block(config, &block)?;
        if reference.l1_origin.number < changed {
            return Ok(SystemConfig::from_block(config, &block)?);
        }
        // The last block of the epoch before.
        let number = reference.id.number;
        let before = number.checked_sub(reference.sequence_number.saturating_add(1));
        let before = before.map(|number| l2.block(number)).transpose();
        let before = before.map_err(PipelineError::Source)?.flatten();
        block = before.ok_or(CriticalError::EpochMissing { number })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::config_at,
        memory_l1::{MemoryL1, Missing, log, receipt},
    };
    use alloc::vec::Vec;
    use alloy_primitives::{B256, Log, b256};

    /// An update of the gas limit, as it stands on L1.
    fn gas_limit(limit: u64) -> Log {
        let topic = b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");
        let data = alloc::format!("{:064x}{:064x}{limit:064x}", 32, 32);
        let topics = [topic, B256::ZERO, B256::with_last_byte(2)];
        log(config_at(&[]).l1_system_config, &topics, hex::decode(data).unwrap())
    }

    #[test]
    fn each_block_brings_its_updates_until_l1_ends() {
        let (config, mut l1) = (config_at(&[]), MemoryL1::default());
        let first = l1.push(0, Vec::new(), Vec::new(), &[gas_limit(1)]);
        l1.push(12, Vec::new(), Vec::new(), &[]);
        for limit in [5, 9] {
            let logs = [gas_limit(limit)];
            l1.push(24, Vec::new(), [receipt(2, true, &logs)].into(), &logs);
        }
        let mut traversal = Traversal::new(&config, first, SystemConfig::default());
        // The updates of the block it begins with are part of the config that it begins with.
        let mut limits = Vec::from([traversal.system_config().gas_limit]);
        while traversal.advance(&config, &mut l1).unwrap() {
            limits.push(traversal.system_config().gas_limit);
        }
        assert_eq!(limits, [0, 0, 5, 9]);
        assert_eq!(traversal.block(), &l1.blocks[3].header);
        assert_eq!(l1.reads, (2, 0));
        assert_eq!(traversal.advance(&config, &mut l1), Ok(false));
    }

    #[test]
    fn a_block_that_does_not_continue_l1_is_a_reset() {
        let (config, mut l1) = (config_at(&[]), MemoryL1::default());
        let first = l1.push(0, Vec::new(), Vec::new(), &[]);
        let mut other = MemoryL1::default();
        other.push(1, Vec::new(), Vec::new(), &[]);
        let stranger = other.push(12, Vec::new(), Vec::new(), &[]);
        let mut traversal = Traversal::new(&config, first.clone(), SystemConfig::default());
        let error = ResetError::L1Parent {
            number: 1,
            parent: stranger.parent_hash,
            expected: first.hash(),
        };
        assert_eq!(traversal.advance(&config, &mut other), Err(error.into()));
        assert_eq!(traversal.block(), &first);
    }

    #[test]
    fn receipts_that_cannot_be_had_are_the_error_of_the_source() {
        let (config, mut l1) = (config_at(&[]), MemoryL1::default());
        let first = l1.push(0, Vec::new(), Vec::new(), &[]);
        l1.push(12, Vec::new(), Vec::new(), &[gas_limit(1)]);
        l1.is_pruned = true;
        let missing = Missing::Block(l1.blocks[1].header.hash());
        let mut traversal = Traversal::new(&config, first.clone(), SystemConfig::default());
        let error = traversal.advance(&config, &mut l1).unwrap_err();
        assert_eq!(error, PipelineError::Source(missing));
        assert_eq!(traversal.block(), &first);
    }
}
