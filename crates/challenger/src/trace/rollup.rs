//! A rollup node: the outputs that it has, how far it is, and what was safe at an L1 block.
//!
//! What a node says of an output hashes to the root that it says; which block that root belongs to is the
//! node's word. That is why several can be asked, see [`Agreeing`].
//!
//! Source: op-node's `optimism` namespace.

use super::{Agreeing, L1Head, OutputSource, TraceError};
use alloy_primitives::B256;
use rebut_host::source::{Failures, NodeUrl, Patience, Policy, Pool, RpcNode};
use rebut_program::Output;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// L1 blocks that a node may be behind L1 and still counts as keeping up: two epochs, after which a block is final.
pub const LAG_LIMIT_BLOCKS: u64 = 64;

/// A rollup node.
#[derive(Debug)]
pub struct RollupNode {
    pool: Pool<RpcNode>,
    name: String,
    expected_chain: Option<u64>,
    is_checked: bool,
    /// The highest L1 block that the node is known to have gone past.
    past: u64,
    /// Blocks of the sequencing window, once they were asked for; 0 where the node does not say.
    window: Option<u64>,
}

/// A block that a node names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockId {
    /// Its hash.
    pub hash: B256,
    /// Its number.
    pub number: u64,
}

/// An L2 block that a node names, and what it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2Block {
    /// Its hash.
    pub hash: B256,
    /// Its number.
    pub number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// The L1 block whose deposits it has.
    #[serde(rename = "l1origin")]
    pub l1_origin: BlockId,
    /// Blocks before it with the same origin.
    pub sequence_number: u64,
}

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SyncStatus {
    /// The L1 block that it derives from.
    pub current_l1: BlockId,
    /// The last L2 block that was derived.
    pub safe_l2: BlockId,
    /// The last L2 block that was derived from final L1 data.
    pub finalized_l2: BlockId,
}

