//! Many reads in one request: the lens contract, placed at an unused address for the length of a call.
//!
//! A call of a node has a limit of gas, so requests are cut into pieces that stay below what nodes grant by
//! default. Everything is read after one block.

use super::node::{At, Block, Node, NodeError, NodeFault, PLACE, Request};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
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

    /// Asks about a list piece by piece. A piece that takes more gas than the node grants, as where contracts burn
    /// what they get, is halved; what alone takes more has no answer.
    async fn in_pieces<T, C, R>(
        &self,
        list: &[T],
        block: &Block,
        gas: impl Fn(&T) -> u64,
        call: impl Fn(&[T]) -> C,
    ) -> Result<Vec<Option<R>>, NodeError>
    where
        C: SolCall<Return = Vec<R>>,
    {
        let mut answers = Vec::with_capacity(list.len());
        let mut left = pieces(list, gas);
        left.reverse();
        while let Some(piece) = left.pop() {
            match self.ask(&call(piece), block).await {
                Ok(given) => answers.extend(same_length(given, piece.len())?.into_iter().map(Some)),
                Err(error) if !error.fault.is_too_much() => return Err(error),
                Err(_) if piece.len() == 1 => answers.push(None),
                Err(_) => {
                    let (first, second) = piece.split_at(piece.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok(answers)
    }

    /// One hash a game over all that can change in it, zero for one that takes too much to read. See the contract.
    pub async fn glance(&self, watches: &[Watch], block: &Block) -> Result<Vec<B256>, NodeError> {
        // A game may have more claims to watch than one call can read.
        let most = (CALL_GAS / WATCH_GAS) as usize;
        let mut parts = Vec::with_capacity(watches.len());
        for (place, Watch { game, claims }) in watches.iter().enumerate() {
            let (first, rest) = claims.split_at(claims.len().min(most));
            parts.push((place, *game, first));
            parts.extend(rest.chunks(most).map(|claims| (place, *game, claims)));
        }
        let gas = |(_, _, claims): &(usize, Address, &[u32])| {
            GLANCE_GAS + WATCH_GAS * claims.len() as u64
        };
        let call = |piece: &[(usize, Address, &[u32])]| {
            let watches = piece.iter().map(|(_, game, claims)| GameLens::Watch {
                game: *game,
                claims: claims.iter().map(|index| U256::from(*index)).collect(),
            });
            GameLens::glanceCall { _watches: watches.collect() }
        };
        let found = self.in_pieces(&parts, block, gas, call).await?;
        let mut prints: Vec<Option<B256>> = vec![None; watches.len()];
        for ((place, ..), print) in parts.iter().zip(found) {
            let print = print.unwrap_or_default();
            if let Some(known) = prints.get_mut(*place) {
                *known = Some(match known {
                    None => print,
                    Some(before) => keccak256([before.0, print.0].concat()),
                });
            }
        }
        Ok(prints.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// The claims of ranges of games, each as [`CLAIM_BYTES`], up to the first that a game does not give.
    pub async fn claims(
        &self,
        ranges: &[(Address, Range<u32>)],
        block: &Block,
    ) -> Result<Vec<Vec<u8>>, NodeError> {
        let most = (CALL_GAS / CLAIM_GAS) as u32;
        let mut claims = vec![Vec::new(); ranges.len()];
        let mut open: Vec<(usize, Address, Range<u32>)> =
            (0..).zip(ranges).map(|(place, (game, range))| (place, *game, range.clone())).collect();
        loop {
            // The next claims of every range that is not at its end.
            open.retain(|(_, _, range)| !range.is_empty());
            if open.is_empty() {
                return Ok(claims);
            }
            let end = |range: &Range<u32>| range.start.saturating_add(most).min(range.end);
            let gas = |(_, _, range): &(usize, Address, Range<u32>)| {
                CLAIM_GAS * u64::from(end(range) - range.start)
            };
            let call = |piece: &[(usize, Address, Range<u32>)]| {
                let ranges = piece.iter().map(|(_, game, range)| GameLens::Range {
                    game: *game,
                    from: U256::from(range.start),
                    to: U256::from(end(range)),
                });
                GameLens::claimsCall { _ranges: ranges.collect() }
            };
            let answers = self.in_pieces(&open, block, gas, call).await?;
            for ((place, _, range), answer) in open.iter_mut().zip(answers) {
                let (asked, answer) = (end(range) - range.start, answer.unwrap_or_default());
                let complete = answer.len() == asked as usize * CLAIM_BYTES;
                range.start = if complete { range.start + asked } else { range.end };
                if let Some(claims) = claims.get_mut(*place) {
                    claims.extend_from_slice(&answer);
                }
            }
        }
    }

    /// The answers of views, in their order.
    pub async fn views(&self, views: &[View], block: &Block) -> Result<Vec<Answer>, NodeError> {
        let call = |piece: &[View]| {
            let calls = piece
                .iter()
                .map(|view| GameLens::Call { target: view.target, data: view.data.clone() });
            GameLens::viewsCall { _calls: calls.collect() }
        };
        let answers = self.in_pieces(views, block, |_| VIEW_GAS, call).await?;
        let answers = answers
            .into_iter()
            .map(|answer| Answer(answer.filter(|answer| answer.success).map(|answer| answer.data)));
        Ok(answers.collect())
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
