//! Reading preimages: every key, offset, alignment and count; keys without a value.

use crate::{DATA, calling, reservations};
use alloy_primitives::B256;
use rebut_fpvm::StateVersion;
use rebut_tests::Engines;
use rebut_tests::preimages::Preimages;
use rebut_tests::verdict::Step;

const READ: u64 = 5000;
const PREIMAGE: u64 = 5;

fn check(engines: &mut Engines, key: B256, offset: u64, address: u64, count: u64, want: Step) {
    let version = StateVersion::ALL[((address ^ offset) & 1) as usize];
    let mut case = calling(version, READ, [PREIMAGE, address, count]);
    case.registers.preimage_key = key;
    case.registers.preimage_offset = offset;
    let name = format!("read of {key} at {offset}, {count} bytes to {address:#x}");
    engines.expect(&name, &case, want);
}

#[test]
fn every_offset_of_every_key() {
    let mut engines = Engines::new();
    let preimages = Preimages::new();
    for key in preimages.keys() {
        let end = preimages.value(key).map_or(0, <[u8]>::len) as u64 + 8;
        for offset in (0..end + 2).chain([1 << 32, u64::MAX - 8, u64::MAX]) {
            let want = if offset < end { Step::Taken } else { Step::Refused };
            check(&mut engines, key, offset, DATA + offset % 8, 1 + offset % 9, want);
        }
    }
    println!("{} taken, {} refused", engines.taken, engines.refused);
}

#[test]
fn every_alignment_and_count() {
    let mut engines = Engines::new();
    let preimages = Preimages::new();
    for key in preimages.keys().into_iter().step_by(5) {
        for address in DATA..DATA + 8 {
            for count in [0, 1, 2, 3, 5, 7, 8, 9, 1 << 32, u64::MAX] {
                for offset in [0, 5, 7, 8] {
                    let end = preimages.value(key).map_or(0, <[u8]>::len) as u64 + 8;
                    let want = if offset < end { Step::Taken } else { Step::Refused };
                    check(&mut engines, key, offset, address, count, want);
                }
            }
        }
    }
    println!("{} taken, {} refused", engines.taken, engines.refused);
}

#[test]
fn reading_clears_reservations() {
    let mut engines = Engines::new();
    let key = Preimages::new().keys()[0];
    for reservation in reservations(DATA) {
        for offset in 0..8 {
            for count in [0, 1, 8] {
                let mut case = calling(StateVersion::V8, READ, [PREIMAGE, DATA + offset, count]);
                case.registers.preimage_key = key;
                case.registers.processor.reservation = reservation;
                engines.expect("read", &case, Step::Taken);
            }
        }
    }
}

#[test]
fn keys_without_a_value_are_refused() {
    let mut engines = Engines::new();
    for key_type in 0..=255 {
        let mut key = B256::repeat_byte(0x5a);
        key[0] = key_type;
        check(&mut engines, key, 0, DATA, 8, Step::Refused);
    }
    check(&mut engines, B256::ZERO, 0, DATA, 8, Step::Refused);
}
