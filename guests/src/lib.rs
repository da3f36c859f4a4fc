//! What every guest needs: a start, system calls, a heap, output, and a fast keccak.
//!
//! A guest is a `no_std` program for the proven machine, which offers a handful of Linux system
//! calls. It uses those alone, so the same file also runs under an emulator of Linux programs.
//!
//! Invariant: all unsafe code of the guests is in [`sys`].

#![no_std]
#![cfg_attr(any(target_arch = "mips", target_arch = "mips64"), feature(asm_experimental_arch))]

extern crate alloc;

pub mod keccak;
pub mod sys;

use core::fmt;

/// The exit code of a guest that met an error or panicked.
pub const EXIT_ERROR: u8 = 2;

/// An output stream of the guest.
#[derive(Debug)]
pub struct Stream(u64);

/// Standard output.
pub const STDOUT: Stream = Stream(1);
/// Standard error.
pub const STDERR: Stream = Stream(2);

impl fmt::Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        sys::write_all(self.0, text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Writes one line to a stream in one piece, so that it arrives unbroken. What cannot be written is
/// lost: nobody is there to be told.
pub fn print_line(mut stream: Stream, text: fmt::Arguments<'_>) {
    use fmt::Write;
    let mut line = alloc::string::String::new();
    let _ = writeln!(line, "{text}");
    let _ = stream.write_str(&line);
}

#[cfg_attr(target_os = "none", panic_handler)]
#[cfg_attr(not(target_os = "none"), expect(dead_code, reason = "the host has its own"))]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use fmt::Write;
    // No heap here: it may be what broke.
    let mut stderr = STDERR;
    let _ = writeln!(stderr, "guest panicked: {}", info.message());
    sys::exit(EXIT_ERROR)
}

/// Makes a function `fn() -> u8` the guest's main function; its result is the exit code.
#[macro_export]
macro_rules! main {
    ($function:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn guest_main() -> u8 {
            $function()
        }
    };
}
