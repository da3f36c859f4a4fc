// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "../../src/vm/IMIPS64.sol";
import { Encode, Machine, MachineTest } from "./Machine.sol";

/// @notice Loads, stores, and the reservations of load-linked.
contract MIPS64LoadStoreTest is MachineTest {
    uint64 private constant MEM = 0x8182_8384_8586_8788;
    uint64 private constant REG = 0xf1f2_f3f4_f5f6_f7f8;

    /// @dev `opcode` from DATA + b into a register that holds REG gives `want`.
    function load(uint32 opcode, uint64 b, uint64 want, string memory what) private {
        Machine memory m = machine(Encode.i(opcode, 8, 9, 0xfff0));
        active(m).r[8] = DATA + b + 0x10;
        active(m).r[9] = REG;
        store8(m, DATA, MEM);
        store8(m, DATA - 8, 0x0101_0101_0101_0101);
        store8(m, DATA + 8, 0x0202_0202_0202_0202);
        Machine memory n = advanced(m);
        active(n).r[9] = want;
        check(m, n, DATA, what);
    }

    /// @dev `opcode` of REG at DATA + b leaves `want` there.
    function save(uint32 opcode, uint64 b, uint64 want, string memory what) private {
        Machine memory m = machine(Encode.i(opcode, 8, 9, 0x0010));
        active(m).r[8] = DATA + b - 0x10;
        active(m).r[9] = REG;
        store8(m, DATA, MEM);
        store8(m, DATA - 8, 0x0101_0101_0101_0101);
        store8(m, DATA + 8, 0x0202_0202_0202_0202);
        Machine memory n = advanced(m);
        store8(n, DATA, want);
        check(m, n, DATA, what);
    }

    function test_attack20_loadsAreRoundedDownAndExtended() public {
        load(0x20, 7, 0xffff_ffff_ffff_ff88, "lb");
        load(0x24, 0, 0x81, "lbu");
        load(0x21, 2, 0xffff_ffff_ffff_8384, "lh");
        load(0x21, 3, 0xffff_ffff_ffff_8384, "lh at an odd address");
        load(0x25, 7, 0x8788, "lhu at an odd address");
        load(0x23, 4, 0xffff_ffff_8586_8788, "lw");
        load(0x23, 3, 0xffff_ffff_8182_8384, "lw inside the word");
        load(0x27, 7, 0x8586_8788, "lwu inside the word");
        load(0x37, 0, MEM, "ld");
        load(0x37, 5, MEM, "ld inside the doubleword");
    }

    function test_lwl() public {
        load(0x22, 0, 0xffff_ffff_8182_8384, "lwl 0");
        load(0x22, 1, 0xffff_ffff_8283_84f8, "lwl 1");
        load(0x22, 2, 0xffff_ffff_8384_f7f8, "lwl 2");
        load(0x22, 3, 0xffff_ffff_84f6_f7f8, "lwl 3");
        load(0x22, 5, 0xffff_ffff_8687_88f8, "lwl 5");
    }

    function test_lwrKeepsTheUpperHalfUnlessAllIsLoaded() public {
        load(0x26, 0, 0xf1f2_f3f4_f5f6_f781, "lwr 0");
        load(0x26, 1, 0xf1f2_f3f4_f5f6_8182, "lwr 1");
        load(0x26, 2, 0xf1f2_f3f4_f581_8283, "lwr 2");
        load(0x26, 3, 0xffff_ffff_8182_8384, "lwr 3");
        load(0x26, 6, 0xf1f2_f3f4_f585_8687, "lwr 6");
    }

    function test_ldlAndLdr() public {
        load(0x1a, 0, MEM, "ldl 0");
        load(0x1a, 3, 0x8485_8687_88f6_f7f8, "ldl 3");
        load(0x1a, 7, 0x88f2_f3f4_f5f6_f7f8, "ldl 7");
        load(0x1b, 0, 0xf1f2_f3f4_f5f6_f781, "ldr 0");
        load(0x1b, 4, 0xf1f2_f381_8283_8485, "ldr 4");
        load(0x1b, 7, MEM, "ldr 7");
    }

    function test_storesKeepTheirNeighbours() public {
        save(0x28, 0, 0xf882_8384_8586_8788, "sb 0");
        save(0x28, 7, 0x8182_8384_8586_87f8, "sb 7");
        save(0x29, 2, 0x8182_f7f8_8586_8788, "sh");
        save(0x29, 7, 0x8182_8384_8586_f7f8, "sh at an odd address");
        save(0x2b, 0, 0xf5f6_f7f8_8586_8788, "sw");
        save(0x2b, 7, 0x8182_8384_f5f6_f7f8, "sw inside the word");
        save(0x3f, 0, REG, "sd");
        save(0x3f, 6, REG, "sd inside the doubleword");
    }

    function test_swlAndSwr() public {
        save(0x2a, 0, 0xf5f6_f7f8_8586_8788, "swl 0");
        save(0x2a, 1, 0x81f5_f6f7_8586_8788, "swl 1");
        save(0x2a, 3, 0x8182_83f5_8586_8788, "swl 3");
        save(0x2a, 6, 0x8182_8384_8586_f5f6, "swl 6");
        save(0x2e, 0, 0xf882_8384_8586_8788, "swr 0");
        save(0x2e, 2, 0xf6f7_f884_8586_8788, "swr 2");
        save(0x2e, 3, 0xf5f6_f7f8_8586_8788, "swr 3");
        save(0x2e, 5, 0x8182_8384_f7f8_8788, "swr 5");
    }

    function test_sdlAndSdr() public {
        save(0x2c, 0, REG, "sdl 0");
        save(0x2c, 3, 0x8182_83f1_f2f3_f4f5, "sdl 3");
        save(0x2c, 7, 0x8182_8384_8586_87f1, "sdl 7");
        save(0x2d, 0, 0xf882_8384_8586_8788, "sdr 0");
        save(0x2d, 4, 0xf4f5_f6f7_f886_8788, "sdr 4");
        save(0x2d, 7, REG, "sdr 7");
    }

    function test_addressesWrap() public {
        Machine memory m = machine(Encode.i(0x37, 8, 9, 8)); // ld $9, 8($8)
        active(m).r[8] = ALL_ONES - 7;
        store8(m, 0, MEM);
        Machine memory n = advanced(m);
        active(n).r[9] = MEM;
        check(m, n, 0, "past the end of memory is its start");

        m = machine(Encode.i(0x3f, 8, 9, 0xfff8)); // sd $9, -8($8)
        active(m).r[8] = 0;
        n = advanced(m);
        store8(n, ALL_ONES - 7, active(m).r[9]);
        check(m, n, ALL_ONES - 7, "before the start is the end");
    }

    function test_loadToRegisterZero() public {
        Machine memory m = machine(Encode.i(0x37, 8, 0, 0));
        active(m).r[8] = DATA;
        store8(m, DATA, MEM);
        check(m, advanced(m), DATA, "ld to $0");
    }

    /// @dev Opcodes without a row still make their access first.
    function test_unknownAccessesFault() public {
        bytes memory opcodes = hex"2f3132333536393a3b3d3e";
        for (uint256 i = 0; i < opcodes.length; i++) {
            Machine memory m = machine(Encode.i(uint8(opcodes[i]), 8, 9, 0));
            active(m).r[8] = DATA;
            checkFault(m, DATA, text("MIPS64: invalid instruction"));
            store8(m, DATA, MEM);
            checkFault(m, DATA + 32, abi.encodeWithSelector(IMIPS64.InvalidMemoryProof.selector));
        }
        checkFault(machine(0xf8000000), 0, text("MIPS64: invalid instruction"));
    }

    // Reservations.

    function reserved(uint32 insn, uint8 status, uint64 addr, uint64 owner) private pure returns (Machine memory m) {
        m = machine(insn);
        m.s.llStatus = status;
        m.s.llAddress = addr;
        m.s.llOwner = owner;
        active(m).id = 3;
        active(m).r[8] = DATA;
        active(m).r[9] = REG;
        store8(m, DATA, MEM);
    }

    function cleared(Machine memory m) private pure {
        m.s.llStatus = 0;
        m.s.llAddress = 0;
        m.s.llOwner = 0;
    }

    function test_attack21_loadLinkedReserves() public {
        Machine memory m = reserved(Encode.i(0x30, 8, 9, 5), 2, 77, 66); // ll $9, 5($8)
        Machine memory n = advanced(m);
        active(n).r[9] = 0xffff_ffff_8586_8788;
        n.s.llStatus = 1;
        n.s.llAddress = DATA + 5;
        n.s.llOwner = 3;
        check(m, n, DATA, "ll keeps the address unaligned and replaces a reservation");

        m = reserved(Encode.i(0x34, 8, 9, 0), 0, 0, 0); // lld
        n = advanced(m);
        active(n).r[9] = MEM;
        n.s.llStatus = 2;
        n.s.llAddress = DATA;
        n.s.llOwner = 3;
        check(m, n, DATA, "lld");
    }

    function test_attack21_storeConditionalSucceeds() public {
        Machine memory m = reserved(Encode.i(0x38, 8, 9, 4), 1, DATA + 4, 3); // sc $9, 4($8)
        Machine memory n = advanced(m);
        active(n).r[9] = 1;
        store8(n, DATA, 0x8182_8384_f5f6_f7f8);
        cleared(n);
        check(m, n, DATA, "sc");

        m = reserved(Encode.i(0x3c, 8, 9, 0), 2, DATA, 3); // scd
        n = advanced(m);
        active(n).r[9] = 1;
        store8(n, DATA, REG);
        cleared(n);
        check(m, n, DATA, "scd");
    }

    function test_attack21_storeConditionalNeedsItsOwnReservation() public {
        refuse(0x38, 0, DATA, 3, "none");
        refuse(0x38, 2, DATA, 3, "sc after lld");
        refuse(0x3c, 1, DATA, 3, "scd after ll");
        refuse(0x38, 1, DATA, 2, "another thread's");
        refuse(0x38, 1, DATA + 1, 3, "the same word, another address");
        refuse(0x3c, 2, DATA + 8, 3, "another doubleword");
    }

    /// @dev rt becomes 0, memory is not looked at and the reservation stays.
    function refuse(uint32 opcode, uint8 status, uint64 addr, uint64 owner, string memory what) private {
        Machine memory m = reserved(Encode.i(opcode, 8, 9, 0), status, addr, owner);
        Machine memory n = advanced(m);
        active(n).r[9] = 0;
        // The proof of another place: it must not matter.
        check(m, n, 0x5000, what);
    }

    function test_attack21_storeToTheReservedDoublewordEndsTheReservation() public {
        for (uint64 b = 0; b < 8; b++) {
            // Reserved by another thread, at any byte of the doubleword.
            Machine memory m = reserved(Encode.i(0x28, 8, 9, 7 - uint16(b)), 1, DATA + b, 8); // sb
            Machine memory n = advanced(m);
            storeBytes(n, DATA + 7 - b, hex"f8");
            cleared(n);
            check(m, n, DATA, "sb to the reserved doubleword");
        }
    }

    function test_storeBesideTheReservationKeepsIt() public {
        Machine memory m = reserved(Encode.i(0x3f, 8, 9, 8), 2, DATA + 7, 3); // sd
        Machine memory n = advanced(m);
        store8(n, DATA + 8, REG);
        check(m, n, DATA + 8, "sd to the next doubleword");
    }

    function test_loadKeepsTheReservation() public {
        Machine memory m = reserved(Encode.i(0x37, 8, 9, 0), 2, DATA, 3); // ld
        Machine memory n = advanced(m);
        active(n).r[9] = MEM;
        check(m, n, DATA, "ld from the reserved doubleword");
    }
}
