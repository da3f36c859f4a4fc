//! The L1 attributes deposit: the first transaction of every L2 block, which tells L2 of its L1
//! origin.
//!
//! ```text
//!   Bedrock  ┌───┬───────────┬─────────┬─────────────┬─────────┬─────────────┬────────────┬─────────────┬───────────┐
//!            │ 4 │ number 32 │ time 32 │ base fee 32 │ hash 32 │ sequence 32 │ batcher 32 │ overhead 32 │ scalar 32 │
//!            └───┴───────────┴─────────┴─────────────┴─────────┴─────────────┴────────────┴─────────────┴───────────┘
//!   Ecotone  ┌───┬───────────────────┬────────────────────────┬────────────┬────────┬──────────┐
//!            │ 4 │ base fee scalar 4 │ blob base fee scalar 4 │ sequence 8 │ time 8 │ number 8 │
//!            ├───┴─────────┬─────────┴────────┬─────────┬─────┴──────┬─────┴────────┴──────────┘
//!            │ base fee 32 │ blob base fee 32 │ hash 32 │ batcher 32 │
//!   Isthmus  ├─────────────┴─────────┬────────┴─────────┴──────┬─────┘
//!            │ operator fee scalar 4 │ operator fee constant 8 │
//!   Jovian   ├───────────────────────┴───┬─────────────────────┘
//!            │ DA footprint gas scalar 2 │
//!            └───────────────────────────┘
//! ```
//!
//! The first block of a fork still has the format of the one before: the contract that reads the new
//! one is deployed in that block.
//!
//! Specification: "Deposits", L1 attributes; "L1 attributes" of Ecotone, Isthmus and Jovian.

use crate::{L1Config, OperatorFee, RollupConfig, SystemConfig};
use alloc::vec::Vec;
use alloy_consensus::{Header, Sealed};
use alloy_eips::{
    eip2718::Encodable2718,
    eip4844::{BLOB_GASPRICE_UPDATE_FRACTION, fake_exponential},
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, keccak256};
use op_alloy_consensus::TxDeposit;
use rebut_execution::Fork;

/// Who sends the deposit.
const DEPOSITOR: Address = address!("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001");
/// The contract that stores what the deposit says.
const L1_BLOCK: Address = address!("0x4200000000000000000000000000000000000015");
/// The deposit's gas, and what it was before Regolith, when it did not count.
const GAS: u64 = 1_000_000;
const GAS_BEDROCK: u64 = 150_000_000;
/// The domain of the source hashes of L1 attributes deposits.
const SOURCE_DOMAIN: u8 = 1;
/// The DA footprint gas scalar of a chain that has set none.
const DEFAULT_DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// The layout of the deposit's calldata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Bedrock,
    Ecotone,
    Isthmus,
    Jovian,
}

impl Format {
    const ALL: [Self; 4] = [Self::Bedrock, Self::Ecotone, Self::Isthmus, Self::Jovian];

    /// The format in the L2 block at `timestamp`.
    pub(crate) fn at(config: &RollupConfig, timestamp: u64) -> Self {
        let since =
            |fork| config.is_active(fork, timestamp) && !config.is_first_block(fork, timestamp);
        if since(Fork::Jovian) {
            Self::Jovian
        } else if since(Fork::Isthmus) {
            Self::Isthmus
        } else if since(Fork::Ecotone) {
            Self::Ecotone
        } else {
            Self::Bedrock
        }
    }

    /// The first bytes of the calldata.
    fn selector(self) -> [u8; 4] {
        match self {
            Self::Bedrock => [0x01, 0x5d, 0x8e, 0xb9],
            Self::Ecotone => [0x44, 0x0a, 0x5e, 0x20],
            Self::Isthmus => [0x09, 0x89, 0x99, 0xbe],
            Self::Jovian => [0x3d, 0xb6, 0xbe, 0x2b],
        }
    }

    /// The length of the calldata.
    fn length_bytes(self) -> usize {
        match self {
            Self::Bedrock => 4 + 8 * 32,
            Self::Ecotone => 4 + 5 * 32,
            Self::Isthmus => 4 + 5 * 32 + 12,
            Self::Jovian => 4 + 5 * 32 + 14,
        }
    }
}

/// What the deposit says. Fields that a format lacks are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct L1Info {
    pub(crate) number: u64,
    pub(crate) timestamp: u64,
    pub(crate) base_fee: U256,
    pub(crate) hash: B256,
    pub(crate) sequence_number: u64,
    pub(crate) batcher: Address,
    /// Of the chain: how it charges for L1.
    pub(crate) fees: L1Fees,
    pub(crate) operator_fee: OperatorFee,
    pub(crate) da_footprint_gas_scalar: u16,
}

/// How a chain charges its users for L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum L1Fees {
    Bedrock { overhead: U256, scalar: U256 },
    Ecotone { base_fee_scalar: u32, blob_base_fee_scalar: u32, blob_base_fee: U256 },
}

