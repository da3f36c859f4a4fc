//! What the compiler calls to copy, fill and compare memory, in place of the byte-wise versions that it
//! brings along for machines it knows little of.

use core::arch::global_asm;

global_asm!(include_str!("memory.s"), options(raw));
