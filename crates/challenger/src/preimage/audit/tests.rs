use super::*;
use crate::preimage::{LargeProposal, Next, Schedule};
use rebut_dispute::{Seconds, Timestamp};

const CLAIMANT: Address = Address::repeat_byte(0x11);

fn data() -> Vec<u8> {
    (0..1100 * BLOCK_BYTES + 3).map(|at| (at * 13 + at / 97) as u8).collect()
}

/// The calls that an honest proposal of `data` makes, and its name.
fn honest(data: &[u8]) -> (U256, Vec<Oracle::addLeavesLPPCall>) {
    let proposal = LargeProposal::new(data, 8, CLAIMANT).unwrap();
    let schedule = Schedule { now: Timestamp(1), challenge_period: Seconds(1) };
    let Ok(Next::Send(calls)) = proposal.next(&Metadata::default(), schedule) else {
        panic!("a new proposal")
    };
    let leaves =
        calls[1..].iter().map(|call| Oracle::addLeavesLPPCall::abi_decode(&call.data).unwrap());
    (proposal.uuid(), leaves.collect())
}

fn metadata(calls: &[Oracle::addLeavesLPPCall]) -> Metadata {
    Metadata {
        timestamp: u64::from(calls.last().is_some_and(|call| call._finalize)),
        bytes_processed: calls.iter().map(|call| call._input.len() as u32).sum(),
        blocks_processed: calls.iter().map(|call| call._stateCommitments.len() as u32).sum(),
        ..Metadata::default()
    }
}

fn put_together(
    uuid: U256,
    calls: &[Oracle::addLeavesLPPCall],
) -> Result<ProposalData, AuditError> {
    let encoded: Vec<Vec<u8>> = calls.iter().map(SolCall::abi_encode).collect();
    let calls_data = encoded.iter().map(Vec::as_slice);
    ProposalData::new(CLAIMANT, uuid, &metadata(calls), calls_data)
}

fn root(proposal: &ProposalData) -> B256 {
    LeafTree::new(proposal.leaves().map(|leaf| leaf.hash()).collect()).root()
}

/// The call for a proposal of which the state at `index` is changed.
fn challenge_at(index: usize) -> Vec<u8> {
    let data = data();
    let (uuid, mut calls) = honest(&data);
    let mut place = index;
    let call = calls.iter_mut().find(|call| {
        let is_here = place < call._stateCommitments.len();
        place -= if is_here { 0 } else { call._stateCommitments.len() };
        is_here
    });
    call.unwrap()._stateCommitments[place][31] ^= 1;
    let proposal = put_together(uuid, &calls).unwrap();
    assert_eq!(proposal.data(), data);
    let call = proposal.challenge(root(&proposal)).unwrap().expect("a challenge");
    assert_eq!((call.target, call.value), (Target::Oracle, U256::ZERO));
    call.data.to_vec()
}

#[test]
fn a_right_proposal_is_not_challenged() {
    let (uuid, calls) = honest(&data());
    let proposal = put_together(uuid, &calls).unwrap();
    assert_eq!(proposal.challenge(root(&proposal)), Ok(None));
    // Nor one that is still open.
    let proposal = put_together(uuid, &calls[..2]).unwrap();
    assert_eq!(proposal.challenge(root(&proposal)), Ok(None));
}

#[test]
fn the_first_wrong_state_is_challenged() {
    let call = Oracle::challengeFirstLPPCall::abi_decode(&challenge_at(0)).unwrap();
    assert_eq!((call._claimant, call._postState.index), (CLAIMANT, U256::ZERO));
    for index in [1, 499, 500, 999, 1000, 1100] {
        let call = Oracle::challengeLPPCall::abi_decode(&challenge_at(index)).unwrap();
        assert_eq!(call._claimant, CLAIMANT);
        assert_eq!(call._preState.index, U256::from(index - 1));
        assert_eq!(call._postState.index, U256::from(index));
        // The state before is the true one, and its leaf says so.
        let sponge = Sponge::from_lanes(call._stateMatrix.state);
        assert_eq!(sponge.commitment(), call._preState.stateCommitment);
        let mut after = sponge;
        after.absorb(call._postState.input[..].try_into().unwrap());
        assert_ne!(after.commitment(), call._postState.stateCommitment, "{index}");
    }
}

