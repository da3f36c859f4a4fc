//! The MIPS instructions that Cannon executes, one documented row each.
//!
//! A row is: what the instruction does, its mnemonic, how it is written in assembly, its bits, and the
//! width of the machine it exists on (`both`, or `wide` for the 64-bit one alone), or `rest` where it stands
//! for all that no other row of its group matches, on either. The enum, the decoder, the encoder, the disassembler, the list for tests and the visitor trait all come from these
//! rows. Everything that no row matches is an invalid instruction.
//!
//! Field letters: `s` rs, `t` rt, `d` rd, `a` shift amount, `i` immediate, `j` jump target.
//!
//! Facts: Cannon's instruction set as the MIPS64 contract executes it. Fields that hardware would
//! require to be zero are ignored, as the contract ignores them.

/// Calls the macro `$callback` with all rows.
#[doc(hidden)]
macro_rules! for_each_mips_instruction {
    ($callback:ident) => {
        $callback! {
        /// Shift word left: rd = rt << sa.
        sll     RdRtSa   "000000 ----- ttttt ddddd aaaaa 000000" both;
        /// Shift word right, zeros enter: rd = rt >> sa.
        srl     RdRtSa   "000000 ----- ttttt ddddd aaaaa 000010" both;
        /// Shift word right, the sign enters: rd = rt >> sa.
        sra     RdRtSa   "000000 ----- ttttt ddddd aaaaa 000011" both;
        /// Shift word left by a register: rd = rt << (rs mod 32).
        sllv    RdRtRs   "000000 sssss ttttt ddddd ----- 000100" both;
        /// Shift word right by a register, zeros enter: rd = rt >> (rs mod 32).
        srlv    RdRtRs   "000000 sssss ttttt ddddd ----- 000110" both;
        /// Shift word right by a register, the sign enters: rd = rt >> (rs mod 32).
        srav    RdRtRs   "000000 sssss ttttt ddddd ----- 000111" both;
        /// Jump to the address in rs.
        jr      Rs       "000000 sssss ----- ----- ----- 001000" both;
        /// Jump to the address in rs, link in rd.
        jalr    RdRs     "000000 sssss ----- ddddd ----- 001001" both;
        /// Move if zero: rd = rs when rt is zero.
        movz    RdRsRt   "000000 sssss ttttt ddddd ----- 001010" both;
        /// Move if not zero: rd = rs when rt is not zero.
        movn    RdRsRt   "000000 sssss ttttt ddddd ----- 001011" both;
        /// System call; number and arguments are in registers.
        syscall Bare     "000000 ----- ----- ----- ----- 001100" both;
        /// Memory barrier. Real encodings have no operands; a non-zero rd receives rs.
        sync    Bare     "000000 sssss ----- ddddd ----- 001111" both;
        /// Move from HI: rd = HI.
        mfhi    Rd       "000000 ----- ----- ddddd ----- 010000" both;
        /// Move to HI: HI = rs. A non-zero rd receives 0.
        mthi    Rs       "000000 sssss ----- ddddd ----- 010001" both;
        /// Move from LO: rd = LO.
        mflo    Rd       "000000 ----- ----- ddddd ----- 010010" both;
        /// Move to LO: LO = rs. A non-zero rd receives 0.
        mtlo    Rs       "000000 sssss ----- ddddd ----- 010011" both;
        /// Shift doubleword left by a register: rd = rt << (rs mod 64).
        dsllv   RdRtRs   "000000 sssss ttttt ddddd ----- 010100" wide;
        /// Shift doubleword right by a register, zeros enter: rd = rt >> (rs mod 64).
        dsrlv   RdRtRs   "000000 sssss ttttt ddddd ----- 010110" wide;
        /// Shift doubleword right by a register, the sign enters: rd = rt >> (rs mod 64).
        dsrav   RdRtRs   "000000 sssss ttttt ddddd ----- 010111" wide;
        /// Multiply signed words: HI, LO = halves of rs * rt. A non-zero rd receives 0.
        mult    RsRt     "000000 sssss ttttt ddddd ----- 011000" both;
        /// Multiply unsigned words: HI, LO = halves of rs * rt. A non-zero rd receives 0.
        multu   RsRt     "000000 sssss ttttt ddddd ----- 011001" both;
        /// Divide signed words: LO = rs / rt, HI = rs mod rt; rt = 0 faults. A non-zero rd receives 0.
        div     RsRt     "000000 sssss ttttt ddddd ----- 011010" both;
        /// Divide unsigned words: LO = rs / rt, HI = rs mod rt; rt = 0 faults. A non-zero rd receives 0.
        divu    RsRt     "000000 sssss ttttt ddddd ----- 011011" both;
        /// Multiply signed doublewords: HI, LO = halves of rs * rt. A non-zero rd receives 0.
        dmult   RsRt     "000000 sssss ttttt ddddd ----- 011100" wide;
        /// Multiply unsigned doublewords: HI, LO = halves of rs * rt. A non-zero rd receives 0.
        dmultu  RsRt     "000000 sssss ttttt ddddd ----- 011101" wide;
        /// Divide signed doublewords: LO = rs / rt, HI = rs mod rt; rt = 0 faults. A non-zero rd receives 0.
        ddiv    RsRt     "000000 sssss ttttt ddddd ----- 011110" wide;
        /// Divide unsigned doublewords: LO = rs / rt, HI = rs mod rt; rt = 0 faults. A non-zero rd receives 0.
        ddivu   RsRt     "000000 sssss ttttt ddddd ----- 011111" wide;
        /// Add words, wrapping: rd = rs + rt.
        add     RdRsRt   "000000 sssss ttttt ddddd ----- 100000" both;
        /// Add words, wrapping: rd = rs + rt.
        addu    RdRsRt   "000000 sssss ttttt ddddd ----- 100001" both;
        /// Subtract words, wrapping: rd = rs - rt.
        sub     RdRsRt   "000000 sssss ttttt ddddd ----- 100010" both;
        /// Subtract words, wrapping: rd = rs - rt.
        subu    RdRsRt   "000000 sssss ttttt ddddd ----- 100011" both;
        /// Bitwise and: rd = rs & rt.
        and     RdRsRt   "000000 sssss ttttt ddddd ----- 100100" both;
        /// Bitwise or: rd = rs | rt.
        or      RdRsRt   "000000 sssss ttttt ddddd ----- 100101" both;
        /// Bitwise exclusive or: rd = rs ^ rt.
        xor     RdRsRt   "000000 sssss ttttt ddddd ----- 100110" both;
        /// Bitwise nor: rd = !(rs | rt).
        nor     RdRsRt   "000000 sssss ttttt ddddd ----- 100111" both;
        /// Set if less, signed: rd = rs < rt.
        slt     RdRsRt   "000000 sssss ttttt ddddd ----- 101010" both;
        /// Set if less, unsigned: rd = rs < rt.
        sltu    RdRsRt   "000000 sssss ttttt ddddd ----- 101011" both;
        /// Add doublewords, wrapping: rd = rs + rt.
        dadd    RdRsRt   "000000 sssss ttttt ddddd ----- 101100" wide;
        /// Add doublewords, wrapping: rd = rs + rt.
        daddu   RdRsRt   "000000 sssss ttttt ddddd ----- 101101" wide;
        /// Subtract doublewords, wrapping: rd = rs - rt.
        dsub    RdRsRt   "000000 sssss ttttt ddddd ----- 101110" wide;
        /// Subtract doublewords, wrapping: rd = rs - rt.
        dsubu   RdRsRt   "000000 sssss ttttt ddddd ----- 101111" wide;
        /// Shift doubleword left: rd = rt << sa.
        dsll    RdRtSa   "000000 ----- ttttt ddddd aaaaa 111000" wide;
        /// Shift doubleword right, zeros enter: rd = rt >> sa.
        dsrl    RdRtSa   "000000 ----- ttttt ddddd aaaaa 111010" wide;
        /// Shift doubleword right, the sign enters: rd = rt >> sa.
        dsra    RdRtSa   "000000 ----- ttttt ddddd aaaaa 111011" wide;
        /// Shift doubleword left by 32 more: rd = rt << (sa + 32).
        dsll32  RdRtSa   "000000 ----- ttttt ddddd aaaaa 111100" wide;
        /// Shift doubleword right by 32 more, zeros enter: rd = rt >> (sa + 32).
        dsrl32  RdRtSa   "000000 ----- ttttt ddddd aaaaa 111110" wide;
        /// Shift doubleword right by 32 more, the sign enters: rd = rt >> (sa + 32).
        dsra32  RdRtSa   "000000 ----- ttttt ddddd aaaaa 111111" wide;
        /// Branch if rs is negative.
        bltz    RsOff    "000001 sssss 00000 iiiiiiiiiiiiiiii" both;
        /// Branch if rs is not negative.
        bgez    RsOff    "000001 sssss 00001 iiiiiiiiiiiiiiii" both;
        /// Branch if rs is negative; links in $31 even when not taken.
        bltzal  RsOff    "000001 sssss 10000 iiiiiiiiiiiiiiii" wide;
        /// Branch if rs is not negative; links in $31 even when not taken.
        bgezal  RsOff    "000001 sssss 10001 iiiiiiiiiiiiiiii" both;
        /// Every other encoding of the REGIMM group: a branch that is never taken.
        bnever  RsOff    "000001 sssss ttttt iiiiiiiiiiiiiiii" rest;
        /// Jump within the 256 MiB region of the delay slot.
        j       Jump     "000010 jjjjjjjjjjjjjjjjjjjjjjjjjj" both;
        /// Jump within the 256 MiB region of the delay slot, link in $31.
        jal     Jump     "000011 jjjjjjjjjjjjjjjjjjjjjjjjjj" both;
        /// Branch if rs equals rt.
        beq     RsRtOff  "000100 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Branch if rs differs from rt.
        bne     RsRtOff  "000101 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Branch if rs is zero or negative.
        blez    RsOff    "000110 sssss ----- iiiiiiiiiiiiiiii" both;
        /// Branch if rs is positive.
        bgtz    RsOff    "000111 sssss ----- iiiiiiiiiiiiiiii" both;
        /// Add a signed immediate to a word, wrapping: rt = rs + imm.
        addi    RtRsImm  "001000 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Add a signed immediate to a word, wrapping: rt = rs + imm.
        addiu   RtRsImm  "001001 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Set if less than a signed immediate: rt = rs < imm.
        slti    RtRsImm  "001010 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Set if less, unsigned, than the sign-extended immediate: rt = rs < imm.
        sltiu   RtRsImm  "001011 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Bitwise and with a zero-extended immediate: rt = rs & imm.
        andi    RtRsUimm "001100 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Bitwise or with a zero-extended immediate: rt = rs | imm.
        ori     RtRsUimm "001101 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Bitwise exclusive or with a zero-extended immediate: rt = rs ^ imm.
        xori    RtRsUimm "001110 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load upper immediate: rt = imm << 16.
        lui     RtUimm   "001111 ----- ttttt iiiiiiiiiiiiiiii" both;
        /// Add a signed immediate to a doubleword, wrapping: rt = rs + imm.
        daddi   RtRsImm  "011000 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Add a signed immediate to a doubleword, wrapping: rt = rs + imm.
        daddiu  RtRsImm  "011001 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Load the bytes from an address to the end of its doubleword into the upper end of rt.
        ldl     RtMem    "011010 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Load the bytes from the start of a doubleword to an address into the lower end of rt.
        ldr     RtMem    "011011 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Multiply words, low half: rd = rs * rt. HI and LO stay.
        mul     RdRsRt   "011100 sssss ttttt ddddd ----- 000010" both;
        /// Count leading zeros of a word.
        clz     RdRs     "011100 sssss ----- ddddd ----- 100000" both;
        /// Count leading ones of a word.
        clo     RdRs     "011100 sssss ----- ddddd ----- 100001" both;
        /// Count leading zeros of a doubleword.
        dclz    RdRs     "011100 sssss ----- ddddd ----- 100100" wide;
        /// Count leading ones of a doubleword.
        dclo    RdRs     "011100 sssss ----- ddddd ----- 100101" wide;
        /// Load byte, sign-extended.
        lb      RtMem    "100000 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load halfword, sign-extended; the address is rounded down to 2.
        lh      RtMem    "100001 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load the bytes from an address to the end of its word into the upper end of the word rt.
        lwl     RtMem    "100010 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load word, sign-extended; the address is rounded down to 4.
        lw      RtMem    "100011 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load byte, zero-extended.
        lbu     RtMem    "100100 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load halfword, zero-extended; the address is rounded down to 2.
        lhu     RtMem    "100101 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load the bytes from the start of a word to an address into the lower end of the word rt.
        lwr     RtMem    "100110 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load word, zero-extended; the address is rounded down to 4.
        lwu     RtMem    "100111 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Store byte.
        sb      RtMem    "101000 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Store halfword; the address is rounded down to 2.
        sh      RtMem    "101001 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Store the upper end of the word rt from an address to the end of its word.
        swl     RtMem    "101010 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Store word; the address is rounded down to 4.
        sw      RtMem    "101011 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Store the upper end of rt from an address to the end of its doubleword.
        sdl     RtMem    "101100 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Store the lower end of rt from the start of a doubleword to an address.
        sdr     RtMem    "101101 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Store the lower end of the word rt from the start of a word to an address.
        swr     RtMem    "101110 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load word and reserve its address.
        ll      RtMem    "110000 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Load doubleword and reserve its address.
        lld     RtMem    "110100 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Load doubleword; the address is rounded down to 8.
        ld      RtMem    "110111 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Store word if its reservation holds: rt = 1 when it does, else 0.
        sc      RtMem    "111000 sssss ttttt iiiiiiiiiiiiiiii" both;
        /// Store doubleword if its reservation holds: rt = 1 when it does, else 0.
        scd     RtMem    "111100 sssss ttttt iiiiiiiiiiiiiiii" wide;
        /// Store doubleword; the address is rounded down to 8.
        sd      RtMem    "111111 sssss ttttt iiiiiiiiiiiiiiii" wide;
            }
    };
}
