//! The base fee of a block and the parameters that its header hands to the next.
//!
//! Specification: EIP-1559; Holocene and Jovian execution engine, "Dynamic EIP-1559 Parameters"
//! and "Minimum Base Fee".

use crate::{
    AttributesError, ChainParameters, Fork, PayloadAttributes,
    forks::{ExtraData, Rules},
};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::Bytes;

/// What the next base fee is computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parameters {
    denominator: u32,
    elasticity: u32,
    minimum: u64,
}

/// The base fee of a block under `rules` that follows `parent`.
///
/// # Errors
/// [`AttributesError`] when the parent's header lacks or contradicts what its fork prescribes.
pub(crate) fn next(
    chain: &ChainParameters,
    rules: &Rules,
    parent: &Header,
) -> Result<u64, AttributesError> {
    let parent_fork = chain.forks.active(parent.timestamp);
    let parent_rules = parent_fork.rules();
    let parameters = match parent_rules.extra_data {
        ExtraData::Empty => Parameters {
            denominator: if rules.canyon_denominator {
                chain.base_fee.denominator_canyon
            } else {
                chain.base_fee.denominator
            },
            elasticity: chain.base_fee.elasticity,
            minimum: 0,
        },
        ExtraData::Holocene | ExtraData::Jovian => {
            decode(&parent.extra_data, parent_rules).ok_or(AttributesError::ParentExtraData {
                length_bytes: parent.extra_data.len(),
                fork: parent_fork,
            })?
        }
    };
    let base_fee =
        parent.base_fee_per_gas.ok_or(AttributesError::ParentField { name: "baseFeePerGas" })?;
    let gas_used = if parent_rules.da_footprint {
        parent.gas_used.max(parent.blob_gas_used.unwrap_or_default())
    } else {
        parent.gas_used
    };
    let Parameters { denominator, elasticity, minimum } = parameters;
    changed(base_fee, gas_used, parent.gas_limit, denominator, elasticity)
        .map(|fee| fee.max(minimum))
        .ok_or(AttributesError::BaseFee { gas_limit: parent.gas_limit, elasticity, denominator })
}

/// EIP-1559: the base fee moves towards demand, by one part in `denominator` at most.
fn changed(
    base_fee: u64,
    gas_used: u64,
    gas_limit: u64,
    denominator: u32,
    elasticity: u32,
) -> Option<u64> {
    let target = gas_limit.checked_div(elasticity.into())?;
    if gas_used == target {
        return Some(base_fee);
    }
    // Below 2^128: two factors of 64 bits each.
    let part = u128::from(base_fee) * u128::from(gas_used.abs_diff(target));
    let delta = part.checked_div(target.into())?.checked_div(denominator.into())?;
    if gas_used > target {
        u64::try_from(u128::from(base_fee).checked_add(delta.max(1))?).ok()
    } else {
        u64::try_from(u128::from(base_fee).saturating_sub(delta)).ok()
    }
}

/// Reads `extraData` in the layouts of [`ExtraData`]. Parameters of 0 are invalid.
fn decode(extra_data: &[u8], rules: Rules) -> Option<Parameters> {
    let (version, length) = match rules.extra_data {
        ExtraData::Empty => return None,
        ExtraData::Holocene => (0, 9),
        ExtraData::Jovian => (1, 17),
    };
    if extra_data.len() != length || extra_data[0] != version {
        return None;
    }
    let (denominator, rest) = extra_data[1..].split_first_chunk()?;
    let (elasticity, rest) = rest.split_first_chunk()?;
    let parameters = Parameters {
        denominator: u32::from_be_bytes(*denominator),
        elasticity: u32::from_be_bytes(*elasticity),
        minimum: rest.first_chunk().map_or(0, |minimum| u64::from_be_bytes(*minimum)),
    };
    (parameters.denominator != 0 && parameters.elasticity != 0).then_some(parameters)
}

