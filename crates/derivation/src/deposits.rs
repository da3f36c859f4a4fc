//! Deposits that users make through the portal on L1.
//!
//! `TransactionDeposited(address indexed from, address indexed to, uint256 indexed version, bytes
//! opaqueData)`, version 0:
//!
//! ```text
//!   ┌─────────┬──────────┬───────┬────────────┬──────
//!   │ mint 32 │ value 32 │ gas 8 │ creation 1 │ data
//!   └─────────┴──────────┴───────┴────────────┴──────
//! ```
//!
//! Invariant: the portal emits nothing else, so what does not fit is no deposit to skip but an error.
//!
//! Specification: "L1 User-Deposited Transaction", "User-Deposited Transactions" in "Deposits".

use crate::{
    CriticalError, L1Source, PipelineError, RollupConfig, abi,
    receipts::{Event, EventFilter},
};
use alloc::vec::Vec;
use alloy_consensus::{Header, Sealed};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes, TxKind, U256, b256};
use op_alloy_consensus::{TxDeposit, UserDepositSource};

/// `keccak256("TransactionDeposited(address,address,uint256,bytes)")`.
const TRANSACTION_DEPOSITED: B256 =
    b256!("b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32");

/// The deposits in an L1 block, as transactions of L2 in their EIP-2718 form.
pub(crate) fn user_deposits<S: L1Source>(
    config: &RollupConfig,
    block: &Sealed<Header>,
    l1: &mut S,
) -> Result<Vec<Bytes>, PipelineError<S::Error>> {
    let filter = EventFilter::new(config.deposit_contract, TRANSACTION_DEPOSITED);
    let events = filter.events(block, l1)?;
    let mut deposits = Vec::with_capacity(events.len());
    for event in events {
        let deposit = decode(&event, block.hash()).map_err(|reason| CriticalError::Deposit {
            block: block.number,
            log: event.log_index,
            reason,
        })?;
        deposits.push(deposit.encoded_2718().into());
    }
    Ok(deposits)
}

/// The transaction that an event in the L1 block `l1_block_hash` asks for, or what is wrong with it.
fn decode(event: &Event, l1_block_hash: B256) -> Result<TxDeposit, &'static str> {
    let [_, from, to, version] = event.topics.as_slice() else {
        return Err("it has not four topics");
    };
    if !version.is_zero() {
        return Err("its version is not 0");
    }
    let from = abi::address(&from.0).ok_or("its sender is no address")?;
    let to = abi::address(&to.0).ok_or("its recipient is no address")?;
    let opaque = abi::bytes(&event.data).ok_or("its data is not encoded as bytes")?;
    let (mint, rest) = opaque.split_first_chunk::<32>().ok_or(TOO_SHORT)?;
    let (value, rest) = rest.split_first_chunk::<32>().ok_or(TOO_SHORT)?;
    let (gas_limit, rest) = rest.split_first_chunk::<8>().ok_or(TOO_SHORT)?;
    let (creation, input) = rest.split_first().ok_or(TOO_SHORT)?;
    Ok(TxDeposit {
        source_hash: UserDepositSource::new(l1_block_hash, event.log_index).source_hash(),
        from,
        to: if *creation == 0 { TxKind::Call(to) } else { TxKind::Create },
        mint: abi::number(mint).ok_or("it mints more than 128 bits can say")?,
        value: U256::from_be_bytes(*value),
        gas_limit: u64::from_be_bytes(*gas_limit),
        is_system_transaction: false,
        input: event.data.slice_ref(input),
    })
}

