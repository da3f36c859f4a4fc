//! Derivation: what of L2 is safe because L1 holds it, and blocks that nobody sequenced.
//!
//! ```text
//!   next L1 block ─► program: derive and execute from the safe head up to this L1 block
//!                      │ same block as the sequencer's   ─► safe
//!                      └ another                         ─► replaces it and those after it
//! ```
//!
//! It is the fault proof program's own derivation, started at the safe head for each L1 block. So what is
//! remembered for an L1 block is what the program finds with that block as its L1 head.
//!
//! With one exception. From Holocene on, a span that holds an invalid block is dropped behind that block; but
//! whoever starts derivation right there reads the span again, and goes on with the rest of it. A node that
//! never stopped does not, and it is the one whose outputs are claimed. So after such a block derivation
//! starts before it, as long as its channel could be read again.
//!
//! Invariant: the safe heads are those of canonical L1 blocks, in order; when L1 takes blocks back, the
//! safe head goes back as well.

use super::{
    Block, Chain, ChainError, L1Reader, Sequencer,
    oracle::{Cache, Oracle},
    sequencer::SequenceError,
};
use crate::{
    disk::{Disk, DiskError},
    l1,
    state::StoreError,
};
use alloy_eips::Encodable2718;
use alloy_primitives::B256;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use rebut_derivation::{BlockId, CriticalError};
use rebut_host::block_attributes;
use rebut_program::{
    Boot,
    claim::{ChainError as ClaimChainError, Derived, SafeChain},
};
use std::sync::Arc;

/// Why L1 cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// L1 does not hold the block that L2 begins on.
    #[error("L1 block {number} is not the one that the L2 chain begins on")]
    Genesis {
        /// The block's number.
        number: u64,
    },
    /// Derivation gives no block.
    #[error("from L1 block {number} nothing can be derived: {source}")]
    Derivation {
        /// The L1 block.
        number: u64,
        /// Why.
        source: Box<ClaimChainError>,
    },
    /// What was derived cannot be added to the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What was derived is another block when it is built again.
    #[error("L2 block {number} was derived as {derived} and built as {built}")]
    Differs {
        /// Its number.
        number: u64,
        /// Its hash by derivation.
        derived: B256,
        /// Its hash when built.
        built: B256,
    },
    /// L1 cannot be read by the sequencer.
    #[error(transparent)]
    Sequencer(#[from] Box<SequenceError<StoreError>>),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> Self {
        Self::Chain(error.into())
    }
}

impl From<CriticalError> for FollowError {
    fn from(error: CriticalError) -> Self {
        Self::Chain(error.into())
    }
}

/// What following L1 has changed.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// Blocks that became safe.
    pub safe: Vec<Arc<Block>>,
    /// Of these, blocks that replaced others or that nobody had sequenced.
    pub derived: Vec<Arc<Block>>,
    /// Of these, blocks whose batch was invalid, so that they hold deposits only (Holocene).
    pub deposits_only: Vec<u64>,
    /// Sequenced blocks that are gone: because others were derived, or L1 took back their origin.
    pub removed: usize,
}

/// Which L2 block is safe, by L1 block.
#[derive(Debug)]
pub struct Follower {
    /// An L1 block, and the safe head once it has been read. Never empty: the first is genesis.
    heads: Vec<(BlockId, BlockId)>,
    /// The last invalid blocks, and where derivation starts because of them.
    detour: Option<Detour>,
    cache: Cache,
    disk: Option<Disk>,
}

/// An L1 block that was read, on disk: the safe head with it, and the detour, if it has an end.
#[derive(RlpEncodable, RlpDecodable)]
struct Progress {
    l1_hash: B256,
    safe_number: u64,
    safe_hash: B256,
    from_number: u64,
    from_hash: B256,
    since: u64,
    until: u64,
}

