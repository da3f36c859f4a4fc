# keccak256 for MIPS64 without rotations: every lane stays in a register from the first block of the
# input to the digest.
#
#   keccak256_mips64(input $4, length $5, output $6)
#
# Registers: 25 lanes, five temporaries $4 to $8, and $29, which leads to the constants and to what has
# to wait in memory. A guest has neither signals nor other threads, so nobody needs a stack meanwhile.
#
# A round is 194 instructions: 65 for theta, 72 for rho, 55 for chi, 2 for iota.
#
# - Pi moves nothing. A round leaves each lane in the register it was found in, and the next round
#   knows it by another number. After six rounds the lane at (x, y) is in the register of (2x, 2y);
#   so four lists of registers serve all 24 rounds.
# - Chi needs complements, (not b) and c. A rotation ends in an `or` of two parts, and `nor` gives the
#   complement instead at the same cost. So lanes 1 and 3 of a row are complemented by their rotation,
#   which leaves one complement a row to be computed.
# - Theta applies each column's sum as soon as it is complete, so five temporaries are enough.
#
# The machine is big-endian, lanes are little-endian: each is turned around on its way in and out.

        .set    noreorder
        .set    noat
        .set    nomacro

        .set    MASK_8,         24 * 8
        .set    MASK_16,        25 * 8
        .set    TOP_BIT,        26 * 8
        .set    LANES_END,      27 * 8
        .set    TAILS,          28 * 8
        .set    INPUT,          29 * 8
        .set    REMAINING,      30 * 8
        .set    OUTPUT,         31 * 8
        .set    SAVED,          32 * 8
        .set    SHORT,          44 * 8

        .section .data.keccak, "aw", @progbits
        .balign 8
.Lkeccak_data:
        # Round constants.
        .8byte  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000
        .8byte  0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009
        .8byte  0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a
        .8byte  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003
        .8byte  0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a
        .8byte  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008
        .8byte  0x00ff00ff00ff00ff      # MASK_8
        .8byte  0x0000ffff0000ffff      # MASK_16
        .8byte  0x8000000000000000      # TOP_BIT
        .8byte  .Lkeccak_lanes_end        # LANES_END
        .8byte  .Lkeccak_tails            # TAILS
        .8byte  0                       # INPUT: what follows the block at hand
        .8byte  0                       # REMAINING: its length; negative during the last block
        .8byte  0                       # OUTPUT
        .space  12 * 8                  # SAVED: registers of the caller
        .space  8                       # SHORT: an input below eight bytes, behind bytes that
        .space  8                       #        can be read in front of it

# Turns the bytes of \x around. Masks in $5 and $6.
.macro  turn    x, t
        dsrl    \t, \x, 8
        and     \t, \t, $5
        and     \x, \x, $5
        dsll    \x, \x, 8
        or      \x, \x, \t
        dsrl    \t, \x, 16
        and     \t, \t, $6
        and     \x, \x, $6
        dsll    \x, \x, 16
        or      \x, \x, \t
        dsrl32  \t, \x, 0
        dsll32  \x, \x, 0
        or      \x, \x, \t
.endm

# Adds lane \number of the block at $4 to \lane: 16 instructions.
.macro  absorb  number, lane
        ldl     $7, 8 * \number($4)
        ldr     $7, 8 * \number + 7($4)
        turn    $7, $8
        xor     \lane, \lane, $7
.endm

# \t = \lane rotated left by \by, in two halves that are still to be joined.
.macro  halves  lane, by, t
.if \by < 32
        dsll    \t, \lane, \by
        dsrl32  \lane, \lane, 32 - \by
.else
        dsll32  \t, \lane, \by - 32
        dsrl    \lane, \lane, 64 - \by
.endif
.endm

.macro  rotate  lane, by
        halves  \lane, \by, $4
        or      \lane, \lane, $4
.endm

.macro  rotate_complement lane, by
        halves  \lane, \by, $4
        nor     \lane, \lane, $4
.endm

# \sum = sum of a column.
.macro  column  sum, a, b, c, d, e
        xor     \sum, \a, \b
        xor     \sum, \sum, \c
        xor     \sum, \sum, \d
        xor     \sum, \sum, \e
.endm