impl SyncStatus {
    /// Whether the node keeps up with L1, whose newest block is `head`.
    pub const fn keeps_up(&self, head: u64) -> bool {
        self.current_l1.number.saturating_add(LAG_LIMIT_BLOCKS) >= head
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputAnswer<Block> {
    version: B256,
    output_root: B256,
    block_ref: Block,
    withdrawal_storage_root: B256,
    state_root: B256,
}

impl From<&L2Block> for BlockId {
    fn from(block: &L2Block) -> Self {
        Self { hash: block.hash, number: block.number }
    }
}

impl From<&Self> for BlockId {
    fn from(block: &Self) -> Self {
        *block
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SafeHeadAnswer {
    l1_block: BlockId,
    safe_head: BlockId,
}

#[derive(Deserialize)]
struct ConfigAnswer {
    l2_chain_id: u64,
    seq_window_size: Option<u64>,
}

impl RollupNode {
    /// A node of the chain `chain_id`, or of whatever chain where it is not known. Does not connect.
    pub fn new(url: NodeUrl, chain_id: Option<u64>, policy: &Policy) -> Self {
        let name = url.to_string();
        let node = RpcNode::new(url, None, &[], policy);
        let pool = Pool::new(vec![node], policy.clone());
        Self { pool, name, expected_chain: chain_id, is_checked: false, past: 0, window: None }
    }

    fn call<T: DeserializeOwned>(
        &mut self,
        wanted: &str,
        method: &'static str,
        params: &Value,
    ) -> Result<T, TraceError> {
        if let Some(expected) = self.expected_chain.filter(|_| !self.is_checked) {
            let found = self.chain_id()?;
            if found != expected {
                return Err(self.wrong(format!("it is a node of chain {found}, not {expected}")));
            }
            self.is_checked = true;
        }
        self.request(wanted, method, params)
    }

    fn request<T: DeserializeOwned>(
        &self,
        wanted: &str,
        method: &'static str,
        params: &Value,
    ) -> Result<T, TraceError> {
        let ask = |node: &RpcNode| node.request(method, params).map_err(Failures::from);
        Ok(self.pool.fetch(wanted, Patience::Rounds, ask)?)
    }

    fn wrong(&self, what: String) -> TraceError {
        TraceError::Answer { source_name: self.name.clone(), what }
    }

    /// The chain that the node is of.
    ///
    /// # Errors
    /// [`TraceError`] where it does not answer.
    pub fn chain_id(&self) -> Result<u64, TraceError> {
        let config: ConfigAnswer =
            self.request("the rollup configuration", "optimism_rollupConfig", &json!([]))?;
        Ok(config.l2_chain_id)
    }

    /// How far the node is.
    ///
    /// # Errors
    /// [`TraceError`] where it does not answer or is of another chain.
    pub fn sync_status(&mut self) -> Result<SyncStatus, TraceError> {
        self.call("the sync status", "optimism_syncStatus", &json!([]))
    }

    /// The output at an L2 block, and what the node says of the block.
    ///
    /// # Errors
    /// As [`OutputSource::output`].
    pub fn output_and_block(&mut self, number: u64) -> Result<(Output, L2Block), TraceError> {
        self.output_of(number)
    }

    /// The last L2 block that was safe at an L1 block, and the L1 block with which it became so: an older one than
    /// that asked for, where nothing became safe since.
    ///
    /// # Errors
    /// [`TraceError`] where the node does not answer, does not know, or answers for a later block.
    pub fn safe_head_at(&mut self, l1_block: u64) -> Result<(BlockId, BlockId), TraceError> {
        let wanted = format!("the safe head at L1 block {l1_block}");
        let params = json!([format!("0x{l1_block:x}")]);
        let answer: SafeHeadAnswer = self.call(&wanted, "optimism_safeHeadAtL1Block", &params)?;
        let number = answer.l1_block.number;
        if number > l1_block {
            return Err(self.wrong(format!("asked for {wanted}, it answers for block {number}")));
        }
        Ok((answer.l1_block, answer.safe_head))
    }

    fn output_of<Block>(&mut self, number: u64) -> Result<(Output, Block), TraceError>
    where
        Block: DeserializeOwned,
        for<'b> BlockId: From<&'b Block>,
    {
        let wanted = format!("the output at L2 block {number}");
        let params = json!([format!("0x{number:x}")]);
        let answer: OutputAnswer<Block> = self.call(&wanted, "optimism_outputAtBlock", &params)?;
        let block = BlockId::from(&answer.block_ref);
        if block.number != number {
            let found = block.number;
            return Err(self.wrong(format!("asked for {wanted}, it answers for block {found}")));
        }
        let output = Output {
            state_root: answer.state_root,
            message_passer_storage_root: answer.withdrawal_storage_root,
            block_hash: block.hash,
        };
        if !answer.version.is_zero() || output.root() != answer.output_root {
            let root = answer.output_root;
            return Err(self.wrong(format!("{wanted} does not hash to its root {root}")));
        }
        Ok((output, answer.block_ref))
    }

    /// Whether an entry about the safe head can be the last one up to an L1 block. After a sequencing window without
    /// batches there are empty blocks, and with them an entry: where the last one is older, those between are missing, as
    /// in a database that was restored, and what it says was true long ago.
    fn check_age(&mut self, entry: u64, head: u64) -> Result<(), TraceError> {
        let window = match self.window {
            Some(window) => window,
            None => {
                let config: ConfigAnswer =
                    self.request("the rollup configuration", "optimism_rollupConfig", &json!([]))?;
                *self.window.insert(config.seq_window_size.unwrap_or(0))
            }
        };
        if window > 0 && head.saturating_sub(entry) > window.saturating_add(1) {
            return Err(self.wrong(format!(
                "its last safe head up to L1 block {head} is of block {entry}: more than a sequencing window of \
                 {window} blocks is missing"
            )));
        }
        Ok(())
    }

    /// Whether the node has gone past an L1 block, so that what it says of it stays.
    fn check_past(&mut self, head: u64) -> Result<(), TraceError> {
        if self.past <= head {
            let at = self.sync_status()?.current_l1.number;
            if at <= head {
                return Err(TraceError::NotSynced { source_name: self.name.clone(), at, head });
            }
            self.past = at;
        }
        Ok(())
    }
}

impl OutputSource for RollupNode {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        self.output_of::<BlockId>(number).map(|(output, _)| output)
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        self.check_past(head.number)?;
        let (BlockId { hash, number }, safe_head) = self.safe_head_at(head.number)?;
        if number == head.number && hash != head.hash {
            let expected = head.hash;
            return Err(self.wrong(format!("its L1 block {number} is {hash}, not {expected}")));
        }
        self.check_age(number, head.number)?;
        Ok(safe_head.number.min(limit))
    }
}

impl Agreeing<RollupNode> {
    /// The output at an L2 block, and what all nodes say of the block.
    ///
    /// # Errors
    /// [`TraceError`] where one of them does not answer, or they disagree.
    pub fn output_and_block(&mut self, number: u64) -> Result<(Output, L2Block), TraceError> {
        self.ask(
            || format!("the output at L2 block {number}"),
            |(output, block): &(Output, L2Block)| {
                let root = output.root();
                let L2Block { hash, l1_origin, .. } = block;
                format!("{root}, of block {hash} with the L1 origin {}", l1_origin.hash)
            },
            |node| node.output_and_block(number),
        )
    }
}