/// Derivation starts before the safe head for a while.
#[derive(Clone, Copy, Debug)]
struct Detour {
    /// The block to start from.
    from: BlockId,
    /// The L1 block that brought the first invalid block.
    since: u64,
    /// The last L1 block to which this applies.
    until: u64,
}

impl Follower {
    /// A follower that knows no more than genesis.
    pub fn new(chain: &Chain) -> Self {
        let genesis = chain.config().genesis;
        let heads = vec![(genesis.l1, genesis.l2)];
        Self { heads, detour: None, cache: Cache::default(), disk: None }
    }

    /// A follower that goes on where the one before has come to on this disk, as far as `chain` goes.
    ///
    /// # Errors
    /// [`DiskError`] when it cannot be read or is damaged.
    pub fn open(chain: &Chain, disk: Disk) -> Result<Self, DiskError> {
        let mut follower = Self::new(chain);
        for (number, value) in disk.progress()? {
            let read = alloy_rlp::decode_exact::<Progress>(&value);
            let damaged = |_| disk.damaged(format!("the safe head at L1 block {number}"));
            let progress = read.map_err(damaged)?;
            let safe = BlockId { hash: progress.safe_hash, number: progress.safe_number };
            let is_known =
                chain.ledger().block(safe.number).is_some_and(|block| block.hash() == safe.hash);
            if number != follower.head().0.number.saturating_add(1) || !is_known {
                break;
            }
            follower.heads.push((BlockId { hash: progress.l1_hash, number }, safe));
            follower.detour = (progress.until > 0).then_some(Detour {
                from: BlockId { hash: progress.from_hash, number: progress.from_number },
                since: progress.since,
                until: progress.until,
            });
        }
        follower.disk = Some(disk);
        Ok(follower)
    }