# \sum = \sum + (\next rotated left by 1): what theta adds to the column between the two.
.macro  effect  sum, next, t
        dsll    \t, \next, 1
        xor     \sum, \sum, \t
        dsrl32  \t, \next, 31
        xor     \sum, \sum, \t
.endm

.macro  apply   effect, a, b, c, d, e
        xor     \a, \a, \effect
        xor     \b, \b, \effect
        xor     \c, \c, \effect
        xor     \d, \d, \effect
        xor     \e, \e, \effect
.endm

.macro  theta   a0,a1,a2,a3,a4, a5,a6,a7,a8,a9, a10,a11,a12,a13,a14, a15,a16,a17,a18,a19, a20,a21,a22,a23,a24
        column  $4, \a0, \a5, \a10, \a15, \a20
        column  $5, \a2, \a7, \a12, \a17, \a22
        dsll    $6, $5, 1
        dsrl32  $7, $5, 31
        or      $6, $6, $7
        xor     $6, $6, $4                              # effect on column 1
        column  $7, \a4, \a9, \a14, \a19, \a24
        effect  $5, $7, $8                              # effect on column 3
        column  $8, \a1, \a6, \a11, \a16, \a21
        apply   $6, \a1, \a6, \a11, \a16, \a21
        effect  $7, $8, $6                              # effect on column 0
        apply   $7, \a0, \a5, \a10, \a15, \a20
        column  $6, \a3, \a8, \a13, \a18, \a23
        apply   $5, \a3, \a8, \a13, \a18, \a23
        effect  $8, $6, $5                              # effect on column 2
        apply   $8, \a2, \a7, \a12, \a17, \a22
        effect  $6, $4, $5                              # effect on column 4
        apply   $6, \a4, \a9, \a14, \a19, \a24
.endm

# One row after rho and pi. Lanes 1 and 3 come complemented; all leave as they should be.
.macro  chi     b0, b1, b2, b3, b4
        nor     $4, \b0, $0
        or      $4, \b4, $4
        nor     $5, \b0, \b1
        and     $6, \b1, \b2
        xor     \b0, \b0, $6
        or      $6, \b2, \b3
        xor     \b1, \b1, $6
        and     $6, \b3, \b4
        xor     \b2, \b2, $6
        xor     \b3, \b3, $4
        xor     \b4, \b4, $5
.endm

# A row whose lanes are all rotated.
.macro  row     b0, by0, b1, by1, b2, by2, b3, by3, b4, by4
        rotate  \b0, \by0
        rotate_complement \b1, \by1
        rotate  \b2, \by2
        rotate_complement \b3, \by3
        rotate  \b4, \by4
        chi     \b0, \b1, \b2, \b3, \b4
.endm

# The first row, and iota with the constant number \constant.
.macro  first_row constant, b0, b1, b2, b3, b4
        rotate_complement \b1, 44
        rotate  \b2, 43
        rotate_complement \b3, 21
        rotate  \b4, 14
        chi     \b0, \b1, \b2, \b3, \b4
        ld      $4, 8 * (\constant)($29)
        xor     \b0, \b0, $4
.endm

.macro  rho_pi_chi constant, a0,a1,a2,a3,a4, a5,a6,a7,a8,a9, a10,a11,a12,a13,a14, a15,a16,a17,a18,a19, a20,a21,a22,a23,a24
        first_row \constant, \a0, \a6, \a12, \a18, \a24
        row     \a3, 28, \a9, 20, \a10, 3, \a16, 45, \a22, 61
        row     \a1, 1, \a7, 6, \a13, 25, \a19, 8, \a20, 18
        row     \a4, 27, \a5, 36, \a11, 10, \a17, 15, \a23, 56
        row     \a2, 62, \a8, 55, \a14, 39, \a15, 41, \a21, 2
.endm

