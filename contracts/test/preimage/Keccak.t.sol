// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Keccak, StateMatrix } from "../../src/preimage/Keccak.sol";
import { LeafTree, TREE_DEPTH } from "../../src/preimage/LeafTree.sol";
import { Test } from "../Test.sol";
import { PlainKeccak } from "./PlainKeccak.sol";

/// @notice Lets a test call what takes calldata.
contract Sponge {
    /// @dev The digest of whole blocks.
    function digest(bytes calldata padded) external pure returns (bytes32) {
        StateMatrix memory matrix;
        for (uint256 at = 0; at < padded.length; at += 136) Keccak.absorb(matrix, padded[at:at + 136]);
        return Keccak.squeeze(matrix);
    }

    function absorb(bytes calldata data) external pure {
        StateMatrix memory matrix;
        Keccak.absorb(matrix, data);
    }

    function append(uint256 size, bytes32[TREE_DEPTH] memory branch, bytes memory input, bytes32[] calldata commitments)
        external
        pure
        returns (bytes32[TREE_DEPTH] memory)
    {
        uint256 at;
        assembly {
            at := add(input, 32)
        }
        LeafTree.append(branch, size, at, commitments);
        return branch;
    }
}

/// @notice The sponge beside the built-in hash and beside its definition, and the tree beside its definition.
contract KeccakTest is Test {
    Sponge private sponge = new Sponge();

    function padded(bytes memory data) private pure returns (bytes memory whole) {
        whole = new bytes((data.length / 136 + 1) * 136);
        for (uint256 i = 0; i < data.length; i++) whole[i] = data[i];
        whole[data.length] = 0x01;
        whole[whole.length - 1] |= 0x80;
    }

    function testFuzz_digestIsThatOfTheBuiltInHash(bytes memory data) public view {
        assertEq(sponge.digest(padded(data)), keccak256(data), "digest");
    }

    function test_digestAtTheEdgesOfABlock() public view {
        for (uint256 length = 0; length < 280; length += length % 136 > 2 && length % 136 < 133 ? 43 : 1) {
            bytes memory data = new bytes(length);
            for (uint256 i = 0; i < length; i++) data[i] = bytes1(uint8(i * 7 + length));
            assertEq(sponge.digest(padded(data)), keccak256(data), "digest");
        }
    }

    function testFuzz_permutationIsThatOfTheDefinition(bytes32 seed) public pure {
        StateMatrix memory fast;
        uint64[25] memory plain;
        for (uint256 i = 0; i < 25; i++) {
            plain[i] = uint64(uint256(keccak256(abi.encode(seed, i))));
            fast.state[i] = plain[i];
        }
        Keccak.permute(fast);
        PlainKeccak.permute(plain);
        assertEq(keccak256(abi.encode(fast.state)), keccak256(abi.encode(plain)), "lanes");
        assertEq(Keccak.commitment(fast), keccak256(abi.encode(plain)), "commitment");
    }

    /// @dev Known value: the commitment to the sponge before any block.
    function test_commitmentOfTheEmptySponge() public pure {
        StateMatrix memory matrix;
        bytes32 expected = 0xee0a1a26c607ab52c6308165995365f7951a185fccca4b76c847b8860d9fea7a;
        assertEq(Keccak.commitment(matrix), expected, "commitment");
    }

    function test_onlyWholeBlocksAreAbsorbed() public {
        vm.expectRevert();
        sponge.absorb(new bytes(135));
        vm.expectRevert();
        sponge.absorb(new bytes(137));
        sponge.absorb(new bytes(136));
    }

    /// @dev Appends in two calls and compares each waiting node with the root of the leaves below it.
    function testFuzz_treeIsThatOfTheDefinition(uint256 first, uint256 second, bytes32 seed) public view {
        first %= 40;
        second %= 40;
        bytes32[TREE_DEPTH] memory branch;
        branch = append(branch, 0, first, seed);
        branch = append(branch, first, second, seed);
        uint256 size = first + second;
        uint256 at = 0;
        for (uint256 level = TREE_DEPTH; level != 0; level--) {
            if ((size >> (level - 1)) & 1 == 0) continue;
            assertEq(branch[level - 1], rootOf(at, level - 1, seed), "waiting node");
            at += 1 << (level - 1);
        }
    }

    function append(bytes32[TREE_DEPTH] memory branch, uint256 size, uint256 count, bytes32 seed)
        private
        view
        returns (bytes32[TREE_DEPTH] memory)
    {
        bytes memory input;
        bytes32[] memory commitments = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            input = abi.encodePacked(input, blockAt(size + i, seed));
            commitments[i] = commitmentAt(size + i, seed);
        }
        return sponge.append(size, branch, input, commitments);
    }

    function blockAt(uint256 index, bytes32 seed) private pure returns (bytes memory data) {
        bytes32 word = keccak256(abi.encode(seed, index));
        return abi.encodePacked(word, ~word, word, ~word, bytes8(word));
    }

    function commitmentAt(uint256 index, bytes32 seed) private pure returns (bytes32) {
        return keccak256(abi.encode(index, seed));
    }

    function rootOf(uint256 first, uint256 level, bytes32 seed) private pure returns (bytes32) {
        if (level == 0) return keccak256(abi.encodePacked(blockAt(first, seed), first, commitmentAt(first, seed)));
        uint256 half = 1 << (level - 1);
        return keccak256(abi.encode(rootOf(first, level - 1, seed), rootOf(first + half, level - 1, seed)));
    }
}
