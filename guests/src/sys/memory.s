# memcpy, memmove, memset, memcmp and bcmp, eight bytes at a time.
#
# What is short runs through a list of instructions that is entered by a computed jump, as far before
# its end as the length says, so that nothing is counted or tested on the way. The bytes behind the last
# full eight are dealt with as the last eight, which overlaps what is done already and does no harm.

        .set    noreorder
        .set    noat
        .set    nomacro
        .text

# memcpy(to $4, from $5, length $6)
        .globl  memcpy
        .type   memcpy, @function
        .ent    memcpy
        .balign 8
memcpy:
        or      $7, $4, $5
        andi    $7, $7, 7
        sltiu   $8, $6, 8
        bnez    $8, .Lcopy_bytes
        move    $2, $4
        sltiu   $8, $6, 129
        bnez    $7, .Lcopy_unaligned
        daddiu  $9, $0, -8
        beqz    $8, .Lcopy_long
        and     $9, $6, $9
.Lcopy_words:
        lui     $8, %hi(.Lcopy_words_end)
        daddiu  $8, $8, %lo(.Lcopy_words_end)
        dsubu   $8, $8, $9                              # 8 bytes of instructions for 8 bytes
        jr      $8
        andi    $7, $6, 7
        .irp    offset, 120,112,104,96,88,80,72,64,56,48,40,32,24,16,8,0
        ld      $8, \offset($5)
        sd      $8, \offset($4)
        .endr
.Lcopy_words_end:
        beqz    $7, .Lcopy_done
        daddu   $5, $5, $6
.Lcopy_last:
        ldl     $8, -8($5)
        ldr     $8, -1($5)
        daddu   $4, $4, $6
        sdl     $8, -8($4)
        jr      $31
        sdr     $8, -1($4)
.Lcopy_done:
        jr      $31
        nop

        # Above 128 bytes: pieces of 64 first.
.Lcopy_long:
        ld      $7, 0($5)
        ld      $8, 8($5)
        ld      $9, 16($5)
        ld      $10, 24($5)
        ld      $11, 32($5)
        ld      $12, 40($5)
        ld      $13, 48($5)
        ld      $14, 56($5)
        sd      $7, 0($4)
        sd      $8, 8($4)
        sd      $9, 16($4)
        sd      $10, 24($4)
        sd      $11, 32($4)
        sd      $12, 40($4)
        sd      $13, 48($4)
        sd      $14, 56($4)
        daddiu  $6, $6, -64
        sltiu   $8, $6, 72
        daddiu  $5, $5, 64
        beqz    $8, .Lcopy_long
        daddiu  $4, $4, 64
        daddiu  $9, $0, -8                              # from 8 to 71 bytes are left
        b       .Lcopy_words
        and     $9, $6, $9

.Lcopy_unaligned:
        beqz    $8, .Lcopy_unaligned_long
        and     $9, $6, $9
.Lcopy_unaligned_words:
        lui     $8, %hi(.Lcopy_unaligned_end)
        daddiu  $8, $8, %lo(.Lcopy_unaligned_end)
        dsubu   $8, $8, $9
        dsubu   $8, $8, $9                              # 16 bytes of instructions for 8 bytes
        jr      $8
        andi    $7, $6, 7
        .irp    offset, 120,112,104,96,88,80,72,64,56,48,40,32,24,16,8,0
        ldl     $8, \offset($5)
        ldr     $8, \offset + 7($5)
        sdl     $8, \offset($4)
        sdr     $8, \offset + 7($4)
        .endr
.Lcopy_unaligned_end:
        bnez    $7, .Lcopy_last
        daddu   $5, $5, $6
        jr      $31
        nop
.Lcopy_unaligned_long:
        .irp    offset, 0,8,16,24,32,40,48,56
        ldl     $8, \offset($5)
        ldr     $8, \offset + 7($5)
        sdl     $8, \offset($4)
        sdr     $8, \offset + 7($4)
        .endr
        daddiu  $6, $6, -64
        sltiu   $8, $6, 72
        daddiu  $5, $5, 64
        beqz    $8, .Lcopy_unaligned_long
        daddiu  $4, $4, 64
        daddiu  $9, $0, -8
        b       .Lcopy_unaligned_words
        and     $9, $6, $9

        # Below eight bytes.
