use super::*;
use alloy_primitives::{keccak256, uint};

const CLAIMANT: Address = Address::repeat_byte(0xaa);
const PERIOD: Seconds = Seconds(100);

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

fn at(now: u64) -> Schedule {
    Schedule { now: Timestamp(now), challenge_period: PERIOD }
}

/// What the contract would hold after these calls.
fn replay(mut state: Metadata, calls: &[Call], now: u64) -> Metadata {
    for call in calls {
        if let Ok(open) = Oracle::initLPPCall::abi_decode(&call.data) {
            assert_eq!(call.value, U256::from(250_000_000_000_000_000_u64));
            assert_eq!(state, Metadata::default());
            state.part_offset = open._partOffset;
            state.claimed_size = open._claimedSize;
            continue;
        }
        let add = Oracle::addLeavesLPPCall::abi_decode(&call.data).expect("leaves");
        assert_eq!(call.value, U256::ZERO);
        assert_eq!(add._inputStartBlock, U256::from(state.blocks_processed));
        assert!(call.data.len() < 100_000, "a transaction that nodes relay");
        let blocks = add._input.len() / BLOCK_BYTES + usize::from(add._finalize);
        assert_eq!(blocks, add._stateCommitments.len());
        assert!(add._finalize || add._input.len() % BLOCK_BYTES == 0);
        // The part comes from one call, in which it ends before the end, or which is the last.
        let before = state.bytes_processed as usize;
        let part = (state.part_offset as usize).checked_sub(8);
        if let Some(place) = part.and_then(|part| part.checked_sub(before)) {
            let is_here = place < add._input.len();
            assert!(!is_here || add._finalize || place + 32 < add._input.len(), "a cut part");
        }
        state.bytes_processed += add._input.len() as u32;
        state.blocks_processed += blocks as u32;
        if add._finalize {
            assert_eq!(state.bytes_processed, state.claimed_size);
            state.timestamp = now;
        }
    }
    state
}

fn sent(next: Next) -> Vec<Call> {
    match next {
        Next::Send(calls) => calls,
        Next::Wait(time) => panic!("nothing before {time:?}"),
    }
}

/// As the deployed challenger computes them.
#[test]
fn names_of_proposals() {
    let check = |data: &[u8], offset, want| assert_eq!(uuid(data, offset, Address::ZERO), want);
    check(&[], 0, uint!(0x827b659bbda2a0bdecce2c91b8b68462545758f3eba2dbefef18e0daf84f5ccd_U256));
    check(
        &[1, 2, 3],
        0x01_0203,
        uint!(0x641e230bcf3ade8c71b7e591d210184cdb190e853f61ba59a1411c3b7aca9890_U256),
    );
}

#[test]
fn metadata_is_packed_from_the_left() {
    let word = uint!(0x0000000000000001_00000002_00000003_00000004_00000005_0000000000000001_U256);
    let want = Metadata {
        timestamp: 1,
        part_offset: 2,
        claimed_size: 3,
        blocks_processed: 4,
        bytes_processed: 5,
        countered: true,
    };
    assert_eq!(Metadata::unpack(word.into()), want);
}

#[test]
fn a_proposal_is_opened_filled_and_closed_in_order() {
    // Lengths around the padding and around the number of blocks in a call.
    for blocks in [1, 2, 499, 500, 501, 1000] {
        for extra in [0, 1, 135] {
            let data = data(blocks * BLOCK_BYTES + extra);
            let proposal = LargeProposal::new(data.as_slice(), 8, CLAIMANT).unwrap();
            let calls = sent(proposal.next(&Metadata::default(), at(50)).unwrap());
            let leaves = calls.len() - 1;
            assert_eq!(leaves, (blocks + 1).div_ceil(500), "{blocks} blocks and {extra}");
            let state = replay(Metadata::default(), &calls, 50);
            assert_eq!(state.timestamp, 50);
            assert_eq!(proposal.next(&state, at(50)), Ok(Next::Wait(Timestamp(151))));
            assert_eq!(proposal.next(&state, at(150)), Ok(Next::Wait(Timestamp(151))));
            assert_eq!(sent(proposal.next(&state, at(151)).unwrap()).len(), 1);
        }
    }
}

