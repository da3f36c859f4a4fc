//! What a rollup node says about L2, as far as a proposer asks.

use crate::chain::{Node, NodeError, NodeFault};
use alloy_primitives::{B256, U64};
use serde::Deserialize;
use serde_json::json;

/// A block that a rollup node refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockRef {
    /// Its hash.
    pub hash: B256,
    /// Its number.
    pub number: u64,
}

/// How far a rollup node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SyncStatus {
    /// The L1 block that it has derived up to.
    pub current_l1: BlockRef,
    /// The newest L1 block that it knows.
    pub head_l1: BlockRef,
    /// The newest L2 block that L1 data implies.
    pub safe_l2: BlockRef,
    /// The newest L2 block that final L1 data implies.
    pub finalized_l2: BlockRef,
}

/// An output root, with what it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Zero for the only kind there is.
    pub version: B256,
    /// The root.
    pub output_root: B256,
    /// The block.
    pub block_ref: BlockRef,
}

/// How far the node is.
///
/// # Errors
/// [`NodeError`].
pub async fn sync_status(node: &Node) -> Result<SyncStatus, NodeError> {
    node.ask("optimism_syncStatus", json!([])).await
}

/// The output root after a block.
///
/// # Errors
/// [`NodeError`]; [`NodeFault::Shape`] where the answer is of another block or of another version.
pub async fn output_at(node: &Node, block: u64) -> Result<Output, NodeError> {
    let method = "optimism_outputAtBlock";
    let output: Output = node.ask(method, json!([U64::from(block)])).await?;
    let shape = |what: String| Err(NodeError { method, fault: NodeFault::Shape(what) });
    if output.block_ref.number != block {
        return shape(format!("an output of block {}, not {block}", output.block_ref.number));
    }
    if !output.version.is_zero() {
        return shape(format!("an output of version {}", output.version));
    }
    Ok(output)
}
