//! What a claim is about: its block, or the execution between two outputs and the claims that bound it.
//!
//! Source: fault dispute game specification, "Trace"; the deployed FaultDisputeGame, whose step and local data
//! search the ancestors in this way.

use crate::{Claim, ClaimIndex, Game, GameError, Position, PositionError, Side};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256, keccak256};

/// The two neighbouring output claims between which an execution trace runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The agreed output's claim; none where it is the game's starting output.
    pub starting: Option<ClaimIndex>,
    /// The disputed output's claim.
    pub disputed: ClaimIndex,
}

impl Game {
    /// The claim above `from`, or `from` itself, that commits to the same output as `position`.
    ///
    /// # Errors
    /// [`GameError::NoAncestor`] where there is none.
    pub fn output_ancestor(
        &self,
        from: ClaimIndex,
        position: Position,
    ) -> Result<ClaimIndex, GameError> {
        self.find_ancestor(from, position.trace_ancestor())
            .ok_or(GameError::NoAncestor { claim: from, position })
    }

    /// The claim above `from`, or `from` itself, that commits to the same state as `position` in the same
    /// execution trace.
    ///
    /// # Errors
    /// [`GameError`] where there is none.
    pub fn execution_ancestor(
        &self,
        from: ClaimIndex,
        position: Position,
    ) -> Result<ClaimIndex, GameError> {
        self.find_ancestor(from, position.trace_ancestor_below(self.parameters().split_depth())?)
            .ok_or(GameError::NoAncestor { claim: from, position })
    }

    fn find_ancestor(&self, from: ClaimIndex, position: Position) -> Option<ClaimIndex> {
        self.lineage(from).find(|(_, claim)| claim.position == position).map(|(index, _)| index)
    }

    /// The outputs between which the execution trace runs that `position`, an answer to `reference` or its
    /// own position, belongs to.
    ///
    /// # Errors
    /// [`GameError`] where `position` is not below the split depth, or `reference` is of another trace.
    pub fn span(&self, reference: ClaimIndex, position: Position) -> Result<Span, GameError> {
        let split = self.parameters().split_depth();
        if position.depth() <= split {
            let asked = split.below();
            return Err(PositionError::Level { depth: position.depth(), asked }.into());
        }
        let none = GameError::NoAncestor { claim: reference, position };
        let (leaf, claim) = self
            .lineage(reference)
            .find(|(_, claim)| claim.position.depth() == split)
            .ok_or(none)?;
        let leaf_position = claim.position;
        let root = position.ancestor_at(split.below())?;
        if root.ancestor_at(split)? == leaf_position
            && leaf_position.answer(Side::Attack) == Ok(root)
        {
            let starting = match leaf_position.left() {
                Some(left) => Some(self.output_ancestor(leaf, left)?),
                None => None,
            };
            Ok(Span { starting, disputed: leaf })
        } else if leaf_position.answer(Side::Defend) == Ok(root) {
            let right = leaf_position.right().ok_or(none)?;
            Ok(Span { starting: Some(leaf), disputed: self.output_ancestor(leaf, right)? })
        } else {
            Err(none)
        }
    }

    /// The L2 block number that an output claim at `position` is of: that of its index in the output tree, at
    /// most the root's.
    ///
    /// # Errors
    /// [`GameError::Position`] below the split depth.
    pub fn l2_block_at(&self, position: Position) -> Result<u64, GameError> {
        let index = position.trace_index(self.parameters().split_depth())?;
        let block =
            index.0.saturating_add(1).saturating_add(self.starting().l2_sequence_number.into());
        Ok(u64::try_from(block).unwrap_or(u64::MAX).min(self.l2_sequence_number()))
    }

    /// What ties local data in the preimage oracle to one execution trace: a hash of the two outputs' claims
    /// and positions.
    ///
    /// # Errors
    /// [`GameError::NoClaim`] where the span is that of another game.
    pub fn local_context(&self, span: Span) -> Result<B256, GameError> {
        let mut words = Vec::with_capacity(128);
        let mut absorb = |claim: &Claim| {
            words.extend_from_slice(claim.value.as_slice());
            words.extend_from_slice(&U256::from(claim.position.gindex()).to_be_bytes::<32>());
        };
        if let Some(starting) = span.starting {
            absorb(self.claim(starting)?);
        }
        absorb(self.claim(span.disputed)?);
        Ok(keccak256(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{parameters, path, position};
    use Side::{Attack, Defend};

    /// The blocks of a tree of depth 30 over a range of 8 blocks.
    #[test]
    fn output_claims_are_of_blocks_up_to_the_claimed_one() {
        let game = path(parameters(73, 30), []);
        let check =
            |gindex, want| assert_eq!(game.l2_block_at(position(gindex)), Ok(want), "{gindex}");
        check(1, 108);
        check(1 << 27, 108);
        check(1 << 28, 104);
        check((1 << 29) + 2, 106);
        check(1 << 30, 101);
        check((1 << 30) + 5, 106);
        check((1 << 30) + 8, 108);
        assert!(game.l2_block_at(position(1 << 31)).is_err());
    }

    #[test]
    fn a_leaf_opens_a_trace_to_its_left_and_one_to_its_right() {
        let check = |sides: &[Side], next, starting: Option<u32>, disputed| {
            let game = path(parameters(8, 3), sides.iter().copied());
            let leaf = ClaimIndex(3);
            let root = game.claim(leaf).unwrap().position.answer(next).unwrap();
            let want = Span { starting: starting.map(ClaimIndex), disputed: ClaimIndex(disputed) };
            assert_eq!(game.span(leaf, root), Ok(want));
            // The same from further down.
            let deeper =
                path(parameters(8, 3), sides.iter().copied().chain([next, Attack, Defend]));
            let (last, claim) = deeper.claims().last().unwrap();
            assert_eq!(deeper.span(last, claim.position), Ok(want));
        };
        check(&[Attack, Attack, Attack], Attack, None, 3);
        check(&[Attack, Attack, Attack], Defend, Some(3), 2);
        check(&[Attack, Attack, Defend], Attack, Some(2), 3);
        check(&[Attack, Attack, Defend], Defend, Some(3), 1);
        check(&[Attack, Defend, Attack], Attack, Some(1), 3);
        check(&[Attack, Defend, Attack], Defend, Some(3), 2);
        check(&[Attack, Defend, Defend], Defend, Some(3), 0);
    }

    #[test]
    fn other_traces_have_no_span() {
        let game = path(parameters(8, 3), [Attack, Attack, Attack, Attack]);
        let last = ClaimIndex(4);
        assert!(game.span(last, position(8)).is_err(), "an output");
        assert!(game.span(last, position(20)).is_err(), "the trace of another leaf");
        assert!(game.span(ClaimIndex(2), position(16)).is_err(), "no leaf above");
        assert!(game.span(ClaimIndex(9), position(16)).is_err(), "no claim");
    }

    #[test]
    fn the_local_context_is_of_both_outputs_unless_the_first_is_the_anchor() {
        let game = path(parameters(8, 3), [Attack, Attack, Attack]);
        let context = |starting: Option<u32>, disputed| {
            let span = Span { starting: starting.map(ClaimIndex), disputed: ClaimIndex(disputed) };
            game.local_context(span).unwrap()
        };
        // Values of these claims are their positions.
        let hash = |words: &[u128]| {
            let bytes: Vec<u8> =
                words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect();
            keccak256(bytes)
        };
        assert_eq!(context(None, 3), hash(&[8, 8]));
        assert_eq!(context(Some(3), 2), hash(&[8, 8, 4, 4]));
    }
}
