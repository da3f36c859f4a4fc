//! A whole deployment in the embedded EVM: what a plan puts there, and large preimages from recorded inputs.

mod deployment;
mod large_preimages;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::Chain;

/// A call with so much wei, which the account is given; it must succeed.
fn call<C: SolCall>(
    chain: &mut Chain,
    from: Address,
    to: Address,
    wei: u128,
    call: &C,
) -> C::Return {
    let balance = chain.balance(from) + U256::from(wei);
    chain.set_balance(from, balance);
    let receipt = chain.transact(from, to, U256::from(wei), call);
    receipt.unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE)).output
}
