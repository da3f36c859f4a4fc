// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { LargePreimages } from "../../src/preimage/LargePreimages.sol";
import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { Test } from "../Test.sol";

/// @notice Loading and reading of parts, key by key. Keys are known values or computed here from their definition.
contract PreimageOracleTest is Test {
    bytes private constant HELLO = "hello world";
    bytes32 private constant HELLO_KECCAK = 0x02173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad;
    bytes32 private constant HELLO_SHA = 0x044d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9;

    /// @dev A published evaluation of a blob: at the second root of unity of the order 4096 group.
    uint256 private constant Z = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;
    uint256 private constant Y = 0x24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1;
    bytes private constant COMMITMENT =
        hex"8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7";
    bytes private constant PROOF =
        hex"873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a";

    /// @dev Commitment to, and proof of, the polynomial that is 0 everywhere: the point at infinity.
    bytes private constant INFINITY =
        hex"c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

    PreimageOracle private oracle;

    function setUp() public {
        oracle = new PreimageOracle(126_000, 86_400);
    }

    function checkPart(bytes32 key, uint256 offset, bytes32 part, uint256 count) private view {
        (bytes32 data, uint256 length) = oracle.readPreimage(key, offset);
        assertEq(data, part, "part");
        assertEq(length, count, "bytes that count");
        assertTrue(oracle.preimagePartOk(key, offset), "is there");
        assertEq(oracle.preimageParts(key, offset), part, "is stored");
    }

    function checkMissing(bytes32 key, uint256 offset) private {
        vm.expectRevert(text("pre-image must exist"));
        oracle.readPreimage(key, offset);
        assertTrue(!oracle.preimagePartOk(key, offset), "is not there");
    }

    // Interface.

    function test_interfaceIsThatOfTheDeployedContract() public view {
        assertEq(bytes32(PreimageOracle.readPreimage.selector), bytes32(bytes4(0xe03110e1)), "readPreimage");
        assertEq(bytes32(oracle.preimagePartOk.selector), bytes32(bytes4(0x8542cf50)), "preimagePartOk");
        assertEq(bytes32(oracle.preimageParts.selector), bytes32(bytes4(0x61238bde)), "preimageParts");
        assertEq(bytes32(oracle.preimageLengths.selector), bytes32(bytes4(0xfef2b4ed)), "preimageLengths");
        assertEq(bytes32(PreimageOracle.loadLocalData.selector), bytes32(bytes4(0x52f0f3ad)), "loadLocalData");
        assertEq(bytes32(PreimageOracle.loadKeccak256PreimagePart.selector), bytes32(bytes4(0xe1592611)), "keccak256");
        assertEq(bytes32(PreimageOracle.loadSha256PreimagePart.selector), bytes32(bytes4(0x8dc4be11)), "sha256");
        assertEq(bytes32(PreimageOracle.loadBlobPreimagePart.selector), bytes32(bytes4(0x9d7e8769)), "blob");
        assertEq(bytes32(PreimageOracle.loadPrecompilePreimagePart.selector), bytes32(bytes4(0xea713950)), "precompile");
        assertEq(bytes32(LargePreimages.PartOffsetOOB.selector), bytes32(bytes4(0xfe254987)), "PartOffsetOOB");
        assertEq(bytes32(PreimageOracle.NotEnoughGas.selector), bytes32(bytes4(0xdd629f86)), "NotEnoughGas");
        assertEq(bytes32(LargePreimages.InvalidProof.selector), bytes32(bytes4(0x09bde339)), "InvalidProof");
        assertEq(bytes32(PreimageOracle.ShaFailed.selector), bytes32(bytes4(0xf9112969)), "ShaFailed");
    }

    function test_parametersOfLargePreimages() public {
        assertEq(oracle.minProposalSize(), 126_000, "minProposalSize");
        assertEq(oracle.challengePeriod(), 86_400, "challengePeriod");
        vm.expectRevert(text("PreimageOracle: challenge period too large"));
        new PreimageOracle(1, uint256(type(uint64).max) + 1);
    }

    // Part offsets, on keccak256 preimages.

    function test_attack18_partOffsetsOfAPreimage() public {
        // 00 00 00 00 00 00 00 0b | 68 65 6c 6c 6f 20 77 6f 72 6c 64
        check(0, 0x000000000000000b68656c6c6f20776f726c6400000000000000000000000000, 19);
        check(1, 0x0000000000000b68656c6c6f20776f726c640000000000000000000000000000, 18);
        check(7, 0x0b68656c6c6f20776f726c640000000000000000000000000000000000000000, 12);
        check(8, 0x68656c6c6f20776f726c64000000000000000000000000000000000000000000, 11);
        check(18, 0x6400000000000000000000000000000000000000000000000000000000000000, 1);
    }

    function check(uint256 offset, bytes32 part, uint256 count) private {
        checkMissing(HELLO_KECCAK, offset);
        oracle.loadKeccak256PreimagePart(offset, HELLO);
        checkPart(HELLO_KECCAK, offset, part, count);
        assertEq(oracle.preimageLengths(HELLO_KECCAK), 11, "length without the prefix");
    }

    function test_attack18_offsetsPastTheEndAreRefused() public {
        uint256[4] memory offsets = [uint256(19), 20, 32, type(uint256).max];
        for (uint256 i = 0; i < offsets.length; i++) {
            vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
            oracle.loadKeccak256PreimagePart(offsets[i], HELLO);
            vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
            oracle.loadSha256PreimagePart(offsets[i], HELLO);
        }
    }

    function test_partsOfALongPreimage() public {
        bytes memory data = new bytes(64);
        for (uint256 i = 0; i < 64; i++) {
            data[i] = bytes1(uint8(i + 1));
        }
        bytes32 key = bytes32((uint256(keccak256(data)) << 8 >> 8) | (2 << 248));
        oracle.loadKeccak256PreimagePart(39, data);
        checkPart(key, 39, 0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f, 32);
        oracle.loadKeccak256PreimagePart(40, data);
        checkPart(key, 40, 0x2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40, 32);
        oracle.loadKeccak256PreimagePart(41, data);
        checkPart(key, 41, 0x22232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4000, 31);
    }

    function test_emptyPreimageHasAPrefixOnly() public {
        bytes32 key = 0x02d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470;
        oracle.loadKeccak256PreimagePart(7, "");
        checkPart(key, 7, 0, 1);
        assertEq(oracle.preimageLengths(key), 0, "length");
        vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
        oracle.loadKeccak256PreimagePart(8, "");
    }

    /// @dev Whatever stands behind an argument in calldata is none of its bytes.
    function test_attack18_bytesBehindThePreimageAreNotStored() public {
        bytes memory call = abi.encodePacked(
            PreimageOracle.loadKeccak256PreimagePart.selector,
            abi.encode(uint256(8), uint256(0x40), uint256(11)),
            HELLO,
            hex"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        );
        (bool ok,) = address(oracle).call(call);
        assertTrue(ok, "loads");
        checkPart(HELLO_KECCAK, 8, 0x68656c6c6f20776f726c64000000000000000000000000000000000000000000, 11);
    }

    function testFuzz_keccakParts(bytes memory data, uint256 offset) public {
        bytes memory value = abi.encodePacked(uint64(data.length), data, new bytes(32));
        offset %= data.length + 8;
        bytes32 key = bytes32((uint256(keccak256(data)) << 8 >> 8) | (2 << 248));
        bytes memory part = new bytes(32);
        for (uint256 i = 0; i < 32; i++) {
            part[i] = value[offset + i];
        }
        oracle.loadKeccak256PreimagePart(offset, data);
        uint256 rest = data.length + 8 - offset;
        checkPart(key, offset, bytes32(part), rest < 32 ? rest : 32);
    }

    function test_loadingAgainChangesNothing() public {
        oracle.loadKeccak256PreimagePart(8, HELLO);
        vm.prank(address(0xbad));
        oracle.loadKeccak256PreimagePart(8, HELLO);
        checkPart(HELLO_KECCAK, 8, 0x68656c6c6f20776f726c64000000000000000000000000000000000000000000, 11);
    }

    // SHA-256.

    function test_sha256Preimage() public {
        oracle.loadSha256PreimagePart(4, HELLO);
        checkPart(HELLO_SHA, 4, 0x0000000b68656c6c6f20776f726c640000000000000000000000000000000000, 15);
        assertEq(oracle.preimageLengths(HELLO_SHA), 11, "length");
    }

    /// @dev At no amount of gas is anything stored under a key that is not the hash of the data.
    function test_sha256OutOfGasStoresNothing() public {
        bytes memory data = new bytes(4096);
        bytes32 key = bytes32((uint256(sha256(data)) << 8 >> 8) | (4 << 248));
        uint256 refused = 0;
        for (uint256 amount = 5_000; amount < 100_000; amount += 500) {
            try oracle.loadSha256PreimagePart{ gas: amount }(0, data) {
                assertEq(oracle.preimageLengths(key), 4096, "the right key");
                assertTrue(refused > 0, "some amounts are too little");
                return;
            } catch {
                refused++;
            }
        }
        revert Fails("enough gas loads");
    }

    // Local data.

    function test_localKeys() public {
        vm.prank(address(1));
        bytes32 key = oracle.loadLocalData(1, 0, bytes32(uint256(7)), 32, 0);
        assertEq(key, 0x01a16aadaf5f3920dec8d6c02b4ed14dccb74e7228a0c05f450a00d55766dbc4, "identifier 1");
        vm.prank(0x1111111111111111111111111111111111111111);
        key = oracle.loadLocalData(
            4, 0x2222222222222222222222222222222222222222222222222222222222222222, bytes32(uint256(7) << 192), 8, 0
        );
        assertEq(key, 0x015c7e43327409e4cfb02428ec57109008e64f7ad005c1a12e27dcb865d14aeb, "identifier 4");
        // The first byte of the identifier is the type.
        vm.prank(address(1));
        key = oracle.loadLocalData((uint256(0xee) << 248) | 1, 0, bytes32(uint256(7)), 32, 0);
        assertEq(key, 0x01a16aadaf5f3920dec8d6c02b4ed14dccb74e7228a0c05f450a00d55766dbc4, "31 bytes of identifier");
    }

    function test_localDataParts() public {
        bytes32 word = 0x1122334455667788000000000000000000000000000000000000000000000000;
        bytes32 key = oracle.loadLocalData(4, 0, word, 8, 0);
        checkPart(key, 0, 0x0000000000000008112233445566778800000000000000000000000000000000, 16);
        oracle.loadLocalData(4, 0, word, 8, 15);
        checkPart(key, 15, 0x8800000000000000000000000000000000000000000000000000000000000000, 1);
        assertEq(oracle.preimageLengths(key), 8, "length");

        bytes32 full = 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20;
        key = oracle.loadLocalData(1, 0, full, 32, 8);
        checkPart(key, 8, full, 32);
        oracle.loadLocalData(1, 0, full, 32, 39);
        checkPart(key, 39, 0x2000000000000000000000000000000000000000000000000000000000000000, 1);
    }

    function test_localDataIsBoundedByItsSize() public {
        uint256[2][5] memory cases =
            [[uint256(8), 16], [uint256(32), 40], [uint256(33), 0], [type(uint256).max, 0], [uint256(0), 8]];
        for (uint256 i = 0; i < cases.length; i++) {
            vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
            oracle.loadLocalData(1, 0, bytes32(uint256(7)), cases[i][0], cases[i][1]);
        }
        // Bytes of the word beyond the size are not data.
        bytes32 key = oracle.loadLocalData(1, 0, bytes32(type(uint256).max), 2, 7);
        checkPart(key, 7, 0x02ffff0000000000000000000000000000000000000000000000000000000000, 3);
    }

    function test_localDataOfOneCallerIsNotThatOfAnother() public {
        bytes32 mine = oracle.loadLocalData(1, 0, bytes32(uint256(7)), 32, 8);
        vm.prank(address(0xbad));
        bytes32 theirs = oracle.loadLocalData(1, 0, bytes32(uint256(8)), 32, 8);
        assertTrue(mine != theirs, "different keys");
        checkPart(mine, 8, bytes32(uint256(7)), 32);
        bytes32 elsewhere = oracle.loadLocalData(1, bytes32(uint256(1)), bytes32(uint256(9)), 32, 8);
        assertTrue(mine != elsewhere, "another context, another key");
        checkPart(mine, 8, bytes32(uint256(7)), 32);
    }

    // Blobs.

    function test_blobValue() public {
        bytes32 key =
            bytes32((uint256(keccak256(abi.encodePacked(COMMITMENT, Z))) << 8 >> 8) | (5 << 248));
        oracle.loadBlobPreimagePart(Z, Y, COMMITMENT, PROOF, 8);
        checkPart(key, 8, bytes32(Y), 32);
        oracle.loadBlobPreimagePart(Z, Y, COMMITMENT, PROOF, 39);
        checkPart(key, 39, bytes32(Y << 248), 1);
        oracle.loadBlobPreimagePart(Z, Y, COMMITMENT, PROOF, 0);
        checkPart(key, 0, bytes32((uint256(32) << 192) | (Y >> 64)), 32);
        assertEq(oracle.preimageLengths(key), 32, "length");
        vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
        oracle.loadBlobPreimagePart(Z, Y, COMMITMENT, PROOF, 40);
    }

    function test_attack16_blobKeysAreThoseOfRootsOfUnityNotOfIndices() public {
        // Elements 0 and 1 of the zero blob: at 1 and at -1, which is the second root in bit-reversed order.
        uint256 second = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000;
        oracle.loadBlobPreimagePart(1, 0, INFINITY, INFINITY, 8);
        checkPart(0x05d0386f1692642e9b46449e7ee5a7aaa85d92ab248930e0ff388ed56c79977e, 8, 0, 32);
        bytes32 key = 0x0548a8b457e7d906d8d22e959da25e1162d6f70cfaf8fc55338f898581217adb;
        checkMissing(key, 8);
        oracle.loadBlobPreimagePart(second, 0, INFINITY, INFINITY, 8);
        checkPart(key, 8, 0, 32);
        // The value at the root is not the value at the index.
        refuseBlob(1, Y, COMMITMENT, PROOF);
    }

    function test_attack16_wrongBlobInputsAreRefused() public {
        refuseBlob(Z, Y ^ 1, COMMITMENT, PROOF); // the value
        refuseBlob(Z ^ 1, Y, COMMITMENT, PROOF); // the point
        refuseBlob(Y, Z, COMMITMENT, PROOF); // both, in the wrong order
        refuseBlob(Z, Y, PROOF, COMMITMENT); // the proof in place of the commitment
        refuseBlob(Z, Y, INFINITY, PROOF); // another commitment
        refuseBlob(Z, Y, COMMITMENT, INFINITY); // another proof
        refuseBlob(Z, Y, bytes.concat(COMMITMENT, hex"00"), PROOF);
        refuseBlob(Z, Y, COMMITMENT, bytes.concat(PROOF, hex"00"));
        refuseBlob(Z, Y, "", "");
        // The field's order itself is no element.
        refuseBlob(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001, 0, INFINITY, INFINITY);
    }

    function refuseBlob(uint256 z, uint256 y, bytes memory commitment, bytes memory proof) private {
        // A precompile that fails takes all the gas it was given.
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.loadBlobPreimagePart{ gas: 500_000 }(z, y, commitment, proof, 8);
    }

    // Precompiles.

    function precompileKey(address precompile, uint64 gas_, bytes memory input) private pure returns (bytes32) {
        return bytes32(
            (uint256(keccak256(abi.encodePacked(precompile, gas_, input))) << 8 >> 8) | (uint256(6) << 248)
        );
    }

    function test_precompileResult() public {
        // Identity: status 1, then the input.
        bytes32 key = precompileKey(address(4), 18, "abc");
        oracle.loadPrecompilePreimagePart(0, address(4), 18, "abc");
        checkPart(key, 0, 0x0000000000000004016162630000000000000000000000000000000000000000, 12);
        oracle.loadPrecompilePreimagePart(11, address(4), 18, "abc");
        checkPart(key, 11, 0x6300000000000000000000000000000000000000000000000000000000000000, 1);
        assertEq(oracle.preimageLengths(key), 4, "status and output");
        vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
        oracle.loadPrecompilePreimagePart(12, address(4), 18, "abc");

        // ecrecover of nothing succeeds without output. Its key is a known value.
        oracle.loadPrecompilePreimagePart(8, address(1), 3000, "");
        checkPart(0x062972aece014663c20745ebde02ec6fc49eb16e6cbcaddbbc4eafb2afc8426a, 8, bytes32(uint256(1) << 248), 1);
    }

    function test_failingPrecompileHasStatusZero() public {
        // A pairing takes multiples of 192 bytes. Nothing of the longer input shows behind the one byte of the result.
        bytes memory input = new bytes(191);
        input[0] = 0xff;
        bytes32 key = precompileKey(address(8), 45_000, input);
        oracle.loadPrecompilePreimagePart{ gas: 10_000_000 }(0, address(8), 45_000, input);
        checkPart(key, 0, bytes32(uint256(1) << 192), 9);
        assertEq(oracle.preimageLengths(key), 1, "status only");
    }

    /// @dev blake2f with 400,000 rounds takes 400,000 gas. Whatever gas the loader is given, it stores success or nothing.
    function test_attack15_precompileResultCannotBePoisonedByRunningOutOfGas() public {
        bytes memory input = abi.encodePacked(uint32(400_000), new bytes(208), uint8(1));
        bytes32 key = precompileKey(address(9), 400_000, input);
        uint256 refused = 0;
        for (uint256 amount = 30_000; amount < 800_000; amount += 1_500) {
            try oracle.loadPrecompilePreimagePart{ gas: amount }(8, address(9), 400_000, input) {
                (bytes32 part,) = oracle.readPreimage(key, 8);
                assertEq(uint256(part) >> 248, 1, "status");
                assertTrue(refused > 100, "most amounts are too little");
                return;
            } catch (bytes memory reason) {
                refused++;
                assertTrue(!oracle.preimagePartOk(key, 8), "nothing is stored");
                // Either the rule, or out of gas before or after it.
                bool byRule = keccak256(reason) == keccak256(abi.encodeWithSelector(PreimageOracle.NotEnoughGas.selector));
                assertTrue(byRule || reason.length == 0, "a clear refusal");
            }
        }
        revert Fails("enough gas loads");
    }

    /// @dev Asking for less gas than the precompile takes is another key, so its failure poisons nothing.
    function test_attack15_precompileKeyContainsTheGas() public {
        bytes memory input = abi.encodePacked(uint32(20_000_000), new bytes(208), uint8(1));
        oracle.loadPrecompilePreimagePart{ gas: 8_000_000 }(8, address(9), 1, input);
        checkPart(precompileKey(address(9), 1, input), 8, 0, 1);
        checkMissing(precompileKey(address(9), 20_000_000, input), 8);
    }
}