.Lcopy_bytes:
        dsll    $9, $6, 3                               # 8 bytes of instructions for a byte
        lui     $8, %hi(.Lcopy_bytes_end)
        daddiu  $8, $8, %lo(.Lcopy_bytes_end)
        dsubu   $8, $8, $9
        jr      $8
        nop
        .irp    offset, 6,5,4,3,2,1,0
        lbu     $8, \offset($5)
        sb      $8, \offset($4)
        .endr
.Lcopy_bytes_end:
        jr      $31
        nop
        .end    memcpy
        .size   memcpy, . - memcpy

# memmove(to $4, from $5, length $6): memcpy, unless the two overlap.
        .globl  memmove
        .type   memmove, @function
        .ent    memmove
        .balign 8
memmove:
        dsubu   $7, $4, $5
        sltu    $8, $7, $6                              # the target starts inside the source
        bnez    $8, .Lmove_down
        dsubu   $7, $5, $4
        sltu    $8, $7, $6                              # the source starts inside the target
        beqz    $8, memcpy
        move    $2, $4
        sltiu   $8, $6, 8
        bnez    $8, .Lmove_up_bytes
        nop
.Lmove_up:
        ldl     $7, 0($5)
        ldr     $7, 7($5)
        daddiu  $6, $6, -8
        sltiu   $8, $6, 8
        daddiu  $5, $5, 8
        sdl     $7, 0($4)
        sdr     $7, 7($4)
        beqz    $8, .Lmove_up
        daddiu  $4, $4, 8
.Lmove_up_bytes:
        beqz    $6, .Lmove_done
        daddiu  $6, $6, -1
        lbu     $7, 0($5)
        daddiu  $5, $5, 1
        sb      $7, 0($4)
        b       .Lmove_up_bytes
        daddiu  $4, $4, 1
.Lmove_down:
        move    $2, $4
        daddu   $4, $4, $6
        sltiu   $8, $6, 8
        bnez    $8, .Lmove_down_bytes
        daddu   $5, $5, $6
.Lmove_down_words:
        ldl     $7, -8($5)
        ldr     $7, -1($5)
        daddiu  $6, $6, -8
        sltiu   $8, $6, 8
        daddiu  $5, $5, -8
        sdl     $7, -8($4)
        sdr     $7, -1($4)
        beqz    $8, .Lmove_down_words
        daddiu  $4, $4, -8
.Lmove_down_bytes:
        beqz    $6, .Lmove_done
        daddiu  $6, $6, -1
        lbu     $7, -1($5)
        daddiu  $5, $5, -1
        sb      $7, -1($4)
        b       .Lmove_down_bytes
        daddiu  $4, $4, -1
.Lmove_done:
        jr      $31
        nop
        .end    memmove
        .size   memmove, . - memmove

# memset(to $4, byte $5, length $6)
        .globl  memset
        .type   memset, @function
        .ent    memset
        .balign 8
memset:
        andi    $5, $5, 255
        beqz    $5, .Lset_spread
        move    $2, $4
        dsll    $7, $5, 8
        or      $5, $5, $7
        dsll    $7, $5, 16
        or      $5, $5, $7
        dsll32  $7, $5, 0
        or      $5, $5, $7
.Lset_spread:
        sltiu   $7, $6, 8
        bnez    $7, .Lset_bytes
        daddu   $8, $4, $6
        # The first and the last eight bytes; between them aligned words.
        sdl     $5, 0($4)
        sdr     $5, 7($4)
        sdl     $5, -8($8)
        sdr     $5, -1($8)
        daddiu  $7, $0, -8
        daddiu  $4, $4, 7
        and     $4, $4, $7
        and     $8, $8, $7
        dsubu   $6, $8, $4                              # may be negative: less than a word
        slti    $7, $6, 8
        bnez    $7, .Lset_done
        slti    $7, $6, 129
        bnez    $7, .Lset_words
        dsrl    $7, $6, 1                               # 4 bytes of instructions for 8 bytes
.Lset_long:
        .irp    offset, 0,8,16,24,32,40,48,56
        sd      $5, \offset($4)
        .endr
        daddiu  $6, $6, -64
        sltiu   $7, $6, 129
        beqz    $7, .Lset_long
        daddiu  $4, $4, 64
        dsrl    $7, $6, 1
