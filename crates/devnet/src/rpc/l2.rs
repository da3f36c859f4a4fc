//! L2 as its nodes serve it: an execution node and a rollup node behind one address.
//!
//! ```text
//!   debug_executionWitness [block]             what executing the block touches
//!   debug_executePayload [parent, attributes]  the same for a block that need not exist
//!   debug_dbGet [key]                          a trie node or code by hash, code also behind a "c"
//!   optimism_outputAtBlock [number]            optimism_syncStatus     optimism_rollupConfig
//!   optimism_safeHeadAtL1Block [number]        optimism_version
//! ```
//!
//! Source: the RPC of `op-geth`, `op-reth` and `op-node`.

use super::{
    ChainView, Fees, JsonForms, Methods, Params, Place, RpcError, RpcResult, debug, eth, forms,
    receipt_fields, to_result,
};
use crate::{
    call::{Call, CallError, CallOutcome},
    l1::L1Block,
    l2::{Block, Chain, L2, Node, Receipt, Transaction},
    ledger::Ledger,
    rollup::Rollup,
    state::{StateStore, StoreError},
};
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::{
    BlockId as BlockName, BlockNumberOrTag,
    eip2718::{Decodable2718, Encodable2718},
};
use alloy_primitives::{Address, B64, B256, Bytes, U64};
use alloy_rpc_types_eth::Log;
use op_alloy_rpc_types::{L1BlockInfo, OpTransactionReceipt};
use rebut_derivation::{BlockId, L2BlockRef};
use rebut_execution::PayloadAttributes;
use rebut_program::config::json;
use serde::Deserialize;
use serde_json::{Value, json as object};

impl JsonForms for L2 {
    fn transaction_json(
        transaction: &Transaction,
        sender: Address,
        place: Option<Place<'_, Self>>,
    ) -> RpcResult {
        let deposit = place.and_then(|Place { block, index }| match block.receipts.get(index)? {
            Receipt::Deposit(deposit) => {
                let receipt = &deposit.receipt;
                Some((receipt.deposit_nonce, receipt.deposit_receipt_version))
            }
            _ => None,
        });
        let (deposit_nonce, deposit_receipt_version) = deposit.unwrap_or_default();
        let inner = forms::placed(transaction, sender, place);
        let json =
            op_alloy_rpc_types::Transaction { inner, deposit_nonce, deposit_receipt_version };
        let mut json = to_result(json)?;
        // Nodes write no quantity here, and nothing where it does not hold.
        if let Some(members) = json.as_object_mut()
            && members.remove("isSystemTx").is_some()
            && transaction.as_deposit().is_some_and(|tx| tx.inner().is_system_transaction)
        {
            members.insert("isSystemTx".into(), true.into());
        }
        Ok(json)
    }
}

impl ChainView for Node {
    type Forms = L2;

    fn chain_id(&self) -> u64 {
        self.rollup().config().chain.chain_id
    }

    fn read<T>(&self, read: impl FnOnce(&Ledger<L2>) -> T) -> T {
        read(self.rollup().l2().ledger())
    }

    fn store(&self) -> StateStore {
        self.rollup().l2().store().clone()
    }

    fn receipt_json(&self, place: Place<'_, L2>) -> RpcResult {
        let with_logs = |receipt: &Receipt, logs: Vec<Log>| {
            let bloom = *receipt.logs_bloom();
            let mut logs = logs.into_iter();
            // As many as the receipt has.
            let receipt = op_alloy_consensus::OpReceipt::from(receipt.clone());
            let receipt = receipt
                .map_logs(|inner| logs.next().unwrap_or_else(|| Log { inner, ..Log::default() }));
            alloy_consensus::ReceiptWithBloom::new(receipt, bloom)
        };
        let Some(mut inner) = receipt_fields(place, with_logs) else { return Ok(Value::Null) };
        let mut l1_block_info = L1BlockInfo::default();
        let transaction = place.block.transactions.get(place.index);
        if let Some(transaction) = transaction.filter(|transaction| !transaction.is_deposit()) {
            let raw = transaction.encoded_2718();
            let rollup = self.rollup();
            let costs = rollup.l2().costs(place.block).map_err(|error| RpcError::failed(&error))?;
            l1_block_info = costs.of(&raw);
            inner.blob_gas_used = costs.da_footprint(&raw);
        }
        to_result(OpTransactionReceipt { inner, l1_block_info, op_gas_refund: None })
    }

