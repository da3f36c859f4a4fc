use super::*;
use proptest::prelude::*;

fn option<T: core::fmt::Debug + Clone>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(value)
}

fn times() -> impl Strategy<Value = ForkTimes> {
    proptest::array::uniform9(option(any::<u64>())).prop_map(|times| {
        Fork::TIMED
            .into_iter()
            .zip(times)
            .fold(ForkTimes::default(), |all, (fork, time)| all.with(fork, time))
    })
}

prop_compose! {
    fn attributes()(
        timestamp: u64, prev_randao: [u8; 32], recipient: [u8; 20], gas_limit: u64,
        root in option(any::<[u8; 32]>()), params in option(any::<[u8; 8]>()),
        minimum in option(any::<u64>()),
        transactions in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..4),
    ) -> PayloadAttributes {
        PayloadAttributes {
            timestamp,
            prev_randao: prev_randao.into(),
            suggested_fee_recipient: recipient.into(),
            gas_limit,
            parent_beacon_block_root: root.map(B256::new),
            eip_1559_params: params,
            min_base_fee: minimum,
            transactions: transactions.into_iter().map(Bytes::from).collect(),
        }
    }
}

prop_compose! {
    fn input()(
        chain_id: u64, forks in times(), elasticity: u32, denominator: u32, canyon: u32,
        number: u64, base_fee in option(any::<u64>()), attributes in attributes(),
    ) -> BlockInput {
        let base_fee_defaults =
            BaseFeeDefaults { elasticity, denominator, denominator_canyon: canyon };
        BlockInput {
            chain: ChainParameters { chain_id, forks, base_fee: base_fee_defaults },
            parent: Header { number, base_fee_per_gas: base_fee, ..Header::default() },
            attributes,
        }
    }
}

proptest! {
    #[test]
    fn inputs_survive_their_encoding(input in input()) {
        prop_assert_eq!(BlockInput::decode(&input.encode()), Ok(input));
    }

    #[test]
    fn a_cut_or_longer_encoding_is_refused(input in input(), at: prop::sample::Index) {
        let bytes = input.encode();
        prop_assert!(BlockInput::decode(&bytes[..at.index(bytes.len())]).is_err());
        let longer = [&bytes[..], &[0x80]].concat();
        prop_assert_eq!(BlockInput::decode(&longer), Err(InputError::Trailing(1)));
    }

    /// What decodes is the encoding of what it decodes to, whatever was damaged.
    #[test]
    fn every_input_has_one_encoding(input in input(), at: prop::sample::Index, flip: u8) {
        let mut bytes = input.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(decoded) = BlockInput::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
        let _ = BlockInput::decode(&bytes);
    }
}

fn check(change: impl FnOnce(&mut Wire), expected: InputError) {
    let chain = WireChain {
        chain_id: 10,
        fork_times: vec![vec![]; Fork::TIMED.len()],
        elasticity: 6,
        denominator: 50,
        denominator_canyon: 250,
    };
    let attributes = WireAttributes {
        timestamp: 1,
        prev_randao: B256::ZERO,
        suggested_fee_recipient: Address::ZERO,
        gas_limit: 1,
        parent_beacon_block_root: vec![],
        eip_1559_params: vec![],
        min_base_fee: vec![],
        transactions: vec![],
    };
    let mut wire = Wire { version: VERSION, chain, parent: Header::default(), attributes };
    let decode = |wire: &Wire| BlockInput::decode(&alloy_rlp::encode(wire));
    assert!(decode(&wire).is_ok());
    change(&mut wire);
    assert_eq!(decode(&wire), Err(expected));
}

#[test]
fn shapes_that_rlp_allows_but_no_input_has() {
    check(|wire| wire.version = 2, InputError::Version(2));
    check(|wire| wire.chain.fork_times.truncate(3), InputError::ForkCount(3));
    check(|wire| wire.chain.fork_times[4] = vec![1, 2], InputError::Optional(2));
    check(|wire| wire.attributes.min_base_fee = vec![1; 3], InputError::Optional(3));
}