impl Default for L1Fees {
    fn default() -> Self {
        Self::Bedrock { overhead: U256::ZERO, scalar: U256::ZERO }
    }
}

/// Why calldata is no L1 attributes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum L1InfoError {
    /// No format starts like this.
    #[error("no format of the L1 attributes starts with the calldata's first bytes")]
    Selector,
    /// The calldata is longer or shorter than its format.
    #[error("the L1 attributes have {actual} bytes instead of {expected}")]
    Length {
        /// Of the calldata.
        actual: usize,
        /// Of the format.
        expected: usize,
    },
    /// A word holds a number larger than its type, or more than an address.
    #[error("the word at byte {0} of the L1 attributes is too large")]
    Word(usize),
}

impl L1Info {
    /// The calldata in `format`.
    pub(crate) fn encode(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::with_capacity(format.length_bytes());
        out.extend(format.selector());
        let batcher = self.batcher.into_word();
        match self.fees {
            L1Fees::Bedrock { overhead, scalar } => {
                let number = U256::from(self.number);
                let (time, sequence) =
                    (U256::from(self.timestamp), U256::from(self.sequence_number));
                let (hash, batcher) = (self.hash.into(), batcher.into());
                let words =
                    [number, time, self.base_fee, hash, sequence, batcher, overhead, scalar];
                words.iter().for_each(|word| out.extend(word.to_be_bytes::<32>()));
            }
            L1Fees::Ecotone { base_fee_scalar, blob_base_fee_scalar, blob_base_fee } => {
                out.extend(base_fee_scalar.to_be_bytes());
                out.extend(blob_base_fee_scalar.to_be_bytes());
                out.extend(self.sequence_number.to_be_bytes());
                out.extend(self.timestamp.to_be_bytes());
                out.extend(self.number.to_be_bytes());
                out.extend(self.base_fee.to_be_bytes::<32>());
                out.extend(blob_base_fee.to_be_bytes::<32>());
                out.extend(self.hash);
                out.extend(batcher);
            }
        }
        if matches!(format, Format::Isthmus | Format::Jovian) {
            out.extend(self.operator_fee.scalar.to_be_bytes());
            out.extend(self.operator_fee.constant.to_be_bytes());
        }
        if format == Format::Jovian {
            out.extend(self.da_footprint_gas_scalar.to_be_bytes());
        }
        out
    }

    /// Reads calldata of any format.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn decode(calldata: &[u8]) -> Result<Self, L1InfoError> {
        let format =
            Format::ALL.into_iter().find(|format| calldata.starts_with(&format.selector()));
        let format = format.ok_or(L1InfoError::Selector)?;
        let (actual, expected) = (calldata.len(), format.length_bytes());
        if actual != expected {
            return Err(L1InfoError::Length { actual, expected });
        }
        let mut fields = Fields { calldata, at: 4 };
        if format == Format::Bedrock {
            Self::bedrock(&mut fields)
        } else {
            Self::packed(&mut fields, format)
        }
    }

    fn bedrock(fields: &mut Fields<'_>) -> Result<Self, L1InfoError> {
        Ok(Self {
            number: fields.word()?,
            timestamp: fields.word()?,
            base_fee: fields.word()?,
            hash: fields.take().into(),
            sequence_number: fields.word()?,
            batcher: fields.address()?,
            fees: L1Fees::Bedrock { overhead: fields.word()?, scalar: fields.word()? },
            ..Self::default()
        })
    }

    fn packed(fields: &mut Fields<'_>, format: Format) -> Result<Self, L1InfoError> {
        let base_fee_scalar = u32::from_be_bytes(fields.take());
        let blob_base_fee_scalar = u32::from_be_bytes(fields.take());
        let sequence_number = u64::from_be_bytes(fields.take());
        let timestamp = u64::from_be_bytes(fields.take());
        let number = u64::from_be_bytes(fields.take());
        let base_fee = fields.word()?;
        let blob_base_fee = fields.word()?;
        let mut info = Self {
            number,
            timestamp,
            base_fee,
            hash: fields.take().into(),
            sequence_number,
            batcher: fields.address()?,
            fees: L1Fees::Ecotone { base_fee_scalar, blob_base_fee_scalar, blob_base_fee },
            ..Self::default()
        };
        if matches!(format, Format::Isthmus | Format::Jovian) {
            info.operator_fee.scalar = u32::from_be_bytes(fields.take());
            info.operator_fee.constant = u64::from_be_bytes(fields.take());
        }
        if format == Format::Jovian {
            info.da_footprint_gas_scalar = u16::from_be_bytes(fields.take());
        }
        Ok(info)
    }
}

