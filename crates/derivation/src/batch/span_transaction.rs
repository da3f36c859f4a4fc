//! The transactions of a span batch: columns of fields, from which the EIP-2718 forms are put
//! together.
//!
//! ```text
//!   ┌────────────────────────┬───────────────┬────────────┬─────────┐
//!   │ contract_creation_bits │ y_parity_bits │ r 32, s 32 │ to 20   │
//!   ├──────────┬────────┬────┴─┬─────────────┴──┬─────────┴─────────┘
//!   │ tx_datas │ nonces │ gases│ protected_bits │
//!   └──────────┴────────┴──────┴────────────────┘
//!   tx_data  = [type] rlp([value, prices.., data, lists..])
//!   EIP-2718 = [type] rlp([chain id, nonce, prices.., gas, to, value, data, lists.., v, r, s])
//! ```
//!
//! Prices and the tail of data and lists stand in both forms in the same order, so they are copied
//! as they are, once they are known to be well-formed. Legacy transactions have no chain id.
//!
//! The columns are read first, of which a `tx_data` is but a list behind a type: what is wrong with
//! them spoils the rest of the channel. What is wrong within a `tx_data` shows when the transaction is
//! put together, and spoils the batch alone. op-node draws this line; the specification does not.

use super::{
    BatchError, MAX_SPAN_BATCH_ELEMENT_COUNT, SpanEncodeError,
    span::{Reader, write_bits, write_varint},
};
use alloc::vec::Vec;
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, Bytes};
use alloy_rlp::{Decodable, Encodable, Header};

/// Why a transaction cannot be part of a span batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// It is not in the RLP form of its type.
    #[error("malformed: {0}")]
    Rlp(alloy_rlp::Error),
    /// Span batches have no form for the type.
    #[error("type {0:#04x} is not supported")]
    Type(u8),
    /// It is longer than the protocol allows.
    #[error("more than {MAX_SPAN_BATCH_ELEMENT_COUNT} bytes of data")]
    TooLong,
    /// It creates a contract, which its type cannot.
    #[error("a transaction that sets code needs a recipient")]
    Creation,
    /// It is for another chain.
    #[error("the transaction is for another chain")]
    ChainId,
    /// Its signature names no parity of y.
    #[error("the signature has no parity")]
    Parity,
}

impl From<alloy_rlp::Error> for TransactionError {
    fn from(error: alloy_rlp::Error) -> Self {
        Self::Rlp(error)
    }
}

/// The types of transactions that a span batch can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Legacy,
    AccessList,
    DynamicFee,
    SetCode,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x80..=0xff => Some(Self::Legacy),
            1 => Some(Self::AccessList),
            2 => Some(Self::DynamicFee),
            4 => Some(Self::SetCode),
            _ => None,
        }
    }

    /// The byte before the RLP.
    fn byte(self) -> Option<u8> {
        match self {
            Self::Legacy => None,
            Self::AccessList => Some(1),
            Self::DynamicFee => Some(2),
            Self::SetCode => Some(4),
        }
    }

    /// How many prices of gas there are.
    fn prices(self) -> usize {
        match self {
            Self::Legacy | Self::AccessList => 1,
            Self::DynamicFee | Self::SetCode => 2,
        }
    }
}

/// Splits off the type of a transaction. The first byte of a legacy one belongs to its RLP, and stands
/// for its type.
fn split_type(bytes: &[u8]) -> Result<(u8, &[u8]), TransactionError> {
    match bytes {
        [] => Err(alloy_rlp::Error::InputTooShort.into()),
        [first @ 0x80..=0xff, ..] => Ok((*first, bytes)),
        [kind, rest @ ..] => Ok((*kind, rest)),
    }
}

/// An element of the column `tx_datas`, read as far as the column needs it.
struct Data<'a> {
    /// The type, or any byte from 0x80 on for legacy transactions.
    kind: u8,
    /// What stands in the list.
    fields: &'a [u8],
}

