//! The serving half of the wire protocol against any program.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_machine::protocol::ServerCase| {
    rebut_fuzz_machine::protocol::server(input)
});
