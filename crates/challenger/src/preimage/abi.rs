//! The calls of proposals and of local data, as deployed.

use super::{Leaf, Sponge};
use alloy_sol_types::sol;

sol! {
    /// One block of a large preimage and the state after it.
    #[derive(Debug, PartialEq, Eq)]
    struct LeafArgument {
        bytes input;
        uint256 index;
        bytes32 stateCommitment;
    }

    /// The state of the permutation.
    #[derive(Debug, PartialEq, Eq)]
    struct StateMatrix {
        uint64[25] state;
    }

    function addLocalData(uint256 ident, uint256 execLeafIdx, uint256 partOffset);

    function initLPP(uint256 uuid, uint32 partOffset, uint32 claimedSize);

    function addLeavesLPP(
        uint256 uuid,
        uint256 inputStartBlock,
        bytes input,
        bytes32[] stateCommitments,
        bool finalize
    );

    function squeezeLPP(
        address claimant,
        uint256 uuid,
        StateMatrix stateMatrix,
        LeafArgument preState,
        bytes32[] preStateProof,
        LeafArgument postState,
        bytes32[] postStateProof
    );

    function challengeLPP(
        address claimant,
        uint256 uuid,
        StateMatrix stateMatrix,
        LeafArgument preState,
        bytes32[] preStateProof,
        LeafArgument postState,
        bytes32[] postStateProof
    );

    function challengeFirstLPP(
        address claimant,
        uint256 uuid,
        LeafArgument postState,
        bytes32[] postStateProof
    );
}

impl From<&Leaf> for LeafArgument {
    fn from(leaf: &Leaf) -> Self {
        Self {
            input: leaf.input.to_vec().into(),
            index: alloy_primitives::U256::from(leaf.index),
            stateCommitment: leaf.commitment,
        }
    }
}

impl From<&Sponge> for StateMatrix {
    fn from(sponge: &Sponge) -> Self {
        Self { state: *sponge.lanes() }
    }
}