    fn submit(&self, bytes: &[u8]) -> Result<B256, RpcError> {
        self.rollup().sequencer.submit(bytes).map_err(|error| RpcError::failed(&error))
    }

    fn call(&self, block: &Block, call: &Call) -> Result<CallOutcome, CallError> {
        self.rollup().l2().call(block, call)
    }

    fn estimate_gas(&self, block: &Block, call: &Call) -> Result<u64, CallError> {
        self.rollup().l2().estimate_gas(block, call)
    }

    fn pending_nonce(&self, address: Address) -> Result<u64, StoreError> {
        self.rollup().sequencer.pending_nonce(address)
    }

    fn waiting(&self, hash: B256) -> Option<(Transaction, Address)> {
        let rollup = self.rollup();
        let bytes = rollup.sequencer.pool().get(hash)?;
        let transaction = Transaction::decode_2718_exact(bytes).ok()?;
        let sender = transaction.recover_signer().ok()?;
        Some((transaction, sender))
    }

    fn next_fees(&self) -> Fees {
        let rollup = self.rollup();
        // The next block's is not known before its system config; the latest is near.
        let base_fee = rollup.l2().latest().header.base_fee_per_gas.unwrap_or_default();
        Fees { base_fee, blob_base_fee: 1 }
    }
}

impl Methods for Node {
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult> {
        eth::call(self, method, params)
            .or_else(|| debug::call(self, method, params))
            .or_else(|| execution(self, method, params))
            .or_else(|| rollup(self, method, params))
    }
}

/// What an execution node knows besides the namespaces that both chains have.
fn execution(node: &Node, method: &str, params: &Params) -> Option<RpcResult> {
    Some(match method {
        "debug_executionWitness" => execution_witness(&node.rollup(), params),
        "debug_executePayload" => execute_payload(&node.rollup(), params),
        "debug_dbGet" => db_get(&node.store(), params),
        _ => return None,
    })
}

/// What a rollup node knows.
fn rollup(node: &Node, method: &str, params: &Params) -> Option<RpcResult> {
    Some(match method {
        "optimism_version" => Ok(object!(concat!("rebut/", env!("CARGO_PKG_VERSION")))),
        "optimism_rollupConfig" => {
            json::write(node.rollup().config()).map_err(|error| RpcError::failed(&error))
        }
        "optimism_syncStatus" => sync_status(node, &node.rollup()),
        "optimism_outputAtBlock" => output_at(node, params),
        "optimism_safeHeadAtL1Block" => safe_head_at(&node.rollup(), params),
        _ => return None,
    })
}

fn execution_witness(rollup: &Rollup, params: &Params) -> RpcResult {
    let chain = rollup.l2();
    let name = params.optional::<BlockName>(0)?.unwrap_or_default();
    let block = chain.ledger().by_id(name).ok_or_else(|| RpcError::absent("block"))?;
    let parent = chain.ledger().by_hash(block.header.parent_hash);
    let parent = parent.ok_or_else(|| RpcError::absent("parent block"))?;
    witness(chain, parent, &chain.attributes(block))
}

fn execute_payload(rollup: &Rollup, params: &Params) -> RpcResult {
    let chain = rollup.l2();
    let parent: B256 = params.get(0)?;
    let attributes: JsonAttributes = params.get(1)?;
    let parent = chain.ledger().by_hash(parent).ok_or_else(|| RpcError::absent("parent block"))?;
    witness(chain, parent, &attributes.into())
}

fn witness(chain: &Chain, parent: &Block, attributes: &PayloadAttributes) -> RpcResult {
    let witness = chain.witness(parent, attributes).map_err(|error| RpcError::failed(&error))?;
    to_result(witness)
}

/// Payload attributes as `op-node` sends them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonAttributes {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    #[serde(default)]
    parent_beacon_block_root: Option<B256>,
    #[serde(default)]
    transactions: Vec<Bytes>,
    gas_limit: U64,
    #[serde(default)]
    eip1559_params: Option<B64>,
    #[serde(default)]
    min_base_fee: Option<Number>,
}

/// A number, or a hexadecimal quantity.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Hex(U64),
}

