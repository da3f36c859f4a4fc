//! The RISC-V instructions that Asterisc executes, one documented row each.
//!
//! A row is: what the instruction does, its mnemonic (with `_` for `.`), how it is written in assembly,
//! its bits, and `rest` where it stands for all that no other row of its group matches. The enum, the
//! decoder, the encoder, the disassembler, the list for tests and the visitor trait all come from these
//! rows. Everything that no row matches is a fault.
//!
//! Field letters: `s` rs1, `t` rs2, `d` rd, `a` shift amount, `i` immediate, its bits in the order that
//! the format gives.
//!
//! Facts: RV64IMA as the RISCV contract executes it. Fields that the contract does not look at are drawn
//! as ignored, although the architecture reserves most of their values.

/// Calls the macro `$callback` with all rows.
#[doc(hidden)]
macro_rules! for_each_riscv_instruction {
    ($callback:ident) => {
        $callback! {
        /// Load byte, sign-extended.
        lb        Load     "iiiiiiiiiiii sssss 000 ddddd 0000011";
        /// Load halfword, sign-extended.
        lh        Load     "iiiiiiiiiiii sssss 001 ddddd 0000011";
        /// Load word, sign-extended.
        lw        Load     "iiiiiiiiiiii sssss 010 ddddd 0000011";
        /// Load doubleword.
        ld        Load     "iiiiiiiiiiii sssss 011 ddddd 0000011";
        /// Load byte, zero-extended.
        lbu       Load     "iiiiiiiiiiii sssss 100 ddddd 0000011";
        /// Load halfword, zero-extended.
        lhu       Load     "iiiiiiiiiiii sssss 101 ddddd 0000011";
        /// Load word, zero-extended.
        lwu       Load     "iiiiiiiiiiii sssss 110 ddddd 0000011";
        /// Every load of a floating-point register: nothing happens.
        fload     Bare     "------------ ----- --- ----- 0000111";
        /// Every fence: nothing happens, one hart has no order to keep.
        fence     Bare     "------------ ----- --- ----- 0001111";
        /// Add an immediate: rd = rs1 + imm.
        addi      RdRs1Imm "iiiiiiiiiiii sssss 000 ddddd 0010011";
        /// Shift left: rd = rs1 << shamt.
        slli      RdRs1Sh  "------ aaaaaa sssss 001 ddddd 0010011";
        /// Set if less than an immediate, signed: rd = rs1 < imm.
        slti      RdRs1Imm "iiiiiiiiiiii sssss 010 ddddd 0010011";
        /// Set if less than a sign-extended immediate, unsigned: rd = rs1 < imm.
        sltiu     RdRs1Imm "iiiiiiiiiiii sssss 011 ddddd 0010011";
        /// Bitwise exclusive or with an immediate: rd = rs1 ^ imm.
        xori      RdRs1Imm "iiiiiiiiiiii sssss 100 ddddd 0010011";
        /// Shift right, zeros enter: rd = rs1 >> shamt.
        srli      RdRs1Sh  "000000 aaaaaa sssss 101 ddddd 0010011";
        /// Shift right, the sign enters: rd = rs1 >> shamt.
        srai      RdRs1Sh  "010000 aaaaaa sssss 101 ddddd 0010011";
        /// Bitwise or with an immediate: rd = rs1 | imm.
        ori       RdRs1Imm "iiiiiiiiiiii sssss 110 ddddd 0010011";
        /// Bitwise and with an immediate: rd = rs1 & imm.
        andi      RdRs1Imm "iiiiiiiiiiii sssss 111 ddddd 0010011";
        /// Add an upper immediate to pc: rd = pc + (imm << 12).
        auipc     RdUpper  "iiiiiiiiiiiiiiiiiiii ddddd 0010111";
        /// Add an immediate to a word: rd = rs1 + imm.
        addiw     RdRs1Imm "iiiiiiiiiiii sssss 000 ddddd 0011011";
        /// Shift word left: rd = rs1 << shamt.
        slliw     RdRs1Sh  "------0 aaaaa sssss 001 ddddd 0011011";
        /// Shift word right, zeros enter: rd = rs1 >> shamt.
        srliw     RdRs1Sh  "0000000 aaaaa sssss 101 ddddd 0011011";
        /// Shift word right, the sign enters: rd = rs1 >> shamt.
        sraiw     RdRs1Sh  "0100000 aaaaa sssss 101 ddddd 0011011";
        /// Store byte.
        sb        Store    "iiiiiii ttttt sssss 000 iiiii 0100011";
        /// Store halfword.
        sh        Store    "iiiiiii ttttt sssss 001 iiiii 0100011";
        /// Store word.
        sw        Store    "iiiiiii ttttt sssss 010 iiiii 0100011";
        /// Store doubleword.
        sd        Store    "iiiiiii ttttt sssss 011 iiiii 0100011";
        /// Every store of a floating-point register: nothing happens.
        fstore    Bare     "------------ ----- --- ----- 0100111";
        /// Add to a word of memory: rd = old, new = old + rs2.
        amoadd_w  Amo      "00000 -- ttttt sssss 010 ddddd 0101111";
        /// Replace a word of memory: rd = old, new = rs2.
        amoswap_w Amo      "00001 -- ttttt sssss 010 ddddd 0101111";
        /// Load word and reserve its address.
        lr_w      Reserve  "00010 -- ----- sssss 010 ddddd 0101111";
        /// Store word if its address is reserved: rd = 0 when it is, else 1. Ends the reservation.
        sc_w      Amo      "00011 -- ttttt sssss 010 ddddd 0101111";
        /// Exclusive or on a word of memory: rd = old, new = old ^ rs2.
        amoxor_w  Amo      "00100 -- ttttt sssss 010 ddddd 0101111";
        /// Or on a word of memory: rd = old, new = old | rs2.
        amoor_w   Amo      "01000 -- ttttt sssss 010 ddddd 0101111";
        /// And on a word of memory: rd = old, new = old & rs2.
        amoand_w  Amo      "01100 -- ttttt sssss 010 ddddd 0101111";
        /// Minimum with a word of memory, signed: rd = old, new = min(old, rs2).
        amomin_w  Amo      "10000 -- ttttt sssss 010 ddddd 0101111";
        /// Maximum with a word of memory, signed: rd = old, new = max(old, rs2).
        amomax_w  Amo      "10100 -- ttttt sssss 010 ddddd 0101111";
        /// Minimum with a word of memory, unsigned: rd = old, new = min(old, rs2).
        amominu_w Amo      "11000 -- ttttt sssss 010 ddddd 0101111";
        /// Maximum with a word of memory, unsigned: rd = old, new = max(old, rs2).
        amomaxu_w Amo      "11100 -- ttttt sssss 010 ddddd 0101111";
        /// Add to a doubleword of memory: rd = old, new = old + rs2.
        amoadd_d  Amo      "00000 -- ttttt sssss 011 ddddd 0101111";
        /// Replace a doubleword of memory: rd = old, new = rs2.
        amoswap_d Amo      "00001 -- ttttt sssss 011 ddddd 0101111";
        /// Load doubleword and reserve its address.
        lr_d      Reserve  "00010 -- ----- sssss 011 ddddd 0101111";
        /// Store doubleword if its address is reserved: rd = 0 when it is, else 1. Ends the reservation.
        sc_d      Amo      "00011 -- ttttt sssss 011 ddddd 0101111";
        /// Exclusive or on a doubleword of memory: rd = old, new = old ^ rs2.
        amoxor_d  Amo      "00100 -- ttttt sssss 011 ddddd 0101111";
        /// Or on a doubleword of memory: rd = old, new = old | rs2.
        amoor_d   Amo      "01000 -- ttttt sssss 011 ddddd 0101111";
        /// And on a doubleword of memory: rd = old, new = old & rs2.
        amoand_d  Amo      "01100 -- ttttt sssss 011 ddddd 0101111";
        /// Minimum with a doubleword of memory, signed: rd = old, new = min(old, rs2).
        amomin_d  Amo      "10000 -- ttttt sssss 011 ddddd 0101111";
        /// Maximum with a doubleword of memory, signed: rd = old, new = max(old, rs2).
        amomax_d  Amo      "10100 -- ttttt sssss 011 ddddd 0101111";
        /// Minimum with a doubleword of memory, unsigned: rd = old, new = min(old, rs2).
        amominu_d Amo      "11000 -- ttttt sssss 011 ddddd 0101111";
        /// Maximum with a doubleword of memory, unsigned: rd = old, new = max(old, rs2).
        amomaxu_d Amo      "11100 -- ttttt sssss 011 ddddd 0101111";
        /// Add: rd = rs1 + rs2.
        add       RdRs1Rs2 "0000000 ttttt sssss 000 ddddd 0110011";
        /// Subtract: rd = rs1 - rs2.
        sub       RdRs1Rs2 "0100000 ttttt sssss 000 ddddd 0110011";
        /// Shift left by a register: rd = rs1 << (rs2 mod 64).
        sll       RdRs1Rs2 "------- ttttt sssss 001 ddddd 0110011" rest;
        /// Set if less, signed: rd = rs1 < rs2.
        slt       RdRs1Rs2 "------- ttttt sssss 010 ddddd 0110011" rest;
        /// Set if less, unsigned: rd = rs1 < rs2.
        sltu      RdRs1Rs2 "------- ttttt sssss 011 ddddd 0110011" rest;
        /// Bitwise exclusive or: rd = rs1 ^ rs2.
        xor       RdRs1Rs2 "------- ttttt sssss 100 ddddd 0110011" rest;
        /// Shift right by a register, zeros enter: rd = rs1 >> (rs2 mod 64).
        srl       RdRs1Rs2 "0000000 ttttt sssss 101 ddddd 0110011";
        /// Shift right by a register, the sign enters: rd = rs1 >> (rs2 mod 64).
        sra       RdRs1Rs2 "0100000 ttttt sssss 101 ddddd 0110011";
        /// Bitwise or: rd = rs1 | rs2.
        or        RdRs1Rs2 "------- ttttt sssss 110 ddddd 0110011" rest;
        /// Bitwise and: rd = rs1 & rs2.
        and       RdRs1Rs2 "------- ttttt sssss 111 ddddd 0110011" rest;
        /// Multiply, lower half: rd = rs1 * rs2.
        mul       RdRs1Rs2 "0000001 ttttt sssss 000 ddddd 0110011";
        /// Multiply signed, upper half: rd = rs1 * rs2.
        mulh      RdRs1Rs2 "0000001 ttttt sssss 001 ddddd 0110011";
        /// Multiply signed by unsigned, upper half: rd = rs1 * rs2.
        mulhsu    RdRs1Rs2 "0000001 ttttt sssss 010 ddddd 0110011";
        /// Multiply unsigned, upper half: rd = rs1 * rs2.
        mulhu     RdRs1Rs2 "0000001 ttttt sssss 011 ddddd 0110011";
        /// Divide signed: rd = rs1 / rs2, all ones where rs2 = 0.
        div       RdRs1Rs2 "0000001 ttttt sssss 100 ddddd 0110011";
        /// Divide unsigned: rd = rs1 / rs2, all ones where rs2 = 0.
        divu      RdRs1Rs2 "0000001 ttttt sssss 101 ddddd 0110011";
        /// Remainder, signed: rd = rs1 mod rs2, rs1 where rs2 = 0.
        rem       RdRs1Rs2 "0000001 ttttt sssss 110 ddddd 0110011";
        /// Remainder, unsigned: rd = rs1 mod rs2, rs1 where rs2 = 0.
        remu      RdRs1Rs2 "0000001 ttttt sssss 111 ddddd 0110011";
        /// Load upper immediate: rd = imm << 12.
        lui       RdUpper  "iiiiiiiiiiiiiiiiiiii ddddd 0110111";
        /// Add words: rd = rs1 + rs2.
        addw      RdRs1Rs2 "0000000 ttttt sssss 000 ddddd 0111011";
        /// Subtract words: rd = rs1 - rs2.
        subw      RdRs1Rs2 "0100000 ttttt sssss 000 ddddd 0111011";
        /// Shift word left by a register: rd = rs1 << (rs2 mod 32).
        sllw      RdRs1Rs2 "------- ttttt sssss 001 ddddd 0111011" rest;
        /// Shift word right by a register, zeros enter: rd = rs1 >> (rs2 mod 32).
        srlw      RdRs1Rs2 "0000000 ttttt sssss 101 ddddd 0111011";
        /// Shift word right by a register, the sign enters: rd = rs1 >> (rs2 mod 32).
        sraw      RdRs1Rs2 "0100000 ttttt sssss 101 ddddd 0111011";
        /// Multiply words: rd = rs1 * rs2.
        mulw      RdRs1Rs2 "0000001 ttttt sssss 000 ddddd 0111011";
        /// What would be the upper half of a product of words: a fault.
        mulhw     RdRs1Rs2 "0000001 ttttt sssss 001 ddddd 0111011";
        /// Divide signed words: rd = rs1 / rs2, all ones where rs2 = 0.
        divw      RdRs1Rs2 "0000001 ttttt sssss 100 ddddd 0111011";
        /// Divide unsigned words: rd = rs1 / rs2, all ones where rs2 = 0.
        divuw     RdRs1Rs2 "0000001 ttttt sssss 101 ddddd 0111011";
        /// Remainder of signed words: rd = rs1 mod rs2, rs1 where rs2 = 0.
        remw      RdRs1Rs2 "0000001 ttttt sssss 110 ddddd 0111011";
        /// Remainder of unsigned words: rd = rs1 mod rs2, rs1 where rs2 = 0.
        remuw     RdRs1Rs2 "0000001 ttttt sssss 111 ddddd 0111011";
        /// All floating-point arithmetic: nothing happens.
        farith    Bare     "------------ ----- --- ----- 1010011";
        /// Branch if equal.
        beq       Branch   "iiiiiii ttttt sssss 000 iiiii 1100011";
        /// Branch if not equal.
        bne       Branch   "iiiiiii ttttt sssss 001 iiiii 1100011";
        /// What remains of the branches: never taken.
        bnever    Branch   "iiiiiii ttttt sssss 01- iiiii 1100011";
        /// Branch if less, signed.
        blt       Branch   "iiiiiii ttttt sssss 100 iiiii 1100011";
        /// Branch if greater or equal, signed.
        bge       Branch   "iiiiiii ttttt sssss 101 iiiii 1100011";
        /// Branch if less, unsigned.
        bltu      Branch   "iiiiiii ttttt sssss 110 iiiii 1100011";
        /// Branch if greater or equal, unsigned.
        bgeu      Branch   "iiiiiii ttttt sssss 111 iiiii 1100011";
        /// Jump to rs1 + imm without its lowest bit, link in rd.
        jalr      Through  "iiiiiiiiiiii sssss --- ddddd 1100111";
        /// Jump, link in rd.
        jal       Jump     "iiiiiiiiiiiiiiiiiiii ddddd 1101111";
        /// System call; number and arguments are in registers.
        ecall     Bare     "000000000000 ----- 000 ----- 1110011";
        /// Breakpoint: nothing happens.
        ebreak    Bare     "000000000001 ----- 000 ----- 1110011";
        /// Waits, returns from traps and their kin: nothing happens.
        wfi       System   "iiiiiiiiiiii ----- 000 ----- 1110011" rest;
        /// Read and write a control register, of which there are none: rd = 0.
        csrrw     Control  "iiiiiiiiiiii sssss 001 ddddd 1110011";
        /// Read a control register and set bits: rd = 0.
        csrrs     Control  "iiiiiiiiiiii sssss 010 ddddd 1110011";
        /// Read a control register and clear bits: rd = 0.
        csrrc     Control  "iiiiiiiiiiii sssss 011 ddddd 1110011";
        /// Loads and stores of a hypervisor: rd = 0.
        hlv       Control  "iiiiiiiiiiii sssss 100 ddddd 1110011";
        /// Read and write a control register, immediate: rd = 0.
        csrrwi    Control  "iiiiiiiiiiii sssss 101 ddddd 1110011";
        /// Read a control register and set immediate bits: rd = 0.
        csrrsi    Control  "iiiiiiiiiiii sssss 110 ddddd 1110011";
        /// Read a control register and clear immediate bits: rd = 0.
        csrrci    Control  "iiiiiiiiiiii sssss 111 ddddd 1110011";
            }
    };
}
