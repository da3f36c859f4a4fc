//! Bonds: what a claim costs, and what a side must be able to put up.
//!
//! A bond is the price of the gas that answering may need. It grows by the same factor from level to level,
//! from 400,000 gas at the root to 300,000,000 at the largest depth, at 200 gwei:
//!
//! ```text
//!   base = exp(ln(750) / max depth)      gas = floor(400,000 * base ^ depth)      bond = gas * 200 gwei
//! ```
//!
//! The contract computes this in fixed point with 18 decimals, so the result is not the rounded real number:
//! at the largest depth it is one gas short. The steps below are the contract's, each rounded down where it
//! rounds; exponential and logarithm are sums of series with 18 further decimals.
//!
//! Source: fault dispute game specification, "Bond incentives"; `getRequiredBond` of the deployed contracts.

use crate::{Depth, Parameters};
use alloy_primitives::U256;
use core::fmt;
use core::iter::Sum;
use core::ops::Add;

/// An amount in wei, as games store it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bond(pub u128);

/// What honest play may have to put up in one game, before anything comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capital {
    /// All answers along one path of moves, where the root is right: those at even depths, without the root.
    pub defending: Bond,
    /// The same where the root is wrong: those at odd depths.
    pub challenging: Bond,
}

const ROOT_GAS: u64 = 400_000;
/// ln(750) with 18 decimals; 750 is 300,000,000 / 400,000.
const LN_GROWTH_WAD: u64 = 6_620_073_206_530_356_124;
const GAS_PRICE_WEI: u128 = 200_000_000_000;

/// One, with 18 decimals.
const WAD: u64 = 1_000_000_000_000_000_000;
/// One, with 36 decimals.
const FINE: U256 = U256::from_limbs([12_919_594_847_110_692_864, 54_210_108_624_275_221, 0, 0]);

impl Parameters {
    /// What a claim at `depth` must bring. The root's is what the factory asks instead.
    ///
    /// Below the largest depth there are no claims; the result there is the bond of the largest.
    pub fn required_bond(&self, depth: Depth) -> Bond {
        let levels = U256::from(self.max_depth().get());
        let wad = U256::from(WAD);
        let per_level = U256::from(LN_GROWTH_WAD) * (wad / levels) / wad;
        let base = exp_wad(per_level);
        let depth = U256::from(depth.min(self.max_depth()).get());
        let growth = exp_wad(ln_wad(base) * depth);
        let gas = U256::from(ROOT_GAS) * growth / wad;
        Bond(gas.saturating_to::<u128>().saturating_mul(GAS_PRICE_WEI))
    }

    /// What one opponent who plays every level makes the honest side put up.
    ///
    /// Each further claim that has to be answered costs its author a bond one level above that of the answer,
    /// so in any game at all the honest side puts up at most [`Self::required_bond`] of the answer for each
    /// bond of the answered claim: at most 750^(1 / max depth) of the opponents' capital.
    pub fn path_capital(&self) -> Capital {
        let path = |first: u8| {
            (first..=self.max_depth().get())
                .step_by(2)
                .filter_map(|depth| Depth::new(depth.into()).ok())
                .map(|depth| self.required_bond(depth))
                .sum()
        };
        Capital { defending: path(2), challenging: path(1) }
    }
}

/// e^x for x in 0..10, both with 18 decimals, rounded down.
fn exp_wad(x: U256) -> U256 {
    let x = x * U256::from(WAD);
    let mut term = FINE;
    let mut sum = U256::ZERO;
    let mut n = U256::ZERO;
    // Terms grow while n < x, to at most e^10, and every term is below 2^140: no product overflows.
    while !term.is_zero() {
        sum += term;
        n += U256::ONE;
        term = term * x / FINE / n;
    }
    sum / U256::from(WAD)
}

/// ln x for x in 1..1000, both with 18 decimals, rounded down: twice the area tangent of (x - 1) / (x + 1).
fn ln_wad(x: U256) -> U256 {
    let wad = U256::from(WAD);
    let ratio = x.saturating_sub(wad) * FINE / (x + wad);
    let square = ratio * ratio / FINE;
    let mut power = ratio;
    let mut sum = U256::ZERO;
    let mut n = U256::ONE;
    while !power.is_zero() {
        sum += power / n;
        n += U256::from(2);
        power = power * square / FINE;
    }
    (sum + sum) / wad
}

impl Add for Bond {
    type Output = Self;

    /// Saturates: no sum of real bonds comes near.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Bond {
    fn sum<I: Iterator<Item = Self>>(bonds: I) -> Self {
        bonds.fold(Self(0), Self::add)
    }
}

impl fmt::Display for Bond {
    /// In ETH, all decimals that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wad = u128::from(WAD);
        let (whole, mut rest) = (self.0 / wad, self.0 % wad);
        write!(f, "{whole}")?;
        let mut width = 18;
        while rest != 0 && rest.is_multiple_of(10) {
            rest /= 10;
            width -= 1;
        }
        if rest != 0 {
            write!(f, ".{rest:0width$}")?;
        }
        f.write_str(" ETH")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::parameters;
    use alloc::string::ToString;

    /// Expected gas: computed apart from this code, with the fixed-point library of the deployed contract.
    #[test]
    fn bonds_are_the_contracts() {
        let check = |max_depth, depth, gas: u128| {
            let depth = Depth::new(depth).unwrap();
            let bond = parameters(max_depth, 2).required_bond(depth);
            assert_eq!(bond, Bond(gas * 200_000_000_000), "depth {depth} of {max_depth}");
        };
        for (depth, gas) in [
            (0, 400_000),
            (1, 437_970),
            (2, 479_544),
            (3, 525_065),
            (4, 574_906),
            (10, 990_612),
            (20, 2_453_285),
            (29, 5_548_909),
            (30, 6_075_639),
            (31, 6_652_370),
            (32, 7_283_847),
            (40, 15_046_518),
            (50, 37_263_190),
            (60, 92_283_497),
            (70, 228_543_067),
            (72, 273_991_351),
            (73, 299_999_999),
        ] {
            check(73, depth, gas);
        }
        let ladder = [
            400_000,
            915_045,
            2_093_270,
            4_788_593,
            10_954_451,
            25_059_550,
            57_326_567,
            131_141_031,
            299_999_999,
        ];
        for (depth, gas) in (0..).zip(ladder) {
            check(8, depth, gas);
        }
    }

    #[test]
    fn the_capital_of_a_path_is_all_bonds_of_a_side() {
        let mainnet = parameters(73, 30);
        let capital = mainnet.path_capital();
        let root = mainnet.required_bond(Depth::ROOT);
        let total = root + capital.defending + capital.challenging;
        // All levels together, known to two decimals from elsewhere.
        assert_eq!(total.0 / 10_u128.pow(16), 69_123);
        assert!(capital.challenging > capital.defending);
    }

    #[test]
    fn bonds_read_as_ether() {
        let check = |wei, want: &str| assert_eq!(Bond(wei).to_string(), want);
        check(0, "0 ETH");
        check(1, "0.000000000000000001 ETH");
        check(80_000_000_000_000_000, "0.08 ETH");
        check(59_999_999_800_000_000_000, "59.9999998 ETH");
        check(10_u128.pow(19), "10 ETH");
    }
}
