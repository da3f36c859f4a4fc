//! Reading preimages: every key, offset, alignment and count; keys without a value.

use crate::{calling, reservations};
use alloy_primitives::B256;
use rebut_fpvm::{Mips32, Mips64, StateVersion};
use rebut_tests::preimages::Preimages;
use rebut_tests::verdict::Step;
use rebut_tests::{Engines, Mips};

const PREIMAGE: u64 = 5;

fn check<A: Mips>(
    engines: &mut Engines<A>,
    key: B256,
    offset: u64,
    address: u64,
    count: u64,
    want: Step,
) {
    let version = A::VERSIONS[((address ^ offset) & 1) as usize];
    let mut case = calling(version, A::READ, [PREIMAGE, address, count]);
    case.registers.preimage_key = key;
    case.registers.preimage_offset = offset;
    let name = format!("read of {key} at {offset}, {count} bytes to {address:#x}");
    engines.expect(&name, &case, want);
}

fn offsets<A: Mips>() {
    let mut engines = Engines::<A>::new();
    let preimages = Preimages::new();
    for key in preimages.keys() {
        let end = preimages.value(key).map_or(0, <[u8]>::len) as u64 + 8;
        for offset in (0..end + 2).chain([1 << 31, u64::MAX - 8, u64::MAX]) {
            let offset = A::wrap(offset);
            let want = if offset < end { Step::Taken } else { Step::Refused };
            check(&mut engines, key, offset, A::DATA + offset % 8, 1 + offset % 9, want);
        }
    }
    println!("{} taken, {} refused", engines.taken, engines.refused);
}

fn alignments<A: Mips>() {
    let mut engines = Engines::<A>::new();
    let preimages = Preimages::new();
    for key in preimages.keys().into_iter().step_by(5) {
        for address in A::DATA..A::DATA + 8 {
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
    for reservation in reservations(Mips64::DATA) {
        for offset in 0..8 {
            for count in [0, 1, 8] {
                let mut case = calling(
                    StateVersion::V8,
                    Mips64::READ,
                    [PREIMAGE, Mips64::DATA + offset, count],
                );
                case.registers.preimage_key = key;
                case.registers.processor.reservation = reservation;
                engines.expect("read", &case, Step::Taken);
            }
        }
    }
}

fn keys_without_a_value<A: Mips>() {
    let mut engines = Engines::<A>::new();
    for key_type in 0..=255 {
        let mut key = B256::repeat_byte(0x5a);
        key[0] = key_type;
        check(&mut engines, key, 0, A::DATA, 8, Step::Refused);
    }
    check(&mut engines, B256::ZERO, 0, A::DATA, 8, Step::Refused);
}

#[test]
fn every_offset_of_every_key() {
    offsets::<Mips64>();
    offsets::<Mips32>();
}

#[test]
fn every_alignment_and_count() {
    alignments::<Mips64>();
    alignments::<Mips32>();
}

#[test]
fn keys_without_a_value_are_refused() {
    keys_without_a_value::<Mips64>();
    keys_without_a_value::<Mips32>();
}
