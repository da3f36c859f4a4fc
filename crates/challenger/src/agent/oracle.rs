//! Views of the oracle's large preimages, as deployed.

use alloy_sol_types::sol;

sol! {
    function proposalCount() returns (uint256);
    function proposals(uint256 index) returns (address claimant, uint256 uuid);
    function proposalMetadata(address claimant, uint256 uuid) returns (bytes32);
    function proposalBonds(address claimant, uint256 uuid) returns (uint256);
    function getTreeRootLPP(address claimant, uint256 uuid) returns (bytes32);
    function proposalBlocksLen(address claimant, uint256 uuid) returns (uint256);
    function proposalBlocks(address claimant, uint256 uuid, uint256 index) returns (uint64);
}