/// Calldata that is being read. Its length is known to be that of its format.
struct Fields<'a> {
    calldata: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        for (to, from) in field.iter_mut().zip(self.calldata.iter().skip(self.at)) {
            *to = *from;
        }
        self.at += N;
        field
    }

    /// A number in a word of 32 bytes.
    fn word<T: TryFrom<U256>>(&mut self) -> Result<T, L1InfoError> {
        let at = self.at;
        T::try_from(U256::from_be_bytes::<32>(self.take())).map_err(|_| L1InfoError::Word(at))
    }

    fn address(&mut self) -> Result<Address, L1InfoError> {
        let at = self.at;
        let word = B256::from(self.take());
        let address = Address::from_word(word);
        if address.into_word() == word { Ok(address) } else { Err(L1InfoError::Word(at)) }
    }
}

/// The L1 attributes deposit of the L2 block at `timestamp`, in its EIP-2718 form.
pub(crate) fn deposit(
    config: &RollupConfig,
    system_config: &SystemConfig,
    origin: &Sealed<Header>,
    sequence_number: u64,
    timestamp: u64,
) -> Bytes {
    let format = Format::at(config, timestamp);
    let fees = match format {
        Format::Bedrock => {
            L1Fees::Bedrock { overhead: system_config.overhead, scalar: system_config.scalar }
        }
        _ => ecotone_fees(config, system_config.scalar, origin),
    };
    let da_footprint_gas_scalar = match system_config.da_footprint_gas_scalar {
        0 => DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
        set => set,
    };
    let info = L1Info {
        number: origin.number,
        timestamp: origin.timestamp,
        base_fee: U256::from(origin.base_fee_per_gas.unwrap_or_default()),
        hash: origin.hash(),
        sequence_number,
        batcher: system_config.batcher,
        fees,
        operator_fee: system_config.operator_fee,
        da_footprint_gas_scalar,
    };
    let regolith = config.is_active(Fork::Regolith, timestamp);
    let deposit = TxDeposit {
        source_hash: source_hash(origin.hash(), sequence_number),
        from: DEPOSITOR,
        to: TxKind::Call(L1_BLOCK),
        mint: 0,
        value: U256::ZERO,
        gas_limit: if regolith { GAS } else { GAS_BEDROCK },
        is_system_transaction: !regolith,
        input: info.encode(format).into(),
    };
    deposit.encoded_2718().into()
}

fn source_hash(origin: B256, sequence_number: u64) -> B256 {
    let identifier = keccak256([origin, B256::from(U256::from(sequence_number))].concat());
    keccak256([B256::with_last_byte(SOURCE_DOMAIN), identifier].concat())
}

fn ecotone_fees(config: &RollupConfig, scalar: U256, origin: &Header) -> L1Fees {
    let (base_fee_scalar, blob_base_fee_scalar) = unpack_scalars(scalar);
    let blob_base_fee = U256::from(blob_base_fee(config, origin));
    L1Fees::Ecotone { base_fee_scalar, blob_base_fee_scalar, blob_base_fee }
}

/// The scalars of base fee and blob base fee in the scalar of a system config.
fn unpack_scalars(scalar: U256) -> (u32, u32) {
    let [version, middle @ .., a, b, c, d] = scalar.to_be_bytes::<32>();
    let base = u32::from_be_bytes([a, b, c, d]);
    let [.., e, f, g, h] = middle;
    match version {
        1 => (base, u32::from_be_bytes([e, f, g, h])),
        // A scalar from before Ecotone that does not fit.
        0 if middle != [0; 27] => (u32::MAX, 0),
        _ => (base, 0),
    }
}

/// The inverse of [`unpack_scalars`], in the newer form.
pub(crate) fn pack_scalars(base_fee_scalar: u32, blob_base_fee_scalar: u32) -> U256 {
    let scalars = u64::from(blob_base_fee_scalar) << 32 | u64::from(base_fee_scalar);
    U256::from(1) << 248 | U256::from(scalars)
}

/// What a blob costs in the L1 block, the lowest price where it has no blobs.
fn blob_base_fee(config: &RollupConfig, origin: &Header) -> u128 {
    let excess = u128::from(origin.excess_blob_gas.unwrap_or_default());
    let late = config.pectra_blob_schedule_time.is_some_and(|time| origin.timestamp < time);
    let fraction = if late {
        BLOB_GASPRICE_UPDATE_FRACTION
    } else {
        update_fraction(&config.l1, origin.timestamp)
    };
    fake_exponential(1, excess, fraction)
}

fn update_fraction(l1: &L1Config, timestamp: u64) -> u128 {
    let active = l1.blob_fees.iter().rev().find(|schedule| schedule.time <= timestamp);
    // A fraction of 0 has no meaning, and a configuration may come from anywhere.
    active.map_or(BLOB_GASPRICE_UPDATE_FRACTION, |schedule| schedule.update_fraction.max(1).into())
}

#[cfg(test)]
mod tests;