# The last round, as far as the digest depends on it: the first row.
.macro  last_round constant, a0,a1,a2,a3,a4, a5,a6,a7,a8,a9, a10,a11,a12,a13,a14, a15,a16,a17,a18,a19, a20,a21,a22,a23,a24
        column  $4, \a0, \a5, \a10, \a15, \a20
        column  $5, \a2, \a7, \a12, \a17, \a22
        dsll    $6, $5, 1
        dsrl32  $7, $5, 31
        or      $6, $6, $7
        xor     $6, $6, $4                              # effect on column 1
        column  $7, \a4, \a9, \a14, \a19, \a24
        effect  $5, $7, $8                              # effect on column 3
        column  $8, \a1, \a6, \a11, \a16, \a21
        xor     \a6, \a6, $6
        effect  $7, $8, $6                              # effect on column 0
        xor     \a0, \a0, $7
        column  $6, \a3, \a8, \a13, \a18, \a23
        xor     \a18, \a18, $5
        effect  $8, $6, $5                              # effect on column 2
        xor     \a12, \a12, $8
        effect  $6, $4, $5                              # effect on column 4
        xor     \a24, \a24, $6
        first_row \constant, \a0, \a6, \a12, \a18, \a24
.endm

# \count rounds from number \constant on.
.macro  rounds  count, constant, a0,a1,a2,a3,a4, a5,a6,a7,a8,a9, a10,a11,a12,a13,a14, a15,a16,a17,a18,a19, a20,a21,a22,a23,a24
        theta   \a0,\a1,\a2,\a3,\a4, \a5,\a6,\a7,\a8,\a9, \a10,\a11,\a12,\a13,\a14, \a15,\a16,\a17,\a18,\a19, \a20,\a21,\a22,\a23,\a24
        rho_pi_chi \constant, \a0,\a1,\a2,\a3,\a4, \a5,\a6,\a7,\a8,\a9, \a10,\a11,\a12,\a13,\a14, \a15,\a16,\a17,\a18,\a19, \a20,\a21,\a22,\a23,\a24
.if \count - 1
        rounds  (\count - 1), (\constant + 1), \a0,\a6,\a12,\a18,\a24, \a3,\a9,\a10,\a16,\a22, \a1,\a7,\a13,\a19,\a20, \a4,\a5,\a11,\a17,\a23, \a2,\a8,\a14,\a15,\a21
.endif
.endm

        .text
        .globl  keccak256_mips64
        .type   keccak256_mips64, @function
        .balign 8
        .ent    keccak256_mips64
keccak256_mips64:
        lui     $1, %hi(.Lkeccak_data)
        daddiu  $1, $1, %lo(.Lkeccak_data)
        sd      $29, SAVED + 88($1)
        move    $29, $1
        sd      $16, SAVED($29)
        sd      $17, SAVED + 8($29)
        sd      $18, SAVED + 16($29)
        sd      $19, SAVED + 24($29)
        sd      $20, SAVED + 32($29)
        sd      $21, SAVED + 40($29)
        sd      $22, SAVED + 48($29)
        sd      $23, SAVED + 56($29)
        sd      $28, SAVED + 64($29)
        sd      $30, SAVED + 72($29)
        sd      $31, SAVED + 80($29)
        sltiu   $7, $5, 8
        bnez    $7, .Lkeccak_short
        sd      $6, OUTPUT($29)

.Lkeccak_start:
        .irp    lane, $1,$2,$3,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$30,$31
        move    \lane, $0
        .endr

        # Input in $4, what is left of it in $5.
.Lkeccak_block:
        daddiu  $8, $5, -136
        sd      $8, REMAINING($29)
        ld      $5, MASK_8($29)
        bltz    $8, .Lkeccak_tail
        ld      $6, MASK_16($29)
        daddiu  $7, $4, 136
        sd      $7, INPUT($29)
        absorb  16, $20
.Lkeccak_lanes:
        absorb  15, $19
        absorb  14, $18
        absorb  13, $17
        absorb  12, $16
        absorb  11, $15
        absorb  10, $14
        absorb  9, $13
        absorb  8, $12
        absorb  7, $11
        absorb  6, $10
        absorb  5, $9
        absorb  4, $31
        absorb  3, $30
        absorb  2, $3
        absorb  1, $2
        absorb  0, $1