#[test]
fn data_that_is_not_all_there_gives_no_challenge() {
    let (uuid, calls) = honest(&data());
    let all = metadata(&calls);
    let check = |calls: &[&Oracle::addLeavesLPPCall], want: &str| {
        let encoded: Vec<Vec<u8>> = calls.iter().map(|call| call.abi_encode()).collect();
        let result = ProposalData::new(CLAIMANT, uuid, &all, encoded.iter().map(Vec::as_slice));
        let error = result.unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let [a, b, c] = &calls[..] else { panic!("three calls") };
    check(&[], "number of bytes is 0");
    check(&[a, b], "the number of bytes");
    check(&[a, c], "from block 500 on are missing");
    check(&[b, c], "from block 0 on are missing");
    check(&[a, b, c, c], "are missing");
    let short = Oracle::addLeavesLPPCall { _stateCommitments: vec![B256::ZERO; 499], ..a.clone() };
    check(&[&short], "500 blocks and 499 states");
    let cut = Oracle::addLeavesLPPCall { _input: a._input.slice(1..), ..a.clone() };
    check(&[&cut], "499 blocks and 500 states");
    let proposal = put_together(uuid, &calls).unwrap();
    assert!(matches!(proposal.challenge(B256::ZERO), Err(AuditError::Root { .. })));
}

#[test]
fn logs_of_others_are_passed_over() {
    let (uuid, calls) = honest(&data());
    let call = calls[0].abi_encode();
    let log = [CLAIMANT.as_slice(), &call].concat();
    assert_eq!(parse_leaf_log(&log, CLAIMANT, uuid), Some(&call[..]));
    assert_eq!(parse_leaf_log(&log, Address::ZERO, uuid), None);
    assert_eq!(parse_leaf_log(&log, CLAIMANT, uuid + U256::ONE), None);
    assert_eq!(parse_leaf_log(&log[..20], CLAIMANT, uuid), None);
    assert_eq!(parse_leaf_log(&[], CLAIMANT, uuid), None);
    let other = [CLAIMANT.as_slice(), &[0; 4], &call[4..]].concat();
    assert_eq!(parse_leaf_log(&other, CLAIMANT, uuid), None);
}

/// The contract follows offsets wherever they lead.
#[test]
fn odd_encodings_hide_nothing() {
    let word = |value: u64| B256::left_padding_from(&value.to_be_bytes());
    let mut call = ADD_LEAVES.to_vec();
    // States first, then input, with a gap between and bytes behind; no padding of the input.
    let head = [word(7), word(0), word(0xe0), word(0xa0), word(1)];
    head.iter().for_each(|word| call.extend_from_slice(word.as_slice()));
    [word(1), B256::repeat_byte(9)].iter().for_each(|word| call.extend_from_slice(word.as_slice()));
    call.extend_from_slice(word(3).as_slice());
    call.extend_from_slice(b"abcrest");
    let parsed = AddLeaves::parse(&call).expect("as the contract reads it");
    assert_eq!((parsed.uuid, parsed.start), (U256::from(7), U256::ZERO));
    assert_eq!((parsed.input, parsed.commitments), (&b"abc"[..], &[[9; 32]][..]));
    assert!(parsed.finalize);

    let refuse = |at: usize, byte: u8| {
        let mut changed = call.clone();
        changed[at] = byte;
        assert!(AddLeaves::parse(&changed).is_none(), "byte {at}");
    };
    refuse(4 + 5 * 32 - 1, 2);
    refuse(4 + 2 * 32, 1);
    refuse(4 + 3 * 32 - 1, 0xff);
    refuse(4 + 0xe0 + 31, 8);
    refuse(4 + 0xa0, 0xff);
    for length in 0..call.len() - 4 {
        assert!(AddLeaves::parse(&call[..length]).is_none(), "{length} bytes");
    }
}