/// The `extraData` of a block with these attributes.
///
/// # Errors
/// [`AttributesError`] when the attributes do not hold exactly what the fork has.
pub(crate) fn extra_data(
    chain: &ChainParameters,
    fork: Fork,
    rules: &Rules,
    attributes: &PayloadAttributes,
) -> Result<Bytes, AttributesError> {
    let holocene = rules.extra_data != ExtraData::Empty;
    let jovian = rules.extra_data == ExtraData::Jovian;
    let params = present("eip1559Params", attributes.eip_1559_params, holocene, fork)?;
    let minimum = present("minBaseFee", attributes.min_base_fee, jovian, fork)?;
    let Some(params) = params else { return Ok(Bytes::new()) };

    let [d0, d1, d2, d3, e0, e1, e2, e3] = params;
    let mut denominator = u32::from_be_bytes([d0, d1, d2, d3]);
    let mut elasticity = u32::from_be_bytes([e0, e1, e2, e3]);
    if (denominator, elasticity) == (0, 0) {
        denominator = chain.base_fee.denominator_canyon;
        elasticity = chain.base_fee.elasticity;
    }
    if denominator == 0 || elasticity == 0 {
        return Err(AttributesError::BaseFeeParameters { denominator, elasticity });
    }
    let mut extra_data = Vec::with_capacity(17);
    extra_data.push(u8::from(jovian));
    extra_data.extend(denominator.to_be_bytes());
    extra_data.extend(elasticity.to_be_bytes());
    extra_data.extend(minimum.map(u64::to_be_bytes).into_iter().flatten());
    Ok(extra_data.into())
}

/// An attribute that must be there exactly when the fork has it.
///
/// # Errors
/// [`AttributesError::Missing`] and [`AttributesError::Unexpected`].
pub(crate) fn present<T>(
    name: &'static str,
    value: Option<T>,
    wanted: bool,
    fork: Fork,
) -> Result<Option<T>, AttributesError> {
    match (&value, wanted) {
        (None, true) => Err(AttributesError::Missing { name, fork }),
        (Some(_), false) => Err(AttributesError::Unexpected { name, fork }),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BaseFeeDefaults, ForkTimes};
    use alloy_primitives::hex;

    const HOLOCENE_EXTRA: [u8; 9] = hex!("00000000fa00000006");

    /// The fee after a parent with a target of 10 million gas, by hand.
    fn check(fork: Fork, extra_data: &[u8], gas: (u64, u64), base_fee: u64, expected: u64) {
        let chain = ChainParameters {
            chain_id: 10,
            forks: ForkTimes::default().with(fork, Some(0)),
            base_fee: BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 },
        };
        let parent = Header {
            gas_limit: 60_000_000,
            gas_used: gas.0,
            blob_gas_used: Some(gas.1),
            base_fee_per_gas: Some(base_fee),
            extra_data: Bytes::copy_from_slice(extra_data),
            ..Header::default()
        };
        assert_eq!(next(&chain, &fork.rules(), &parent), Ok(expected), "{fork:?}, gas {gas:?}");
    }

    #[test]
    fn the_fee_follows_the_gas_used() {
        check(Fork::Regolith, &[], (5_000_000, 0), 1000, 990);
        check(Fork::Canyon, &[], (5_000_000, 0), 1000, 998);
        check(Fork::Holocene, &HOLOCENE_EXTRA, (10_000_000, 0), 1000, 1000);
        check(Fork::Holocene, &HOLOCENE_EXTRA, (60_000_000, 0), 1000, 1020);
        // A rise is at least 1.
        check(Fork::Holocene, &HOLOCENE_EXTRA, (10_000_001, 0), 7, 8);
    }

    #[test]
    fn parameters_in_the_parent_take_precedence() {
        check(Fork::Holocene, &hex!("000000000a00000006"), (20_000_000, 0), 1000, 1100);
    }

    #[test]
    fn from_jovian_on_the_larger_of_gas_and_footprint_counts() {
        let extra = hex!("01000000fa000000060000000000000000");
        check(Fork::Jovian, &extra, (5_000_000, 20_000_000), 1000, 1004);
        check(Fork::Jovian, &extra, (20_000_000, 5_000_000), 1000, 1004);
        check(Fork::Holocene, &HOLOCENE_EXTRA, (5_000_000, 20_000_000), 1000, 998);
    }

    #[test]
    fn from_jovian_on_the_fee_has_a_floor() {
        let extra = hex!("01000000fa000000060000000000001388");
        check(Fork::Jovian, &extra, (5_000_000, 0), 1000, 5000);
        check(Fork::Jovian, &extra, (20_000_000, 0), 10_000, 10_040);
    }

    #[test]
    fn extra_data_of_another_fork_is_refused() {
        let jovian = hex!("01000000fa000000060000000000000000");
        assert_eq!(decode(&jovian, Fork::Holocene.rules()), None);
        assert_eq!(decode(&HOLOCENE_EXTRA, Fork::Jovian.rules()), None);
        assert_eq!(decode(&hex!("000000000000000006"), Fork::Holocene.rules()), None);
        assert_eq!(decode(&[], Fork::Holocene.rules()), None);
    }
}
