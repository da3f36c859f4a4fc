//! What a transaction offers per gas, and how offers grow.

/// Limits of offers, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeLimits {
    /// Offers are at most this many times what the market asks, once they are above `threshold`.
    pub multiplier: u64,
    /// Below this an offer is never too high.
    pub threshold: u128,
    /// Least tip.
    pub min_tip: u128,
    /// Largest tip, where there is a limit.
    pub max_tip: Option<u128>,
    /// Least base fee to count with.
    pub min_base_fee: u128,
    /// Largest base fee to count with, where there is a limit.
    pub max_base_fee: Option<u128>,
}

const GWEI: u128 = 1_000_000_000;

impl Default for FeeLimits {
    fn default() -> Self {
        Self {
            multiplier: 5,
            threshold: 100 * GWEI,
            min_tip: GWEI,
            max_tip: None,
            min_base_fee: GWEI,
            max_base_fee: None,
        }
    }
}

/// An offer, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// To the block's proposer.
    pub tip: u128,
    /// In total.
    pub cap: u128,
}

impl FeeLimits {
    /// The offer for a market with this base fee and tip: the base fee may double until it is taken.
    pub fn offer(&self, base_fee: u128, suggested_tip: u128) -> Fees {
        let tip = suggested_tip.max(self.min_tip).min(self.max_tip.unwrap_or(u128::MAX));
        let base = base_fee.max(self.min_base_fee).min(self.max_base_fee.unwrap_or(u128::MAX));
        Fees { tip, cap: base.saturating_mul(2).saturating_add(tip) }
    }

    /// The offer that replaces `last` in a market that asks `market`; none where it would be too high.
    ///
    /// Nodes take a replacement whose tip and cap are both at least a tenth higher.
    pub fn replace(&self, last: Fees, market: Fees) -> Option<Fees> {
        let higher = |fee: u128| fee.saturating_add(fee.div_ceil(10)).saturating_add(1);
        let next =
            Fees { tip: higher(last.tip).max(market.tip), cap: higher(last.cap).max(market.cap) };
        let limit = market.cap.saturating_mul(u128::from(self.multiplier)).max(self.threshold);
        let tip_allowed = self.max_tip.is_none_or(|max| next.tip <= max);
        (next.cap <= limit && tip_allowed).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_follow_the_market_within_limits() {
        let limits = FeeLimits::default();
        let check = |base, tip, want: (u128, u128)| {
            let Fees { tip, cap } = limits.offer(base * GWEI, tip * GWEI);
            assert_eq!((tip / GWEI, cap / GWEI), want, "base {base}, tip {tip}");
        };
        check(0, 0, (1, 3));
        check(10, 2, (2, 22));
        let tight = FeeLimits { max_tip: Some(3 * GWEI), max_base_fee: Some(5 * GWEI), ..limits };
        assert_eq!(tight.offer(50 * GWEI, 9 * GWEI), Fees { tip: 3 * GWEI, cap: 13 * GWEI });
        assert_eq!(limits.offer(u128::MAX, u128::MAX).cap, u128::MAX);
    }

    #[test]
    fn replacements_are_a_tenth_higher_until_they_are_too_high() {
        let limits = FeeLimits::default();
        let market = Fees { tip: GWEI, cap: 30 * GWEI };
        let mut fees = market;
        let mut rounds = 0;
        while let Some(next) = limits.replace(fees, market) {
            assert!(next.tip * 10 > fees.tip * 11 && next.cap * 10 > fees.cap * 11);
            fees = next;
            rounds += 1;
        }
        // 30 gwei times 1.1^n stays below 150 gwei for n up to 16.
        assert_eq!(rounds, 16);
        // A market that has risen is followed at once.
        let risen = Fees { tip: 2 * GWEI, cap: 90 * GWEI };
        assert_eq!(limits.replace(market, risen), Some(risen));
        // Cheap offers never count as too high.
        let cheap = Fees { tip: 1, cap: 10 };
        assert!(limits.replace(Fees { tip: GWEI, cap: 80 * GWEI }, cheap).is_some());
    }
}
