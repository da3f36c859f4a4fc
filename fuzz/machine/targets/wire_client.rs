//! The client half of the wire protocol against any server.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_machine::protocol::ClientCase| {
    rebut_fuzz_machine::protocol::client(input)
});
