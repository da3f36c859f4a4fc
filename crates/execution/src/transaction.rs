//! From the bytes of a transaction to what the EVM takes.
//!
//! Senders and authorities are recovered by the oracle's `ecrecover`, whose result the verifier
//! checks like any other: a recovery inside a proven machine costs millions of instructions.
//!
//! Invariant: the sender of an accepted transaction is the one its signature proves, under the
//! rule that `s` lies in the lower half of the group order (EIP-2).

use crate::{
    StateOracle, TransactionError,
    precompiles::{ECRECOVER, ECRECOVER_GAS},
};
use alloc::vec::Vec;
use alloy_consensus::{SignableTransaction, Signed, Transaction, TxEip7702};
use alloy_eips::eip2718::{Decodable2718, Eip2718Error};
use alloy_primitives::{Address, B256, Bytes, U256, uint};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use op_revm::{OpTransaction, transaction::deposit::DepositTransactionParts};
use revm::{
    context::TxEnv,
    context_interface::{
        either::Either,
        transaction::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization},
    },
};

/// Half the order of secp256k1, rounded down: the largest `s` of a valid signature.
const HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// Reads one transaction, which must fill `bytes`.
pub(crate) fn decode(bytes: &Bytes) -> Result<OpTxEnvelope, TransactionError> {
    let mut rest = bytes.as_ref();
    let envelope = OpTxEnvelope::decode_2718(&mut rest).map_err(TransactionError::Decode)?;
    if !rest.is_empty() {
        return Err(TransactionError::Decode(Eip2718Error::RlpError(
            alloy_rlp::Error::UnexpectedLength,
        )));
    }
    Ok(envelope)
}

/// Why a sender is not known.
pub(crate) enum SenderError<E> {
    Oracle(E),
    Invalid(TransactionError),
}

/// Prepares a transaction for the EVM.
pub(crate) fn prepare<O: StateOracle>(
    envelope: &OpTxEnvelope,
    bytes: &Bytes,
    oracle: &mut O,
) -> Result<OpTransaction<TxEnv>, SenderError<O::Error>> {
    let base = match envelope {
        OpTxEnvelope::Legacy(tx) => signed(tx, oracle)?,
        OpTxEnvelope::Eip2930(tx) => signed(tx, oracle)?,
        OpTxEnvelope::Eip1559(tx) => signed(tx, oracle)?,
        OpTxEnvelope::Eip7702(tx) => {
            let authorization_list = authorizations(tx, oracle).map_err(SenderError::Oracle)?;
            TxEnv { authorization_list, ..signed(tx, oracle)? }
        }
        OpTxEnvelope::Deposit(deposit) => return Ok(prepare_deposit(deposit)),
        OpTxEnvelope::PostExec(_) => {
            let kind = TransactionError::Type(envelope.tx_type() as u8);
            return Err(SenderError::Invalid(kind));
        }
    };
    let deposit = DepositTransactionParts::default();
    Ok(OpTransaction { base, enveloped_tx: Some(bytes.clone()), deposit })
}

fn prepare_deposit(deposit: &TxDeposit) -> OpTransaction<TxEnv> {
    let base = TxEnv {
        tx_type: op_revm::transaction::deposit::DEPOSIT_TRANSACTION_TYPE,
        caller: deposit.from,
        gas_limit: deposit.gas_limit,
        kind: deposit.to,
        value: deposit.value,
        data: deposit.input.clone(),
        gas_price: 0,
        ..TxEnv::default()
    };
    let deposit = DepositTransactionParts {
        source_hash: deposit.source_hash,
        mint: (deposit.mint != 0).then_some(deposit.mint),
        is_system_transaction: deposit.is_system_transaction,
    };
    OpTransaction { base, enveloped_tx: None, deposit }
}

fn signed<T, O>(tx: &Signed<T>, oracle: &mut O) -> Result<TxEnv, SenderError<O::Error>>
where
    T: Transaction + SignableTransaction<alloy_primitives::Signature>,
    O: StateOracle,
{
    let signature = tx.signature();
    let caller = recover(tx.signature_hash(), signature.v(), signature.r(), signature.s(), oracle)
        .map_err(SenderError::Oracle)?
        .ok_or(SenderError::Invalid(TransactionError::Signature))?;
    let tx = tx.tx();
    Ok(TxEnv {
        tx_type: tx.ty(),
        caller,
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        gas_priority_fee: tx.max_priority_fee_per_gas(),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: tx.chain_id(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    })
}

type Authorization = Either<SignedAuthorization, RecoveredAuthorization>;

/// Recovers who signed each authorization. One that nobody signed is kept: it is skipped by the
/// EVM, but paid for.
fn authorizations<O: StateOracle>(
    tx: &Signed<TxEip7702>,
    oracle: &mut O,
) -> Result<Vec<Authorization>, O::Error> {
    let mut recovered = Vec::with_capacity(tx.tx().authorization_list.len());
    for authorization in &tx.tx().authorization_list {
        let signer = match authorization.y_parity() {
            parity @ (0 | 1) => recover(
                authorization.inner().signature_hash(),
                parity == 1,
                authorization.r(),
                authorization.s(),
                oracle,
            )?,
            _ => None,
        };
        let authority = signer.map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
        let inner = authorization.inner().clone();
        recovered.push(Either::Right(RecoveredAuthorization::new_unchecked(inner, authority)));
    }
    Ok(recovered)
}

/// Who signed `hash`, if the signature is anybody's.
fn recover<O: StateOracle>(
    hash: B256,
    odd_y: bool,
    r: U256,
    s: U256,
    oracle: &mut O,
) -> Result<Option<Address>, O::Error> {
    if s > HALF_ORDER {
        return Ok(None);
    }
    let mut input = [0; 128];
    input[..32].copy_from_slice(hash.as_slice());
    input[63] = 27 + u8::from(odd_y);
    input[64..96].copy_from_slice(&r.to_be_bytes::<32>());
    input[96..].copy_from_slice(&s.to_be_bytes::<32>());
    let output = oracle.precompile(ECRECOVER, ECRECOVER_GAS, &input)?.unwrap_or_default();
    // One word with the address at its end, or nothing.
    let word = <[u8; 32]>::try_from(output.as_slice()).ok();
    Ok(word.map(|word| Address::from_word(word.into())))
}