const TOO_SHORT: &str = "its data is too short";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{config_at, seeded},
        memory_l1::*,
    };
    use alloc::string::String;
    use alloy_eips::eip2718::Decodable2718;
    use alloy_primitives::{Address, Log, keccak256};
    use proptest::{collection::vec, prelude::*};

    /// Mint, value, gas and call, without data.
    fn opaque(creation: &str) -> String {
        alloc::format!("{:064x}{:064x}{:016x}{creation}", 0x11, 0x22, 0x33)
    }

    /// `abi.encode(bytes)`, as the specification of the ABI has it.
    fn encoded(content: &str) -> String {
        let padding = (64 - content.len() % 64) % 64;
        alloc::format!("{:064x}{:064x}{content}{}", 32, content.len() / 2, "0".repeat(padding))
    }

    fn topics() -> [B256; 4] {
        let word = |byte| Address::repeat_byte(byte).into_word();
        [TRANSACTION_DEPOSITED, word(0xf0), word(0x70), B256::ZERO]
    }

    fn portal_log(topics: &[B256], data: &str) -> Log {
        log(config_at(&[]).deposit_contract, topics, hex::decode(data).unwrap())
    }

    fn derive(logs: &[Log]) -> Result<Vec<Bytes>, PipelineError<Missing>> {
        let mut l1 = MemoryL1::default();
        let block = l1.push(0, Vec::new(), [receipt(2, true, logs)].into(), logs);
        user_deposits(&config_at(&[]), &block, &mut l1)
    }

    fn check_malformed(topics: &[B256], data: &str, reason: &'static str) {
        let other = log(Address::ZERO, &[], []);
        let error = derive(&[other, portal_log(topics, data)]).unwrap_err();
        assert_eq!(error, CriticalError::Deposit { block: 0, log: 1, reason }.into(), "{data}");
    }

    #[test]
    fn the_event_is_the_hash_of_its_signature() {
        let signature = "TransactionDeposited(address,address,uint256,bytes)";
        assert_eq!(TRANSACTION_DEPOSITED, keccak256(signature));
    }

    #[test]
    fn deposits_become_transactions() {
        let call = portal_log(&topics(), &encoded(&[&opaque("00"), "c0ffee"].concat()));
        let creation = portal_log(&topics(), &encoded(&opaque("01")));
        let other = log(config_at(&[]).deposit_contract, &[B256::ZERO], []);
        let deposits = derive(&[call.clone(), other, creation]).unwrap();
        let deposits: Vec<TxDeposit> =
            deposits.iter().map(|bytes| TxDeposit::decode_2718_exact(bytes).unwrap()).collect();
        let [first, second] = &deposits[..] else { panic!("{deposits:?}") };
        let expected = TxDeposit {
            source_hash: first.source_hash,
            from: Address::repeat_byte(0xf0),
            to: TxKind::Call(Address::repeat_byte(0x70)),
            mint: 0x11,
            value: U256::from(0x22),
            gas_limit: 0x33,
            is_system_transaction: false,
            input: Bytes::from_static(&[0xc0, 0xff, 0xee]),
        };
        assert_eq!(*first, expected);
        assert_eq!((second.to, second.input.len()), (TxKind::Create, 0));
    }

    /// keccak(0 ++ keccak(block hash ++ log index)), each a word.
    #[test]
    fn the_source_is_the_place_of_the_event() {
        let source = |hash: B256, index: u8| {
            let inner = keccak256([hash, B256::with_last_byte(index)].concat());
            keccak256([B256::ZERO, inner].concat())
        };
        let event = |log_index| Event {
            log_index,
            topics: topics().into(),
            data: hex::decode(encoded(&opaque("00"))).unwrap().into(),
        };
        for (hash, index) in [(1, 0), (1, 7), (9, 255)] {
            let hash = B256::repeat_byte(hash);
            let deposit = decode(&event(u64::from(index)), hash).unwrap();
            assert_eq!(deposit.source_hash, source(hash, index));
        }
    }

    #[test]
    fn a_deposit_that_mints_nothing_encodes_an_empty_mint() {
        let data = encoded(&alloc::format!("{:064x}{:064x}{:016x}00", 0, 0, 0));
        let deposit = derive(&[portal_log(&topics(), &data)]).unwrap().remove(0);
        // Type, prefix of two bytes, source, sender and recipient with their prefixes, then mint,
        // value, gas, not a system transaction, no data.
        assert_eq!(deposit[1 + 2 + 33 + 21 + 21..], [0x80, 0x80, 0x80, 0x80, 0x80]);
    }

    #[test]
    fn malformed_events_of_the_portal_are_errors() {
        let good = encoded(&opaque("00"));
        let [name, from, to, version] = topics();
        let dirty = B256::repeat_byte(1);
        for (topics, reason) in [
            (&[name, from, to][..], "it has not four topics"),
            (&[name], "it has not four topics"),
            (&[name, from, to, B256::with_last_byte(1)], "its version is not 0"),
            (&[name, dirty, to, version], "its sender is no address"),
            (&[name, from, dirty, version], "its recipient is no address"),
        ] {
            check_malformed(topics, &good, reason);
        }
        let no_bytes = "its data is not encoded as bytes";
        let content = &good[128..];
        for data in [
            String::new(),
            good[..64].into(),
            good[..good.len() - 64].into(),
            good[..good.len() - 2].into(),
            [&good, "00"].concat(),
            [&good, &"00".repeat(32)[..]].concat(),
            good.replacen("20", "40", 1),
            [&good[..good.len() - 2], "01"].concat(),
            alloc::format!("{:064x}{:064x}{content}", 32, 97),
            alloc::format!("{:064x}{:064x}{content}", 32, 64),
            alloc::format!("{:064x}{}{content}", 32, "ff".repeat(32)),
        ] {
            check_malformed(&topics(), &data, no_bytes);
        }
        for length in [0, 31, 32, 64, 72] {
            check_malformed(&topics(), &encoded(&"00".repeat(length)), TOO_SHORT);
        }
        let mint = encoded(&["01".repeat(32), opaque("00")[64..].into()].concat());
        check_malformed(&topics(), &mint, "it mints more than 128 bits can say");
    }

    #[test]
    fn deposits_of_failed_transactions_do_not_count() {
        let logs = [portal_log(&topics(), &encoded(&opaque("00")))];
        let mut l1 = MemoryL1::default();
        let block = l1.push(0, Vec::new(), [receipt(2, false, &logs)].into(), &logs);
        assert_eq!(user_deposits(&config_at(&[]), &block, &mut l1), Ok(Vec::new()));
    }

    proptest! {
        #![proptest_config(seeded(128))]

        #[test]
        fn data_of_any_length_is_kept(input in vec(any::<u8>(), 0..200), creation in 0u8..3) {
            let creation = alloc::format!("{creation:02x}");
            let content = [opaque(&creation), hex::encode(&input)].concat();
            let deposit = derive(&[portal_log(&topics(), &encoded(&content))]).unwrap().remove(0);
            let deposit = TxDeposit::decode_2718_exact(&deposit).unwrap();
            prop_assert_eq!(&deposit.input[..], &input[..]);
            prop_assert_eq!(deposit.to.is_create(), creation != "00");
        }
    }
}
