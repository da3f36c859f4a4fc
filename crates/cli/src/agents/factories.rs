//! The factories of dispute games of the superchain registry's chains. `cargo xtask registry` renews the list.

use alloy_primitives::Address;
use anyhow::Context;

const LIST: &str = include_str!("../../assets/factories.txt");

/// The factory on the L1 chain of a chain with this name, as `op-mainnet`.
///
/// # Errors
/// The registry has no such chain, or no factory for it.
pub fn of(name: &str) -> anyhow::Result<Address> {
    let found =
        rows().find(|(known, _)| *known == name).and_then(|(_, address)| address.parse().ok());
    found.with_context(|| {
        format!(
            "the superchain registry names no factory for {name:?}: give --game-factory-address"
        )
    })
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter_map(|line| line.split_once(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    #[test]
    fn chains_of_the_registry_have_their_factories() {
        let check = |name: &str, want| assert_eq!(of(name).ok(), want, "{name}");
        check("op-mainnet", Some(address!("e5965Ab5962eDc7477C8520243A95517CD252fA9")));
        check("op-sepolia", Some(address!("05F9613aDB30026FFd634f38e5C4dFd30a197Fa1")));
        check("op", None);
        check("", None);
        for (name, _) in rows() {
            assert!(of(name).is_ok(), "{name}");
        }
        assert_eq!(rows().count(), LIST.lines().count());
    }
}