    /// Keeps what was read on disk, if there is one.
    fn keep(&self) -> Result<(), DiskError> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let (l1, safe) = self.head();
        let detour = self.detour.unwrap_or(Detour { from: BlockId::default(), since: 0, until: 0 });
        let progress = Progress {
            l1_hash: l1.hash,
            safe_number: safe.number,
            safe_hash: safe.hash,
            from_number: detour.from.number,
            from_hash: detour.from.hash,
            since: detour.since,
            until: detour.until,
        };
        disk.keep_progress(l1.number, &alloy_rlp::encode(progress))
    }

    /// The L1 block that was read last, and the safe head.
    pub fn head(&self) -> (BlockId, BlockId) {
        self.heads[self.heads.len() - 1]
    }

    /// The safe head once the L1 block with this number had been read, and the block with that number.
    /// `None` for L1 blocks before genesis and for those that have not been read.
    pub fn at(&self, l1_number: u64) -> Option<(BlockId, BlockId)> {
        let index = l1_number.checked_sub(self.heads[0].0.number)?;
        self.heads.get(usize::try_from(index).ok()?).copied()
    }

    /// Preimages for runs of the program over the same chains.
    pub const fn cache(&mut self) -> &mut Cache {
        &mut self.cache
    }

    /// Goes back where L1 has gone back, then reads every new L1 block.
    ///
    /// # Errors
    /// [`FollowError`]. What was read before is kept.
    pub fn advance(
        &mut self,
        sequencer: &mut Sequencer,
        l1: &l1::Record,
    ) -> Result<Advance, FollowError> {
        let mut advance = Advance::default();
        self.go_back(l1)?;
        let mut source = L1Reader(l1);
        advance.removed += sequencer.follow_l1(&mut source).map_err(Box::new)?;
        let latest = l1.latest().number();
        while self.head().0.number < latest {
            let number = self.head().0.number + 1;
            self.read(number, sequencer, l1, &mut advance)?;
        }
        let safe = self.head().1.number;
        let finalized = self.at(l1.ledger().finalized().number()).map_or(0, |(_, l2)| l2.number);
        sequencer.chain_mut().set_heads(safe, finalized);
        Ok(advance)
    }

    /// Forgets the L1 blocks that are not canonical any more.
    fn go_back(&mut self, l1: &l1::Record) -> Result<(), FollowError> {
        let is_canonical =
            |id: BlockId| l1.ledger().block(id.number).is_some_and(|block| block.hash() == id.hash);
        while self.heads.len() > 1 && !is_canonical(self.head().0) {
            self.heads.pop();
        }
        let latest = self.head().0.number;
        self.detour = self.detour.filter(|detour| detour.since <= latest);
        let (genesis, _) = self.heads[0];
        if is_canonical(genesis) {
            Ok(())
        } else {
            Err(FollowError::Genesis { number: genesis.number })
        }
    }

    /// Derives what L1 block `number` adds.
    fn read(
        &mut self,
        number: u64,
        sequencer: &mut Sequencer,
        l1: &l1::Record,
        advance: &mut Advance,
    ) -> Result<(), FollowError> {
        let (_, before) = self.head();
        self.detour = self.detour.filter(|detour| number <= detour.until);
        let start = self.detour.map_or(before, |detour| detour.from);
        let mut safe = before;
        let failed = |source| FollowError::Derivation { number, source: Box::new(source) };
        let l1_block = l1.ledger().block(number).ok_or(FollowError::Genesis { number })?;
        let derived = {
            let chain = sequencer.chain();
            let head = chain.ledger().block(start.number).ok_or(StoreError::Missing(start.hash))?;
            let agreed = chain.output(head)?;
            let boot = Boot {
                l1_head: l1_block.hash(),
                agreed_output: agreed.root(),
                claimed_output: B256::ZERO,
                claimed_number: u64::MAX,
                chain_id: chain.config().chain.chain_id,
            };
            let mut oracle = Oracle::new(boot, agreed, l1, chain, &mut self.cache);
            let mut all = Vec::new();
            let mut safe_chain =
                SafeChain::start(&mut oracle, chain.config(), &boot).map_err(failed)?;
            while let Some(blocks) = safe_chain.extend(|_| false).map_err(failed)? {
                all.extend(blocks);
            }
            all
        };
        for derived in derived {
            // On a detour known blocks come again.
            if derived.block.id.number <= before.number {
                continue;
            }
            let block = adopt(&derived, sequencer, advance)?;
            safe = BlockId { hash: block.hash(), number: block.number() };
            if derived.deposits_only {
                advance.deposits_only.push(block.number());
                let config = sequencer.chain().config();
                let until = number + config.channel_timeout(l1_block.header.timestamp);
                let detour = Detour { from: before, since: number, until };
                let detour = self.detour.map_or(detour, |known| Detour { until, ..known });
                self.detour = Some(detour);
            }
            advance.safe.push(block);
        }
        self.heads.push((BlockId { hash: l1_block.hash(), number }, safe));
        Ok(self.keep().map_err(ChainError::from)?)
    }
}

/// Makes a derived block part of the chain, unless it is already.
fn adopt(
    derived: &Derived,
    sequencer: &mut Sequencer,
    advance: &mut Advance,
) -> Result<Arc<Block>, FollowError> {
    let (number, hash) = (derived.block.id.number, derived.block.id.hash);
    if let Some(known) = sequencer.chain().ledger().block(number)
        && known.hash() == hash
    {
        return Ok(Arc::clone(known));
    }
    let removed = sequencer.chain_mut().truncate(number.saturating_sub(1));
    let executed = &derived.executed;
    let transactions = executed.transactions.iter().map(|tx| tx.encoded_2718().into()).collect();
    let config = sequencer.chain().config();
    let attributes = block_attributes(&config.chain, &executed.header, transactions);
    let block = sequencer.chain_mut().extend(&attributes)?;
    if block.hash() != hash {
        return Err(FollowError::Differs { number, derived: hash, built: block.hash() });
    }
    advance.removed += removed.len();
    advance.derived.push(Arc::clone(&block));
    sequencer.tidy(&block);
    sequencer.put_back(&removed);
    Ok(block)
}