.Lset_words:
        lui     $8, %hi(.Lset_words_end)
        daddiu  $8, $8, %lo(.Lset_words_end)
        dsubu   $8, $8, $7
        jr      $8
        nop
        .irp    offset, 120,112,104,96,88,80,72,64,56,48,40,32,24,16,8,0
        sd      $5, \offset($4)
        .endr
.Lset_words_end:
.Lset_done:
        jr      $31
        nop
.Lset_bytes:
        beq     $4, $8, .Lset_done
        nop
        sb      $5, 0($4)
        b       .Lset_bytes
        daddiu  $4, $4, 1
        .end    memset
        .size   memset, . - memset

# memcmp(a $4, b $5, length $6), which is also bcmp. On a big-endian machine words compare as their bytes.
        .globl  memcmp
        .type   memcmp, @function
        .ent    memcmp
        .globl  bcmp
        .type   bcmp, @function
        .balign 8
memcmp:
bcmp:
        or      $7, $4, $5
        andi    $7, $7, 7
        sltiu   $8, $6, 8
        bnez    $8, .Lcompare_bytes
        sltiu   $8, $6, 72
        bnez    $7, .Lcompare_unaligned
        daddiu  $9, $0, -8
        and     $9, $6, $9
        beqz    $8, .Lcompare_long
        andi    $6, $6, 7
.Lcompare_words:
        # Both pointers move so that the list's end is the end of the full words.
        daddu   $4, $4, $9
        daddu   $5, $5, $9
        lui     $8, %hi(.Lcompare_words_end)
        daddiu  $8, $8, %lo(.Lcompare_words_end)
        dsll    $9, $9, 1                               # 16 bytes of instructions for 8 bytes
        dsubu   $8, $8, $9
        jr      $8
        nop
        .irp    offset, -64,-56,-48,-40,-32,-24,-16,-8
        ld      $7, \offset($4)
        ld      $8, \offset($5)
        bne     $7, $8, .Lcompare_differ
        sltu    $2, $7, $8
        .endr
.Lcompare_words_end:
        beqz    $6, .Lcompare_equal
        daddu   $4, $4, $6
        daddu   $5, $5, $6
.Lcompare_last:
        ldl     $7, -8($4)
        ldr     $7, -1($4)
        ldl     $8, -8($5)
        ldr     $8, -1($5)
        bne     $7, $8, .Lcompare_differ
        sltu    $2, $7, $8
.Lcompare_equal:
        jr      $31
        move    $2, $0
.Lcompare_differ:
        # $2 is 1 if a is less: from 0 and 1 to 1 and -1.
        dsll    $2, $2, 1
        daddiu  $3, $0, 1
        jr      $31
        subu    $2, $3, $2
        # Above 71 bytes: word by word, $9 bytes of full words.
.Lcompare_long:
        ld      $7, 0($4)
        ld      $8, 0($5)
        bne     $7, $8, .Lcompare_differ
        sltu    $2, $7, $8
        daddiu  $9, $9, -8
        daddiu  $4, $4, 8
        bnez    $9, .Lcompare_long
        daddiu  $5, $5, 8
        b       .Lcompare_words_end
        nop
.Lcompare_unaligned:
        and     $9, $6, $9
        andi    $6, $6, 7
.Lcompare_unaligned_words:
        ldl     $7, 0($4)
        ldr     $7, 7($4)
        ldl     $8, 0($5)
        ldr     $8, 7($5)
        bne     $7, $8, .Lcompare_differ
        sltu    $2, $7, $8
        daddiu  $9, $9, -8
        daddiu  $4, $4, 8
        bnez    $9, .Lcompare_unaligned_words
        daddiu  $5, $5, 8
        b       .Lcompare_words_end
        nop
.Lcompare_bytes:
        daddu   $9, $4, $6
.Lcompare_byte:
        beq     $4, $9, .Lcompare_equal
        nop
        lbu     $7, 0($4)
        lbu     $8, 0($5)
        bne     $7, $8, .Lcompare_differ
        sltu    $2, $7, $8
        daddiu  $4, $4, 1
        b       .Lcompare_byte
        daddiu  $5, $5, 1
        .end    memcmp
        .size   memcmp, . - memcmp
        .size   bcmp, . - bcmp
