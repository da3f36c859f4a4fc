//! A small L1 chain and the L2 chain on it, for the tests of batches.
//!
//! ```text
//!   L1   99 (1188 s)              100 (1200 s)     101 (1212 s)   102 ...
//!   L2   0 .. 3 (1200 .. 1206 s)  4, 5 (to 1210 s)
//! ```

use crate::{
    BlockId, L1BlockRef, L2Block, L2BlockRef, L2Source, RollupConfig,
    fixtures::config,
    l1_info::{Format, L1Info},
};
use alloc::{vec, vec::Vec};
use alloy_consensus::{Header, Sealable};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes, keccak256};
use core::convert::Infallible;
use op_alloy_consensus::TxDeposit;
use rebut_execution::{Fork, ForkTimes};

/// The time of the first L2 block.
const GENESIS: u64 = 1_200;
/// From here on, the tables' Holocene is active.
pub(crate) const HOLOCENE: u64 = 5_000;

/// L1 block `number`.
pub(crate) fn l1(number: u64) -> L1BlockRef {
    let hash = |number: u64| keccak256(number.to_be_bytes());
    let id = BlockId { hash: hash(number), number };
    L1BlockRef { id, parent_hash: hash(number - 1), timestamp: 12 * number }
}

/// A sequencer's transaction.
pub(crate) fn tx(name: u8) -> Bytes {
    vec![2, name].into()
}

/// The L2 blocks up to the safe head.
pub(crate) struct L2Chain {
    pub(crate) blocks: Vec<L2Block>,
}

impl L2Source for L2Chain {
    type Error = Infallible;

    fn block(&mut self, number: u64) -> Result<Option<L2Block>, Infallible> {
        Ok(self.blocks.get(usize::try_from(number).unwrap()).cloned())
    }
}

/// The chain's blocks, one transaction in each, and its configuration.
pub(crate) fn l2_chain() -> (L2Chain, RollupConfig) {
    let forks =
        ForkTimes::default().with(Fork::Canyon, Some(0)).with(Fork::Holocene, Some(HOLOCENE));
    let mut config = config(forks);
    let mut blocks = Vec::<L2Block>::new();
    for number in 0..=5 {
        let (origin, sequence_number) = if number < 4 { (99, number) } else { (100, number - 4) };
        let info = L1Info {
            number: origin,
            hash: l1(origin).id.hash,
            sequence_number,
            ..L1Info::default()
        };
        let deposit =
            TxDeposit { input: info.encode(Format::Bedrock).into(), ..TxDeposit::default() };
        let header = Header {
            number,
            timestamp: GENESIS + 2 * number,
            parent_hash: blocks.last().map_or(B256::ZERO, |parent| parent.header.hash()),
            ..Header::default()
        };
        let transactions = vec![deposit.encoded_2718().into(), tx(number as u8)];
        blocks.push(L2Block { header: header.seal_slow(), transactions });
    }
    config.genesis.l1 = l1(99).id;
    config.genesis.l2 = BlockId { hash: blocks[0].header.hash(), number: 0 };
    config.genesis.l2_time = GENESIS;
    config.delta_time = Some(0);
    (L2Chain { blocks }, config)
}

/// The last block of the chain.
pub(crate) fn safe_head() -> L2BlockRef {
    let (chain, config) = l2_chain();
    L2BlockRef::from_block(&config, &chain.blocks[5]).unwrap()
}