impl Number {
    fn value(self) -> u64 {
        match self {
            Self::Plain(number) => number,
            Self::Hex(number) => number.to(),
        }
    }
}

impl From<JsonAttributes> for PayloadAttributes {
    fn from(json: JsonAttributes) -> Self {
        Self {
            timestamp: json.timestamp.to(),
            prev_randao: json.prev_randao,
            suggested_fee_recipient: json.suggested_fee_recipient,
            gas_limit: json.gas_limit.to(),
            parent_beacon_block_root: json.parent_beacon_block_root,
            eip_1559_params: json.eip1559_params.map(|params| params.0),
            min_base_fee: json.min_base_fee.map(Number::value),
            transactions: json.transactions,
        }
    }
}

fn db_get(store: &StateStore, params: &Params) -> RpcResult {
    let key: Bytes = params.get(0)?;
    let hash = match key.as_ref() {
        [b'c', hash @ ..] if hash.len() == 32 => hash,
        hash => hash,
    };
    let hash = B256::try_from(hash).map_err(|_| RpcError::params("no such key"))?;
    store.get(hash).map(|value| object!(value)).ok_or_else(|| RpcError::absent("key"))
}

fn output_at(node: &Node, params: &Params) -> RpcResult {
    let rollup = node.rollup();
    let chain = rollup.l2();
    let tag: BlockNumberOrTag = params.get(0)?;
    let block = chain.ledger().by_tag(tag).ok_or_else(|| RpcError::absent("block"))?;
    let output = chain.output(block)?;
    Ok(object!({
        "version": B256::ZERO,
        "outputRoot": output.root(),
        "blockRef": l2_ref(chain, block)?,
        "withdrawalStorageRoot": output.message_passer_storage_root,
        "stateRoot": output.state_root,
        "syncStatus": sync_status(node, &rollup)?,
    }))
}

fn safe_head_at(rollup: &Rollup, params: &Params) -> RpcResult {
    let number: U64 = params.get(0)?;
    let number: u64 = number.to();
    let (latest, _) = rollup.follower.head();
    // A later block than any that was read has the latest safe head.
    let known = rollup.follower.at(number.min(latest.number));
    let (l1, l2) = known.ok_or_else(|| RpcError::absent("safe head"))?;
    Ok(object!({ "l1Block": id_json(l1), "safeHead": id_json(l2) }))
}

fn sync_status(node: &Node, rollup: &Rollup) -> RpcResult {
    let chain = rollup.l2();
    let ledger = chain.ledger();
    let (read, _) = rollup.follower.head();
    let [safe, finalized] = [ledger.safe(), ledger.finalized()].map(|block| l2_ref(chain, block));
    let (safe, finalized) = (safe?, finalized?);
    let latest = l2_ref(chain, ledger.latest())?;
    node.l1().with(|l1| {
        let l1 = l1.record().ledger();
        let current = l1.by_hash(read.hash).ok_or_else(|| RpcError::absent("L1 block"))?;
        Ok(object!({
            "current_l1": l1_ref(current),
            "current_l1_finalized": l1_ref(l1.finalized()),
            "head_l1": l1_ref(l1.latest()),
            "safe_l1": l1_ref(l1.safe()),
            "finalized_l1": l1_ref(l1.finalized()),
            "unsafe_l2": latest,
            "safe_l2": safe,
            "finalized_l2": finalized,
            "pending_safe_l2": safe,
            "cross_unsafe_l2": latest,
            "local_safe_l2": safe,
        }))
    })
}

fn id_json(id: BlockId) -> Value {
    object!({ "hash": id.hash, "number": id.number })
}

fn l1_ref(block: &L1Block) -> Value {
    object!({
        "hash": block.hash(),
        "number": block.number(),
        "parentHash": block.header.parent_hash,
        "timestamp": block.header.timestamp,
    })
}

fn l2_ref(chain: &Chain, block: &Block) -> RpcResult {
    let place = chain.place(block).map_err(|error| RpcError::failed(&error))?;
    let L2BlockRef { id, parent_hash, timestamp, l1_origin, sequence_number } = place;
    Ok(object!({
        "hash": id.hash,
        "number": id.number,
        "parentHash": parent_hash,
        "timestamp": timestamp,
        "l1origin": id_json(l1_origin),
        "sequenceNumber": sequence_number,
    }))
}