.Lkeccak_lanes_end:
        rounds  6, 0,  $1,$2,$3,$30,$31, $9,$10,$11,$12,$13, $14,$15,$16,$17,$18, $19,$20,$21,$22,$23, $24,$25,$26,$27,$28
        rounds  6, 6,  $1,$3,$31,$2,$30, $14,$16,$18,$15,$17, $24,$26,$28,$25,$27, $9,$11,$13,$10,$12, $19,$21,$23,$20,$22
        rounds  6, 12, $1,$31,$30,$3,$2, $24,$28,$27,$26,$25, $19,$23,$22,$21,$20, $14,$18,$17,$16,$15, $9,$13,$12,$11,$10
        rounds  5, 18, $1,$30,$2,$31,$3, $19,$22,$20,$23,$21, $9,$12,$10,$13,$11, $24,$27,$25,$28,$26, $14,$17,$15,$18,$16
        ld      $4, REMAINING($29)
        bltz    $4, .Lkeccak_last
        nop
        rounds  1, 23, $1,$14,$24,$9,$19, $20,$2,$15,$25,$10, $11,$21,$3,$16,$26, $27,$12,$22,$30,$17, $18,$28,$13,$23,$31
        ld      $4, INPUT($29)
        b       .Lkeccak_block
        ld      $5, REMAINING($29)


        # The digest leaves by lanes 0 to 3.
.Lkeccak_last:
        last_round 23, $1,$14,$24,$9,$19, $20,$2,$15,$25,$10, $11,$21,$3,$16,$26, $27,$12,$22,$30,$17, $18,$28,$13,$23,$31
        ld      $4, OUTPUT($29)
        ld      $5, MASK_8($29)
        ld      $6, MASK_16($29)
        turn    $1, $8
        sdl     $1, 0($4)
        sdr     $1, 7($4)
        turn    $2, $8
        sdl     $2, 8($4)
        sdr     $2, 15($4)
        turn    $3, $8
        sdl     $3, 16($4)
        sdr     $3, 23($4)
        turn    $30, $8
        sdl     $30, 24($4)
        sdr     $30, 31($4)
        ld      $16, SAVED($29)
        ld      $17, SAVED + 8($29)
        ld      $18, SAVED + 16($29)
        ld      $19, SAVED + 24($29)
        ld      $20, SAVED + 32($29)
        ld      $21, SAVED + 40($29)
        ld      $22, SAVED + 48($29)
        ld      $23, SAVED + 56($29)
        ld      $28, SAVED + 64($29)
        ld      $30, SAVED + 72($29)
        ld      $31, SAVED + 80($29)
        jr      $31
        ld      $29, SAVED + 88($29)

        # The last block, of $8 + 136 bytes: the last of them that fill no lane, with the padding's
        # first bit behind them, make a lane of their own. They are taken from the input's last eight
        # bytes, of which those in front are shifted out.
.Lkeccak_tail:
        daddiu  $8, $8, 136
        daddu   $5, $4, $8
        ldl     $7, -8($5)
        ldr     $7, -1($5)
        dsll    $7, $7, 8
        ori     $7, $7, 1
        dsll    $8, $8, 3
        xori    $8, $8, 56                              # 8 * (7 - tail bytes), modulo 64
        dsllv   $7, $7, $8
        ld      $5, MASK_8($29)
        turn    $7, $8
        # Which lane that is: a jump among the instructions that add it.
        ld      $8, REMAINING($29)
        daddiu  $8, $8, 136
        dsrl    $8, $8, 3
        dsll    $8, $8, 3                               # 8 bytes of instructions a lane
        ld      $5, TAILS($29)
        daddu   $5, $5, $8
        jr      $5
        dsll    $8, $8, 3                               # 64 bytes of instructions a lane
.Lkeccak_tails:
        .irp    lane, $1,$2,$3,$30,$31,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20
        b       .Lkeccak_tail_added
        xor     \lane, \lane, $7
        .endr
.Lkeccak_tail_added:
        # Then the lanes before it, and the padding's last bit.
        ld      $7, LANES_END($29)
        dsubu   $7, $7, $8
        ld      $8, TOP_BIT($29)
        ld      $5, MASK_8($29)
        jr      $7
        xor     $20, $20, $8

        # An input that is too short for that moves to where eight bytes in front of it can be read.
.Lkeccak_short:
        daddiu  $6, $29, SHORT + 8
        daddu   $7, $6, $5
.Lkeccak_short_byte:
        beq     $6, $7, .Lkeccak_short_moved
        nop
        lbu     $8, 0($4)
        sb      $8, 0($6)
        daddiu  $4, $4, 1
        b       .Lkeccak_short_byte
        daddiu  $6, $6, 1
.Lkeccak_short_moved:
        b       .Lkeccak_start
        daddiu  $4, $29, SHORT + 8
        .end    keccak256_mips64
        .size   keccak256_mips64, . - keccak256_mips64
