//! Every rule of execution that depends on the fork, in one table.
//!
//! Invariant: no other module compares a [`Fork`] or a timestamp with anything; they read the
//! [`Rules`] of the block they build (and, for the base fee, of its parent).
//!
//! Specification: "Execution engine" pages of Bedrock to Karst.

use op_revm::OpSpecId;

/// An upgrade of the chain that changed execution.
///
/// Delta changed derivation only and is therefore absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// The base protocol.
    Bedrock,
    /// Deposits account for their gas.
    Regolith,
    /// Shanghai.
    Canyon,
    /// Cancun without blob transactions.
    Ecotone,
    /// L1 cost by estimated compressed size.
    Fjord,
    /// A limit on the input of the pairing precompile.
    Granite,
    /// EIP-1559 parameters in the header.
    Holocene,
    /// Prague; operator fee; withdrawals root of the message passer.
    Isthmus,
    /// Minimum base fee; data availability footprint.
    Jovian,
    /// Osaka.
    Karst,
}

impl Fork {
    /// Every fork with a time, oldest first.
    pub const TIMED: [Self; 9] = [
        Self::Regolith,
        Self::Canyon,
        Self::Ecotone,
        Self::Fjord,
        Self::Granite,
        Self::Holocene,
        Self::Isthmus,
        Self::Jovian,
        Self::Karst,
    ];

    /// The rules in force while this is the latest active fork.
    pub const fn rules(self) -> Rules {
        let age = self as u8;
        Rules {
            spec: self.spec(),
            deposit_receipt: if age >= Self::Canyon as u8 {
                DepositReceipt::Versioned
            } else if age >= Self::Regolith as u8 {
                DepositReceipt::NonceOutsideRoot
            } else {
                DepositReceipt::Plain
            },
            deposits_exceed_block_gas: age < Self::Regolith as u8,
            canyon_denominator: age >= Self::Canyon as u8,
            withdrawals_root: if age >= Self::Isthmus as u8 {
                WithdrawalsRoot::MessagePasser
            } else if age >= Self::Canyon as u8 {
                WithdrawalsRoot::Empty
            } else {
                WithdrawalsRoot::Absent
            },
            beacon_root: age >= Self::Ecotone as u8,
            blob_fields: age >= Self::Ecotone as u8,
            extra_data: if age >= Self::Jovian as u8 {
                ExtraData::Jovian
            } else if age >= Self::Holocene as u8 {
                ExtraData::Holocene
            } else {
                ExtraData::Empty
            },
            history_contract: age >= Self::Isthmus as u8,
            requests_hash: age >= Self::Isthmus as u8,
            da_footprint: age >= Self::Jovian as u8,
            input_limits: self.input_limits(),
        }
    }

    /// Whether the block is the one that places the create2 deployer: the first of Canyon.
    pub fn places_create2_deployer(self, parent: Self) -> bool {
        parent < Self::Canyon && self >= Self::Canyon
    }

    const fn spec(self) -> OpSpecId {
        match self {
            Self::Bedrock => OpSpecId::BEDROCK,
            Self::Regolith => OpSpecId::REGOLITH,
            Self::Canyon => OpSpecId::CANYON,
            Self::Ecotone => OpSpecId::ECOTONE,
            Self::Fjord => OpSpecId::FJORD,
            Self::Granite => OpSpecId::GRANITE,
            Self::Holocene => OpSpecId::HOLOCENE,
            Self::Isthmus => OpSpecId::ISTHMUS,
            Self::Jovian => OpSpecId::JOVIAN,
            Self::Karst => OpSpecId::KARST,
        }
    }

    const fn input_limits(self) -> InputLimits {
        match self {
            Self::Bedrock | Self::Regolith | Self::Canyon | Self::Ecotone | Self::Fjord => {
                InputLimits::NONE
            }
            Self::Granite | Self::Holocene => {
                InputLimits { bn254_pairing: 112_687, ..InputLimits::NONE }
            }
            Self::Isthmus => InputLimits {
                bn254_pairing: 112_687,
                bls_g1_msm: 513_760,
                bls_g2_msm: 488_448,
                bls_pairing: 235_008,
            },
            Self::Jovian => InputLimits {
                bn254_pairing: 81_984,
                bls_g1_msm: 288_960,
                bls_g2_msm: 278_784,
                bls_pairing: 156_672,
            },
            Self::Karst => InputLimits {
                bn254_pairing: 57_600,
                bls_g1_msm: 288_960,
                bls_g2_msm: 278_784,
                bls_pairing: 156_672,
            },
        }
    }
}

/// When each fork activates: the timestamp of its first block, `None` where it is not scheduled.
///
/// A later fork implies the earlier ones, whatever their entries say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForkTimes {
    times: [Option<u64>; Fork::TIMED.len()],
}

impl ForkTimes {
    /// Sets the activation time of `fork`, in seconds. Bedrock has none: it is the base protocol.
    #[must_use]
    pub const fn with(mut self, fork: Fork, time: Option<u64>) -> Self {
        // TIMED lists the forks in the order of their numbers, without Bedrock.
        if let Some(row) = (fork as usize).checked_sub(1) {
            self.times[row] = time;
        }
        self
    }

