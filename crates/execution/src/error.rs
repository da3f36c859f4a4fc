//! What can go wrong while a block is built.

use crate::{Fork, TrieError};
use alloc::string::String;
use alloy_eips::eip2718::Eip2718Error;
use alloy_primitives::{Address, B256};
use op_revm::OpTransactionError;
use revm::{bytecode::BytecodeDecodeError, database_interface::DBErrorMarker};

/// Why the state before the block could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError<E> {
    /// The oracle did not give a value.
    #[error(transparent)]
    Oracle(E),
    /// A trie node is malformed.
    #[error(transparent)]
    Trie(TrieError<E>),
    /// The account trie holds something that is no account.
    #[error("the account trie's value for {address} is malformed: {source}")]
    Account {
        /// The account.
        address: Address,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// A storage trie holds something that is no word.
    #[error("the value of storage slot {slot} of {address} is malformed: {source}")]
    Slot {
        /// The account.
        address: Address,
        /// The slot's number.
        slot: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// The code is neither plain nor a delegation.
    #[error("code {hash} is malformed: {source}")]
    Code {
        /// Hash of the code.
        hash: B256,
        /// What the decoder says.
        source: BytecodeDecodeError,
    },
    /// The bytes are no block header.
    #[error("block header {hash} is malformed: {source}")]
    Header {
        /// Hash of the header.
        hash: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// The chain of parents does not count down by one.
    #[error("block header {hash} has number {number}, its place in the chain is {expected}")]
    HeaderNumber {
        /// Hash of the header.
        hash: B256,
        /// Its number.
        number: u64,
        /// One below its child's.
        expected: u64,
    },
}

impl<E> From<TrieError<E>> for StateError<E> {
    fn from(error: TrieError<E>) -> Self {
        match error {
            TrieError::Oracle(error) => Self::Oracle(error),
            error @ TrieError::Malformed { .. } => Self::Trie(error),
        }
    }
}

impl<E: core::error::Error + Send + Sync + 'static> DBErrorMarker for StateError<E> {}

/// Attributes or a parent that no block can be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// An attribute that the fork needs is absent.
    #[error("the attributes have no {name}, which {fork:?} needs")]
    Missing {
        /// The attribute, as the Engine API names it.
        name: &'static str,
        /// The active fork.
        fork: Fork,
    },
    /// An attribute that the fork does not have is present.
    #[error("the attributes have a {name}, which {fork:?} does not know")]
    Unexpected {
        /// The attribute, as the Engine API names it.
        name: &'static str,
        /// The active fork.
        fork: Fork,
    },
    /// The block would not be later than its parent.
    #[error("timestamp {timestamp} does not follow the parent's {parent}")]
    Timestamp {
        /// From the attributes.
        timestamp: u64,
        /// From the parent.
        parent: u64,
    },
    /// There is no number after the parent's.
    #[error("the parent has the last possible block number")]
    Number,
    /// Exactly one of denominator and elasticity is 0.
    #[error("the EIP-1559 parameters {denominator}/{elasticity} are neither both 0 nor both set")]
    BaseFeeParameters {
        /// As given.
        denominator: u32,
        /// As given.
        elasticity: u32,
    },
    /// The parent's `extraData` is not what its fork prescribes.
    #[error("the parent's extraData of {length_bytes} bytes is not what {fork:?} prescribes")]
    ParentExtraData {
        /// Its length.
        length_bytes: usize,
        /// The fork of the parent.
        fork: Fork,
    },
    /// The parent's header lacks a field.
    #[error("the parent's header has no {name}")]
    ParentField {
        /// The field, in its JSON-RPC name.
        name: &'static str,
    },
    /// The base fee cannot be computed: a divisor is 0 or the result does not fit.
    #[error(
        "gas limit {gas_limit}, elasticity {elasticity} and denominator {denominator} give no base fee"
    )]
    BaseFee {
        /// The parent's.
        gas_limit: u64,
        /// In force.
        elasticity: u32,
        /// In force.
        denominator: u32,
    },
}

/// A transaction that makes its block invalid.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransactionError {
    /// The bytes are no transaction of a known type.
    #[error("it cannot be decoded: {0}")]
    Decode(Eip2718Error),
    /// A type that no supported fork accepts.
    #[error("its type {0:#04x} is not accepted")]
    Type(u8),
    /// The signature belongs to nobody.
    #[error("its signature is invalid")]
    Signature,
    /// It may use more gas than the block has left.
    #[error("its gas limit is {gas_limit}, the block has {available} left")]
    GasLimit {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// The block's gas limit less the gas used so far.
        available: u64,
    },
    /// Its data availability footprint is more than the block has left.
    #[error("its data availability footprint is {footprint}, the block has {available} left")]
    DaFootprint {
        /// The transaction's footprint.
        footprint: u64,
        /// The block's gas limit less the footprint so far.
        available: u64,
    },
    /// The EVM refuses it.
    #[error(transparent)]
    Evm(OpTransactionError),
    /// The gas used by the block does not fit 64 bits.
    #[error("the block's gas overflows")]
    GasOverflow,
}

/// Why a block could not be built.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExecutionError<E> {
    /// The state before the block could not be read.
    #[error(transparent)]
    State(StateError<E>),
    /// The attributes or the parent are invalid.
    #[error(transparent)]
    Attributes(#[from] AttributesError),
    /// A transaction is invalid, and so is the block.
    #[error("transaction {index}: {source}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// What is wrong with it.
        source: TransactionError,
    },
    /// A call that belongs to the block itself failed in the EVM.
    #[error("the system call to {contract} failed: {source}")]
    SystemCall {
        /// The contract called.
        contract: Address,
        /// What the EVM says.
        source: OpTransactionError,
    },
    /// The EVM stopped for a reason that lies in no transaction: a precompile inside the program
    /// could not compute. The text is the EVM's.
    #[error("the EVM stopped at transaction or system call {index}: {reason}")]
    Halted {
        /// Position in the block, or the number of transactions done before a system call.
        index: usize,
        /// What the EVM says.
        reason: String,
    },
    /// From Isthmus on the header commits to the message passer's storage, which needs the account.
    #[error("the account of the message passer {0} does not exist")]
    MessagePasser(Address),
}

impl<E> From<StateError<E>> for ExecutionError<E> {
    fn from(error: StateError<E>) -> Self {
        Self::State(error)
    }
}
