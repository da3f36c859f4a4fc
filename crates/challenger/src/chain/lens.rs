//! Many reads in one request: the lens contract, placed at an unused address for the length of a call.
//!
//! A call of a node has a limit of gas, so requests are cut into pieces that stay below what nodes grant by
//! default. Everything is read after one block.

use super::node::{At, Block, Node, NodeError, NodeFault, PLACE, Request};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::GameLens;
use std::ops::Range;

/// Gas that one call may take by our estimate. The smallest limit among nodes is a block's, 30 million.
const CALL_GAS: u64 = 16_000_000;
/// Gas of a glance at a game, and of each claim that is watched.
const GLANCE_GAS: u64 = 24_000;
const WATCH_GAS: u64 = 20_000;
/// Gas of reading one claim in full.
const CLAIM_GAS: u64 = 20_000;
/// Gas of one view.
const VIEW_GAS: u64 = 16_000;

/// The code of the lens, and the node that runs it.
#[derive(Clone, Debug)]
pub struct Lens {
    node: Node,
}

/// A game, and its claims whose state may change without a new claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The game.
    pub game: Address,
    /// The claims.
    pub claims: Vec<u32>,
}

/// A view, and who answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The contract.
    pub target: Address,
    /// The call.
    pub data: Bytes,
}

/// What a view gave: none where it reverts or where there is no contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(Option<Bytes>);

/// The nine words that the lens gives for a claim.
pub const CLAIM_BYTES: usize = 9 * 32;

impl View {
    /// A call of `target`.
    pub fn new(target: Address, call: &impl SolCall) -> Self {
        Self { target, data: call.abi_encode().into() }
    }
}

impl Answer {
    /// The answer as a call's results; none where there is none, or one of another form.
    pub fn decode<C: SolCall>(&self) -> Option<C::Return> {
        C::abi_decode_returns(self.0.as_ref()?).ok()
    }
}

impl Lens {
    /// Reads through `node`.
    pub const fn new(node: Node) -> Self {
        Self { node }
    }

    /// The node.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    async fn ask<C: SolCall>(&self, call: &C, block: &Block) -> Result<C::Return, NodeError> {
        let request = Request { to: PLACE, data: call.abi_encode().into(), ..Request::default() };
        let code = &GameLens::DEPLOYED_BYTECODE;
        let answer = self.node.call_code(code, &request, At::Block(block.hash)).await?;
        C::abi_decode_returns(&answer).map_err(|error| NodeError {
            method: "eth_call",
            fault: NodeFault::Shape(format!("not what the placed code answers: {error}")),
        })
    }

    /// One hash a game over all that can change in it. See the contract.
    pub async fn glance(&self, watches: &[Watch], block: &Block) -> Result<Vec<B256>, NodeError> {
        let mut prints = Vec::with_capacity(watches.len());
        let gas = |watch: &Watch| GLANCE_GAS + WATCH_GAS * watch.claims.len() as u64;
        for piece in pieces(watches, gas) {
            let watches = piece.iter().map(|watch| GameLens::Watch {
                game: watch.game,
                claims: watch.claims.iter().map(|index| U256::from(*index)).collect(),
            });
            let call = GameLens::glanceCall { _watches: watches.collect() };
            prints.extend(same_length(self.ask(&call, block).await?, piece.len())?);
        }
        Ok(prints)
    }

    /// The claims of ranges of games, each as [`CLAIM_BYTES`], up to the first that a game does not give.
    pub async fn claims(
        &self,
        ranges: &[(Address, Range<u32>)],
        block: &Block,
    ) -> Result<Vec<Vec<u8>>, NodeError> {
        let most = (CALL_GAS / CLAIM_GAS) as u32;
        let mut parts = Vec::new();
        for (place, (game, range)) in ranges.iter().enumerate() {
            let mut from = range.start;
            while from < range.end {
                let to = from.saturating_add(most).min(range.end);
                parts.push((place, *game, from, to));
                from = to;
            }
        }
        let mut claims = vec![Vec::new(); ranges.len()];
        for piece in pieces(&parts, |(_, _, from, to)| CLAIM_GAS * u64::from(to - from)) {
            let asked = piece.iter().map(|(_, game, from, to)| GameLens::Range {
                game: *game,
                from: U256::from(*from),
                to: U256::from(*to),
            });
            let call = GameLens::claimsCall { _ranges: asked.collect() };
            let answers = same_length(self.ask(&call, block).await?, piece.len())?;
            for ((place, ..), answer) in piece.iter().zip(answers) {
                if let Some(claims) = claims.get_mut(*place) {
                    claims.extend_from_slice(&answer);
                }
            }
        }
        Ok(claims)
    }

    /// The answers of views, in their order.
    pub async fn views(&self, views: &[View], block: &Block) -> Result<Vec<Answer>, NodeError> {
        let mut answers = Vec::with_capacity(views.len());
        for piece in pieces(views, |_| VIEW_GAS) {
            let calls = piece
                .iter()
                .map(|view| GameLens::Call { target: view.target, data: view.data.clone() });
            let call = GameLens::viewsCall { _calls: calls.collect() };
            let given = same_length(self.ask(&call, block).await?, piece.len())?;
            answers.extend(given.into_iter().map(|a| Answer(a.success.then_some(a.data))));
        }
        Ok(answers)
    }

    /// The answer of one view.
    pub async fn view<C: SolCall>(
        &self,
        target: Address,
        call: &C,
        block: &Block,
    ) -> Result<Option<C::Return>, NodeError> {
        let answers = self.views(&[View::new(target, call)], block).await?;
        Ok(answers.first().and_then(Answer::decode::<C>))
    }
}

/// Cuts a list where the gas of a call is used up. No piece is empty.
fn pieces<T>(list: &[T], gas: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0_u64);
    for (index, item) in list.iter().enumerate() {
        let cost = gas(item);
        if index > start && used.saturating_add(cost) > CALL_GAS {
            pieces.push(&list[start..index]);
            (start, used) = (index, 0);
        }
        used = used.saturating_add(cost);
    }
    if start < list.len() {
        pieces.push(&list[start..]);
    }
    pieces
}

fn same_length<T>(answers: Vec<T>, asked: usize) -> Result<Vec<T>, NodeError> {
    if answers.len() == asked {
        return Ok(answers);
    }
    let fault = NodeFault::Shape(format!("{} answers to {asked} questions", answers.len()));
    Err(NodeError { method: "eth_call", fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_cut_where_the_gas_is_used_up() {
        let check = |costs: &[u64], want: &[usize]| {
            let lengths: Vec<_> = pieces(costs, |cost| *cost).iter().map(|p| p.len()).collect();
            assert_eq!(lengths, want, "{costs:?}");
        };
        check(&[], &[]);
        check(&[1, 2, 3], &[3]);
        check(&[CALL_GAS, 1], &[1, 1]);
        check(&[CALL_GAS - 1, 1, 1], &[2, 1]);
        // What alone exceeds the limit is tried alone.
        check(&[u64::MAX, u64::MAX, 1], &[1, 1, 1]);
    }
}