#[test]
fn no_part_is_cut_by_the_end_of_a_call() {
    let data = data(1203 * BLOCK_BYTES);
    for cut in [500, 999, 1000] {
        for offset in (0..80).map(|back| cut * BLOCK_BYTES + 8 + 10 - back) {
            let proposal = LargeProposal::new(data.as_slice(), offset as u64, CLAIMANT).unwrap();
            let calls = sent(proposal.next(&Metadata::default(), at(1)).unwrap());
            assert_eq!(replay(Metadata::default(), &calls, 1).timestamp, 1);
        }
    }
}

#[test]
fn a_proposal_goes_on_where_it_was_left() {
    let data = data(1203 * BLOCK_BYTES + 7);
    let proposal = LargeProposal::new(data.as_slice(), 1000, CLAIMANT).unwrap();
    let calls = sent(proposal.next(&Metadata::default(), at(1)).unwrap());
    for done in 1..calls.len() {
        let state = replay(Metadata::default(), &calls[..done], 1);
        assert_eq!(sent(proposal.next(&state, at(1)).unwrap()), calls[done..], "{done}");
    }
    // Another agent, with other chunks, has begun it.
    let begun = Metadata {
        blocks_processed: 37,
        bytes_processed: 37 * 136,
        ..replay(Metadata::default(), &calls[..1], 1)
    };
    let rest = sent(proposal.next(&begun, at(1)).unwrap());
    assert_eq!(replay(begun, &rest, 1).timestamp, 1);
}

#[test]
fn another_proposal_is_recognised() {
    let data = data(700 * BLOCK_BYTES);
    let proposal = LargeProposal::new(data.as_slice(), 1000, CLAIMANT).unwrap();
    let calls = sent(proposal.next(&Metadata::default(), at(1)).unwrap());
    let closed = replay(Metadata::default(), &calls, 1);
    let check = |state: Metadata, want: &str| {
        let error = proposal.next(&state, at(500)).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(Metadata { countered: true, ..closed }, "lost");
    check(Metadata { part_offset: 999, ..closed }, "part's offset is 999, not 1000");
    check(Metadata { claimed_size: 5, ..closed }, "claimed size is 5");
    check(Metadata { blocks_processed: 700, ..closed }, "number of blocks is 700, not 701");
    check(Metadata { bytes_processed: 1, timestamp: 0, ..closed }, "number of bytes is 1");
    check(Metadata { blocks_processed: 9000, timestamp: 0, ..closed }, "number of blocks is 9000");
}

#[test]
fn what_cannot_be_proposed() {
    let check = |length, offset, want| {
        assert_eq!(LargeProposal::new(vec![0; length], offset, CLAIMANT).err(), want);
    };
    check(136, 0, None);
    check(135, 0, Some(ProposalError::TooShort { length_bytes: 135 }));
    check(136, 143, None);
    check(136, 144, Some(ProposalError::Offset { offset: 144, length_bytes: 136 }));
    check(136, 1 << 33, Some(ProposalError::Offset { offset: 1 << 33, length_bytes: 136 }));
    let most = MAX_LEAVES * BLOCK_BYTES - 1;
    check(most, 0, None);
    check(most + 1, 0, Some(ProposalError::TooLong { length_bytes: most + 1 }));
}

#[test]
fn the_squeeze_holds_the_last_two_leaves() {
    let data = data(3 * BLOCK_BYTES + 9);
    let proposal = LargeProposal::new(data.as_slice(), 0, CLAIMANT).unwrap();
    let call = Oracle::squeezeLPPCall::abi_decode(&proposal.squeeze().data).unwrap();
    let mut before = Sponge::EMPTY;
    let blocks: Vec<_> = padded_blocks(&data).collect();
    blocks[..3].iter().for_each(|block| before.absorb(block));
    assert_eq!(call._stateMatrix.state, *before.lanes());
    assert_eq!(call._preState.stateCommitment, before.commitment());
    assert_eq!(call._preState.index, U256::from(2));
    assert_eq!(call._preState.input[..], blocks[2]);
    assert_eq!(call._postState.index, U256::from(3));
    assert_eq!(call._postState.input[..], blocks[3]);
    before.absorb(&blocks[3]);
    assert_eq!(call._postState.stateCommitment, before.commitment());
    assert_eq!(before.digest(), keccak256(&data));
}
