//! A rollup node: the outputs that it has, and what was safe at an L1 block.
//!
//! What a node says of an output hashes to the root that it says; which block that root belongs to is the
//! node's word. That is why several can be asked, see [`Agreeing`](super::Agreeing).
//!
//! Source: op-node's `optimism` namespace.

use super::{L1Head, OutputSource, TraceError};
use alloy_primitives::B256;
use rebut_host::source::{Failures, NodeUrl, Patience, Policy, Pool, RpcNode};
use rebut_program::Output;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A rollup node.
#[derive(Debug)]
pub struct RollupNode {
    pool: Pool<RpcNode>,
    name: String,
    chain_id: u64,
    is_checked: bool,
    /// The highest L1 block that the node is known to have gone past.
    past: u64,
}

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncStatus {
    /// The L1 block that it derives from.
    pub current_l1: u64,
    /// The last L2 block that was derived.
    pub safe_l2: u64,
    /// The last L2 block that was derived from final L1 data.
    pub finalized_l2: u64,
}

#[derive(Deserialize)]
struct BlockId {
    hash: B256,
    number: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputAnswer {
    version: B256,
    output_root: B256,
    block_ref: BlockId,
    withdrawal_storage_root: B256,
    state_root: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SafeHeadAnswer {
    l1_block: BlockId,
    safe_head: BlockId,
}

#[derive(Deserialize)]
struct SyncAnswer {
    current_l1: BlockId,
    safe_l2: BlockId,
    finalized_l2: BlockId,
}

#[derive(Deserialize)]
struct ConfigAnswer {
    l2_chain_id: u64,
}

impl RollupNode {
    /// A node of the chain `chain_id`. Does not connect.
    pub fn new(url: NodeUrl, chain_id: u64, policy: &Policy) -> Self {
        let name = url.to_string();
        let node = RpcNode::new(url, None, &[], policy);
        let pool = Pool::new(vec![node], policy.clone());
        Self { pool, name, chain_id, is_checked: false, past: 0 }
    }

    fn call<T: DeserializeOwned>(
        &mut self,
        wanted: &str,
        method: &'static str,
        params: &Value,
    ) -> Result<T, TraceError> {
        if !self.is_checked {
            let config: ConfigAnswer =
                self.request("the rollup configuration", "optimism_rollupConfig", &json!([]))?;
            if config.l2_chain_id != self.chain_id {
                let (found, expected) = (config.l2_chain_id, self.chain_id);
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

    /// How far the node is.
    ///
    /// # Errors
    /// [`TraceError`] where it does not answer or is of another chain.
    pub fn sync_status(&mut self) -> Result<SyncStatus, TraceError> {
        let answer: SyncAnswer = self.call("the sync status", "optimism_syncStatus", &json!([]))?;
        Ok(SyncStatus {
            current_l1: answer.current_l1.number,
            safe_l2: answer.safe_l2.number,
            finalized_l2: answer.finalized_l2.number,
        })
    }

    /// Whether the node has gone past an L1 block, so that what it says of it stays.
    fn check_past(&mut self, head: u64) -> Result<(), TraceError> {
        if self.past <= head {
            let at = self.sync_status()?.current_l1;
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
        let wanted = format!("the output at L2 block {number}");
        let params = json!([format!("0x{number:x}")]);
        let answer: OutputAnswer = self.call(&wanted, "optimism_outputAtBlock", &params)?;
        if answer.block_ref.number != number {
            let found = answer.block_ref.number;
            return Err(self.wrong(format!("asked for {wanted}, it answers for block {found}")));
        }
        let output = Output {
            state_root: answer.state_root,
            message_passer_storage_root: answer.withdrawal_storage_root,
            block_hash: answer.block_ref.hash,
        };
        if !answer.version.is_zero() || output.root() != answer.output_root {
            let root = answer.output_root;
            return Err(self.wrong(format!("{wanted} does not hash to its root {root}")));
        }
        Ok(output)
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        self.check_past(head.number)?;
        let wanted = format!("the safe head at L1 block {}", head.number);
        let params = json!([format!("0x{:x}", head.number)]);
        let answer: SafeHeadAnswer = self.call(&wanted, "optimism_safeHeadAtL1Block", &params)?;
        // The entry may be older than the block asked for, when nothing became safe since.
        let BlockId { hash, number } = answer.l1_block;
        if number > head.number {
            return Err(self.wrong(format!("asked for {wanted}, it answers for block {number}")));
        }
        if number == head.number && hash != head.hash {
            let expected = head.hash;
            return Err(self.wrong(format!("its L1 block {number} is {hash}, not {expected}")));
        }
        Ok(answer.safe_head.number.min(limit))
    }
}