impl<'a> Data<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, TransactionError> {
        let (kind, start) = split_type(reader.rest)?;
        let mut rest = start;
        let fields = Header::decode_bytes(&mut rest, true)?;
        if (start.len() - rest.len()) as u64 > MAX_SPAN_BATCH_ELEMENT_COUNT {
            return Err(TransactionError::TooLong);
        }
        reader.rest = rest;
        Ok(Self { kind, fields })
    }

    /// Whether it takes one of the protected bits. So does type 0, which is no type to write.
    const fn is_legacy(&self) -> bool {
        matches!(self.kind, 0 | 0x80..=0xff)
    }
}

/// The fields of a transaction that both forms have in common, in their RLP form.
#[derive(Clone, Copy)]
struct Common<'a> {
    kind: Kind,
    value: &'a [u8],
    prices: &'a [u8],
    tail: &'a [u8],
}

/// The fields that a span batch keeps in columns of their own.
struct Columns<'a> {
    nonce: u64,
    gas: u64,
    to: Option<Address>,
    odd_y: bool,
    /// Of a legacy transaction: whether its signature covers the chain id (EIP-155).
    protected: bool,
    r: &'a [u8],
    s: &'a [u8],
}

/// Reads `count` transactions and gives their EIP-2718 forms.
pub(super) fn decode(
    reader: &mut Reader<'_>,
    count: usize,
    chain_id: u64,
) -> Result<Vec<Bytes>, BatchError> {
    let creations = reader.bits(count, "contract creation bits")?;
    let parities = reader.bits(count, "parity bits")?;
    // From here on the input has 64 bytes a transaction, so `count` is no more than its length.
    let signatures = reader.take(64 * count, "signatures")?;
    let recipients = reader.take(20 * (count - creations.count_ones()), "recipients")?;
    let mut datas = Vec::with_capacity(count);
    for index in 0..count {
        let data =
            Data::read(reader).map_err(|error| BatchError::TransactionData { index, error })?;
        datas.push(data);
    }
    let varints = |reader: &mut Reader<'_>, what| {
        (0..count).map(|_| reader.varint(what)).collect::<Result<Vec<u64>, _>>()
    };
    let nonces = varints(reader, "nonces")?;
    let gases = varints(reader, "gas limits")?;
    let legacy = datas.iter().filter(|data| data.is_legacy()).count();
    let protected = reader.bits(legacy, "protected bits")?;

    let mut recipients = recipients.chunks_exact(20).map(Address::from_slice);
    let mut protected = (0..legacy).map(|index| protected.get(index));
    let rows = datas.iter().zip(nonces).zip(gases).zip(signatures.chunks_exact(64)).enumerate();
    let row =
        |(index, (((data, nonce), gas), signature)): (usize, (((&Data<'_>, _), _), &[u8]))| {
            let (r, s) = signature.split_at(32);
            let columns = Columns {
                nonce,
                gas,
                to: if creations.get(index) { None } else { recipients.next() },
                odd_y: parities.get(index),
                protected: data.is_legacy() && protected.next().unwrap_or_default(),
                r,
                s,
            };
            transaction(data, &columns, chain_id)
                .map_err(|error| BatchError::Transaction { index, error })
        };
    rows.map(row).collect()
}

fn transaction(
    data: &Data<'_>,
    columns: &Columns<'_>,
    chain_id: u64,
) -> Result<Bytes, TransactionError> {
    let common = Common::read(data)?;
    if common.kind == Kind::SetCode && columns.to.is_none() {
        return Err(TransactionError::Creation);
    }
    Ok(join(&common, columns, chain_id))
}

/// Appends the columns of `transactions`, which are in their EIP-2718 form.
pub(super) fn encode<'a>(
    out: &mut Vec<u8>,
    transactions: impl Iterator<Item = &'a Bytes>,
    chain_id: u64,
) -> Result<(), SpanEncodeError> {
    let rows = transactions
        .enumerate()
        .map(|(index, bytes)| {
            split(bytes, chain_id).map_err(|error| SpanEncodeError::Transaction { index, error })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bits = |bit: fn(&Columns<'_>) -> bool| -> Vec<bool> {
        rows.iter().map(|(_, columns)| bit(columns)).collect()
    };
    write_bits(out, &bits(|columns| columns.to.is_none()));
    write_bits(out, &bits(|columns| columns.odd_y));
    for (_, columns) in &rows {
        for scalar in [columns.r, columns.s] {
            out.resize(out.len() + 32 - scalar.len(), 0);
            out.extend(scalar);
        }
    }
    for to in rows.iter().filter_map(|(_, columns)| columns.to) {
        out.extend(to);
    }
    for (common, _) in &rows {
        common.write(out);
    }
    rows.iter().for_each(|(_, columns)| write_varint(out, columns.nonce));
    rows.iter().for_each(|(_, columns)| write_varint(out, columns.gas));
    let legacy = rows.iter().filter(|(common, _)| common.kind == Kind::Legacy);
    write_bits(out, &legacy.map(|(_, columns)| columns.protected).collect::<Vec<_>>());
    Ok(())
}

impl<'a> Common<'a> {
    /// The fields of an element of the column `tx_datas`.
    fn read(data: &Data<'a>) -> Result<Self, TransactionError> {
        let kind = Kind::of(data.kind).ok_or(TransactionError::Type(data.kind))?;
        let mut fields = data.fields;
        let common = Self {
            kind,
            value: integers(&mut fields, kind, 1)?,
            prices: integers(&mut fields, kind, kind.prices())?,
            tail: tail(&mut fields, kind)?,
        };
        end(fields)?;
        Ok(common)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let payload_length = self.value.len() + self.prices.len() + self.tail.len();
        out.extend(self.kind.byte());
        Header { list: true, payload_length }.encode(out);
        for part in [self.value, self.prices, self.tail] {
            out.extend(part);
        }
    }
}

/// Takes a transaction apart that must fill `bytes`.
fn split(bytes: &[u8], chain_id: u64) -> Result<(Common<'_>, Columns<'_>), TransactionError> {
    let (kind, mut rest) = split_type(bytes)?;
    let kind = Kind::of(kind).ok_or(TransactionError::Type(kind))?;
    let mut fields = Header::decode_bytes(&mut rest, true)?;
    end(rest)?;
    if kind != Kind::Legacy && u64::decode(&mut fields)? != chain_id {
        return Err(TransactionError::ChainId);
    }
    let nonce = u64::decode(&mut fields)?;
    let prices = integers(&mut fields, kind, kind.prices())?;
    let gas = u64::decode(&mut fields)?;
    let to = match Header::decode_bytes(&mut fields, false)? {
        [] => None,
        to => Some(Address::try_from(to).map_err(|_| alloy_rlp::Error::UnexpectedLength)?),
    };
    let value = integers(&mut fields, kind, 1)?;
    let common = Common { kind, value, prices, tail: tail(&mut fields, kind)? };
    let v = u128::decode(&mut fields)?;
    let r = scalar(&mut fields)?;
    let s = scalar(&mut fields)?;
    end(fields)?;

    let eip_155 = 35 + 2 * u128::from(chain_id);
    let (odd_y, protected) = match (kind, v) {
        (Kind::Legacy, 27 | 28) => (v == 28, false),
        (Kind::Legacy, _) => match v.checked_sub(eip_155) {
            Some(parity @ (0 | 1)) => (parity == 1, true),
            _ => return Err(TransactionError::ChainId),
        },
        (_, 0 | 1) => (v == 1, false),
        _ => return Err(TransactionError::Parity),
    };
    if kind == Kind::SetCode && to.is_none() {
        return Err(TransactionError::Creation);
    }
    let columns = Columns { nonce, gas, to, odd_y, protected, r, s };
    Ok((common, columns))
}

/// Puts a transaction together.
fn join(common: &Common<'_>, columns: &Columns<'_>, chain_id: u64) -> Bytes {
    let Columns { nonce, gas, to, .. } = columns;
    let v = match (common.kind, columns.protected) {
        (Kind::Legacy, false) => 27,
        (Kind::Legacy, true) => 35 + 2 * u128::from(chain_id),
        _ => 0,
    } + u128::from(columns.odd_y);
    let chain_id = (common.kind != Kind::Legacy).then_some(chain_id);
    let to = to.as_ref().map_or(&[][..], |to| to.as_slice());
    let (r, s) = (trim(columns.r), trim(columns.s));
    let payload_length = chain_id.map_or(0, |id| id.length())
        + nonce.length()
        + common.prices.len()
        + gas.length()
        + to.length()
        + common.value.len()
        + common.tail.len()
        + v.length()
        + r.length()
        + s.length();
    let header = Header { list: true, payload_length };

    let mut out = Vec::with_capacity(1 + header.length() + payload_length);
    out.extend(common.kind.byte());
    header.encode(&mut out);
    if let Some(id) = chain_id {
        id.encode(&mut out);
    }
    nonce.encode(&mut out);
    out.extend(common.prices);
    gas.encode(&mut out);
    to.encode(&mut out);
    out.extend(common.value);
    out.extend(common.tail);
    v.encode(&mut out);
    r.encode(&mut out);
    s.encode(&mut out);
    out.into()
}

/// The RLP of the next `count` integers. Those of transactions that set code have 256 bits at most.
/// Others may be larger: execution will refuse them, and with them the block.
fn integers<'a>(
    fields: &mut &'a [u8],
    kind: Kind,
    count: usize,
) -> Result<&'a [u8], TransactionError> {
    raw(fields, |fields| {
        for _ in 0..count {
            match Header::decode_bytes(fields, false)? {
                [0, ..] => return Err(alloy_rlp::Error::LeadingZero),
                long if kind == Kind::SetCode && long.len() > 32 => {
                    return Err(alloy_rlp::Error::Overflow);
                }
                _ => {}
            }
        }
        Ok(())
    })
}

/// The RLP of the fields from the data on.
fn tail<'a>(fields: &mut &'a [u8], kind: Kind) -> Result<&'a [u8], TransactionError> {
    raw(fields, |fields| {
        Header::decode_bytes(fields, false)?;
        if kind != Kind::Legacy {
            AccessList::decode(fields)?;
        }
        if kind == Kind::SetCode {
            Vec::<SignedAuthorization>::decode(fields)?;
        }
        Ok(())
    })
}

/// What `read` takes from `fields`, as it is.
fn raw<'a>(
    fields: &mut &'a [u8],
    read: impl FnOnce(&mut &'a [u8]) -> alloy_rlp::Result<()>,
) -> Result<&'a [u8], TransactionError> {
    let start = *fields;
    read(fields)?;
    Ok(&start[..start.len() - fields.len()])
}

/// Half of a signature without leading zeros.
fn scalar<'a>(fields: &mut &'a [u8]) -> Result<&'a [u8], TransactionError> {
    match Header::decode_bytes(fields, false)? {
        [0, ..] => Err(alloy_rlp::Error::LeadingZero.into()),
        long if long.len() > 32 => Err(alloy_rlp::Error::Overflow.into()),
        scalar => Ok(scalar),
    }
}

/// An integer's bytes without leading zeros: as a string they have the integer's RLP form.
fn trim(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    &integer[zeros..]
}

fn end(rest: &[u8]) -> Result<(), TransactionError> {
    if rest.is_empty() { Ok(()) } else { Err(alloy_rlp::Error::UnexpectedLength.into()) }
}
