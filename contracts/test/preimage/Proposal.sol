// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { StateMatrix } from "../../src/preimage/Keccak.sol";
import { Leaf } from "../../src/preimage/LeafTree.sol";
import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { Test } from "../Test.sol";
import { PlainKeccak } from "./PlainKeccak.sol";

/// @notice A large preimage and all that is said about it: padded blocks, the sponge after each, leaves and proofs, computed
///         from the definitions.
abstract contract ProposalTest is Test {
    address internal claimant = account("claimant");
    PreimageOracle internal oracle;

    bytes internal preimage;
    bytes internal padded;
    bytes32[] internal commitments;
    uint64[25][] internal matrices;

    /// @dev Takes a preimage of `length` bytes.
    function take(uint256 length) internal {
        bytes memory data = new bytes(length);
        for (uint256 i = 0; i < length; i += 32) {
            bytes32 word = keccak256(abi.encode(i, length));
            for (uint256 j = i; j < i + 32 && j < length; j++) data[j] = word[j - i];
        }
        preimage = data;
        bytes memory whole = new bytes((length / 136 + 1) * 136);
        for (uint256 i = 0; i < length; i++) whole[i] = data[i];
        whole[length] = 0x01;
        whole[whole.length - 1] |= 0x80;
        padded = whole;

        delete commitments;
        delete matrices;
        uint64[25] memory lanes;
        for (uint256 at = 0; at < whole.length; at += 136) {
            for (uint256 i = 0; i < 136; i++) lanes[i / 8] ^= uint64(uint8(whole[at + i])) << uint64(8 * (i % 8));
            PlainKeccak.permute(lanes);
            matrices.push(lanes);
            commitments.push(keccak256(abi.encode(lanes)));
        }
    }

    /// @dev Bytes of the preimage.
    function part(bytes memory data, uint256 from, uint256 length) internal pure returns (bytes memory piece) {
        piece = new bytes(length);
        for (uint256 i = 0; i < length; i++) piece[i] = data[from + i];
    }

    function commitmentsFrom(uint256 first, uint256 count) internal view returns (bytes32[] memory some) {
        some = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) some[i] = commitments[first + i];
    }

    function begin(uint256 uuid, uint32 offset) internal {
        vm.deal(claimant, claimant.balance + 0.25 ether);
        vm.prank(claimant, claimant);
        oracle.initLPP{ value: 0.25 ether }(uuid, offset, uint32(preimage.length));
    }

    /// @dev Posts the blocks from `first` on, `count` of them, the last ones with the end of the preimage.
    function post(uint256 uuid, uint256 first, uint256 count) internal {
        bool last = first + count == commitments.length;
        uint256 length = last ? preimage.length - first * 136 : count * 136;
        bytes memory input = part(preimage, first * 136, length);
        bytes32[] memory some = commitmentsFrom(first, count);
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(uuid, first, input, some, last);
    }

    /// @dev A whole proposal, posted `chunk` blocks at a time.
    function propose(uint256 uuid, uint32 offset, uint256 chunk) internal {
        begin(uuid, offset);
        for (uint256 at = 0; at < commitments.length; at += chunk) {
            post(uuid, at, at + chunk < commitments.length ? chunk : commitments.length - at);
        }
    }

    function leaf(uint256 index) internal view returns (Leaf memory) {
        return Leaf(part(padded, index * 136, 136), index, commitments[index]);
    }

    function matrix(uint256 index) internal view returns (StateMatrix memory) {
        return StateMatrix(matrices[index]);
    }

    function leafHash(uint256 index) private view returns (bytes32) {
        if (index >= commitments.length) return 0;
        Leaf memory l = leaf(index);
        return keccak256(abi.encodePacked(l.input, l.index, l.stateCommitment));
    }

    function node(uint256 index, uint256 level) internal view returns (bytes32) {
        if (level == 0) return leafHash(index);
        if (index << level >= commitments.length) return empty(level);
        return keccak256(abi.encode(node(2 * index, level - 1), node(2 * index + 1, level - 1)));
    }

    function empty(uint256 level) internal pure returns (bytes32 hash) {
        for (uint256 i = 0; i < level; i++) hash = keccak256(abi.encode(hash, hash));
    }

    function proof(uint256 index) internal view returns (bytes32[] memory siblings) {
        siblings = new bytes32[](16);
        for (uint256 level = 0; level < 16; level++) siblings[level] = node((index >> level) ^ 1, level);
    }

    function key() internal view returns (bytes32) {
        return (keccak256(preimage) << 8 >> 8) | bytes32(uint256(2) << 248);
    }

    function squeeze(uint256 uuid) internal {
        uint256 last = commitments.length - 1;
        oracle.squeezeLPP(claimant, uuid, matrix(last - 1), leaf(last - 1), proof(last - 1), leaf(last), proof(last));
    }

    function challenge(uint256 uuid, uint256 index) internal {
        if (index == 0) oracle.challengeFirstLPP(claimant, uuid, leaf(0), proof(0));
        else oracle.challengeLPP(claimant, uuid, matrix(index - 1), leaf(index - 1), proof(index - 1), leaf(index), proof(index));
    }
}