    /// The activation time of `fork`, in seconds.
    pub fn time(&self, fork: Fork) -> Option<u64> {
        match fork {
            Fork::Bedrock => Some(0),
            _ => self.times[fork as usize - 1],
        }
    }

    /// The latest fork that is active at `timestamp`.
    pub fn active(&self, timestamp: u64) -> Fork {
        let reached = |fork: &&Fork| self.time(**fork).is_some_and(|time| time <= timestamp);
        Fork::TIMED.iter().rev().find(reached).copied().unwrap_or(Fork::Bedrock)
    }
}

/// What distinguishes the blocks of one fork from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The instruction set, gas schedule and fee rules inside a transaction.
    pub spec: OpSpecId,
    /// The shape of a deposit's receipt.
    pub deposit_receipt: DepositReceipt,
    /// Deposits do not count against the block's gas limit.
    pub deposits_exceed_block_gas: bool,
    /// Of the chain's two EIP-1559 denominators the newer one applies.
    pub canyon_denominator: bool,
    /// The header's `withdrawalsRoot`.
    pub withdrawals_root: WithdrawalsRoot,
    /// The parent beacon block root is in the header and handed to its contract (EIP-4788).
    pub beacon_root: bool,
    /// `blobGasUsed` and `excessBlobGas` are in the header; `BLOBBASEFEE` returns 1.
    pub blob_fields: bool,
    /// The header's `extraData`.
    pub extra_data: ExtraData,
    /// The parent's hash is handed to the history contract (EIP-2935).
    pub history_contract: bool,
    /// The header carries the hash of an empty request list (EIP-7685).
    pub requests_hash: bool,
    /// `blobGasUsed` is the block's data availability footprint, which the gas limit bounds.
    pub da_footprint: bool,
    /// How long the inputs of precompiles may be.
    pub input_limits: InputLimits,
}

/// The shape of a deposit's receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositReceipt {
    /// As for any other transaction.
    Plain,
    /// With the sender's nonce, which the receipts root does not cover.
    NonceOutsideRoot,
    /// With the sender's nonce and version 1, both covered by the receipts root.
    Versioned,
}

/// What the header's `withdrawalsRoot` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawalsRoot {
    /// The field does not exist.
    Absent,
    /// The root of the empty trie.
    Empty,
    /// The storage root of the `L2ToL1MessagePasser` after the block.
    MessagePasser,
}

/// What the header's `extraData` holds.
///
/// ```text
///   Holocene  ┌───┬───────────────┬──────────────┐
///             │ 0 │ denominator 4 │ elasticity 4 │
///             ├───┼───────────────┼──────────────┼────────────────┐
///   Jovian    │ 1 │ denominator 4 │ elasticity 4 │ min base fee 8 │
///             └───┴───────────────┴──────────────┴────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraData {
    /// Nothing.
    Empty,
    /// 9 bytes.
    Holocene,
    /// 17 bytes.
    Jovian,
}

/// The longest inputs of precompiles, in bytes. A longer one fails the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// Pairing check on bn254 (0x08).
    pub bn254_pairing: usize,
    /// Multi-scalar multiplication in G1 of BLS12-381 (0x0c).
    pub bls_g1_msm: usize,
    /// Multi-scalar multiplication in G2 of BLS12-381 (0x0e).
    pub bls_g2_msm: usize,
    /// Pairing check on BLS12-381 (0x0f).
    pub bls_pairing: usize,
}

impl InputLimits {
    const NONE: Self = Self {
        bn254_pairing: usize::MAX,
        bls_g1_msm: usize::MAX,
        bls_g2_msm: usize::MAX,
        bls_pairing: usize::MAX,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of OP Mainnet, from the superchain registry.
    fn op_mainnet() -> ForkTimes {
        ForkTimes::default()
            .with(Fork::Canyon, Some(1_704_992_401))
            .with(Fork::Ecotone, Some(1_710_374_401))
            .with(Fork::Fjord, Some(1_720_627_201))
            .with(Fork::Holocene, Some(1_736_445_601))
    }

    #[test]
    fn a_fork_is_active_from_its_first_second() {
        let times = op_mainnet();
        assert_eq!(times.active(1_710_374_400), Fork::Canyon);
        assert_eq!(times.active(1_710_374_401), Fork::Ecotone);
        assert_eq!(times.active(u64::MAX), Fork::Holocene);
        assert_eq!(times.active(0), Fork::Bedrock);
    }

    #[test]
    fn a_fork_without_a_time_is_implied_by_a_later_one() {
        let rules = op_mainnet().active(1_736_445_601).rules();
        assert_eq!(rules.input_limits.bn254_pairing, 112_687);
    }

    #[test]
    fn the_order_of_the_table_is_the_order_of_the_forks() {
        for (row, fork) in Fork::TIMED.into_iter().enumerate() {
            assert_eq!(fork as usize, row + 1);
            let times = ForkTimes::default().with(fork, Some(7));
            assert_eq!((times.active(6), times.active(7)), (Fork::Bedrock, fork));
        }
    }
}
