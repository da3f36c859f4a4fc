//! Oracle for execution: blocks of any transactions on an empty state.
//!
//! Nothing is there at first, so nothing can be missing, and all that a transaction meets was made by
//! the ones before it: deposits mint, create contracts and call them.

use crate::many::Many;
use alloy_consensus::{Header, Sealable, SignableTransaction, TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::{Encodable2718, eip7702::Authorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_trie::EMPTY_ROOT_HASH;
use arbitrary::Arbitrary;
use op_alloy_consensus::TxDeposit;
use rebut_execution::{
    BaseFeeDefaults, ChainParameters, ExecutedBlock, Fork, ForkTimes, PayloadAttributes, State,
    execute_block,
};
use rebut_host::{BlockWitness, NativeState, WitnessOracle};
use rebut_preimage::MemoryStore;
use rebut_program::{EXIT_VALID, block::run};

const CHAIN_ID: u64 = 10;
const PARENT_TIMESTAMP: u64 = 1000;
const BLOCK_GAS: u64 = 4_000_000;
const TRANSACTION_GAS: u64 = 1_000_000;
/// Most transactions of a block.
const TRANSACTIONS: usize = 8;
/// From Isthmus on a block needs this account: the first deposit makes it.
const MESSAGE_PASSER: u8 = 0x16;

/// A block to execute.
#[derive(Arbitrary, Debug)]
pub struct Case {
    fork: u8,
    first_block_of_fork: bool,
    attributes: Attributes,
    parent_gas_used: u32,
    base_fee: u32,
    transactions: Many<Transaction, TRANSACTIONS>,
}

/// What of the attributes is not as it should be.
#[derive(Arbitrary, Debug)]
struct Attributes {
    /// Wrong when this is 0.
    right: u8,
    beacon_root: bool,
    eip_1559_params: Option<[u8; 8]>,
    min_base_fee: Option<u64>,
    timestamp: u64,
    gas_limit: u64,
}

#[derive(Arbitrary, Debug)]
enum Transaction {
    Raw(Vec<u8>),
    Deposit { from: u8, to: Option<To>, mint: u32, value: u8, gas: u32, input: Code, system: bool },
    Legacy { signature: Signed, nonce: bool, to: Option<To>, gas: u32, input: Code },
    Eip1559 { signature: Signed, to: Option<To>, gas: u32, fee: u8, input: Code },
    Eip7702 { signature: Signed, to: To, gas: u32, authorizations: Vec<(To, u8, Signed)> },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum To {
    /// Precompiles, and accounts with small numbers.
    Low(u8),
    /// Predeployed contracts.
    System(u8),
    /// What the sender's first contract is called.
    Created { by: u8, nonce: u8 },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Signed {
    r: u64,
    s: u64,
    odd: bool,
}

/// EVM code with a chance to get somewhere.
#[derive(Arbitrary, Debug)]
struct Code(Many<Instruction, 63>);

#[derive(Arbitrary, Debug)]
enum Instruction {
    Byte(u8),
    Push(u8),
    PushWord([u8; 32]),
    Store {
        slot: u8,
        value: u8,
    },
    /// A call of any kind with the memory's first bytes.
    Call {
        kind: u8,
        to: To,
        value: u8,
        input_bytes: u16,
    },
    /// Deploys the code itself.
    ReturnCode,
}

fn account(number: u8) -> Address {
    // Above the precompiles.
    Address::with_last_byte(0x80 | number)
}

impl To {
    fn address(self) -> Address {
        match self {
            Self::Low(number) => Address::with_last_byte(number),
            Self::System(number) => {
                let mut bytes = [0; 20];
                bytes[0] = 0x42;
                bytes[19] = number & 0x3f;
                bytes.into()
            }
            Self::Created { by, nonce } => account(by).create((nonce % 4).into()),
        }
    }
}

fn kind(to: &Option<To>) -> TxKind {
    to.map_or(TxKind::Create, |to| TxKind::Call(to.address()))
}

impl Signed {
    fn signature(self) -> Signature {
        Signature::new(U256::from(self.r), U256::from(self.s), self.odd)
    }
}

impl Code {
    fn bytes(&self) -> Bytes {
        let mut code = vec![];
        for instruction in &self.0.0 {
            match instruction {
                Instruction::Byte(byte) => code.push(*byte),
                Instruction::Push(value) => code.extend([0x60, *value]),
                Instruction::PushWord(word) => {
                    code.push(0x7f);
                    code.extend(word);
                }
                Instruction::Store { slot, value } => {
                    code.extend([0x60, *value, 0x60, *slot, 0x55])
                }
                Instruction::Call { kind, to, value, input_bytes } => {
                    // Output: none. Input: the first bytes of memory.
                    code.extend([0x5f, 0x5f, 0x61]);
                    code.extend((input_bytes % 1024).to_be_bytes());
                    let (opcode, has_value) =
                        [(0xf1, true), (0xf2, true), (0xf4, false), (0xfa, false)]
                            [usize::from(kind % 4)];
                    code.push(0x5f);
                    if has_value {
                        code.extend([0x60, *value]);
                    }
                    code.push(0x73);
                    code.extend(to.address());
                    code.extend([0x5a, opcode]);
                }
                // codesize, 0, 0, codecopy; codesize, 0, return
                Instruction::ReturnCode => {
                    code.extend([0x38, 0x5f, 0x5f, 0x39, 0x38, 0x5f, 0xf3]);
                }
            }
        }
        code.into()
    }
}

impl Transaction {
    fn encode(&self) -> Bytes {
        let gas = |gas: &u32| u64::from(*gas) % TRANSACTION_GAS;
        match self {
            Self::Raw(bytes) => bytes.clone().into(),
            Self::Deposit { from, to, mint, value, gas: limit, input, system } => TxDeposit {
                source_hash: B256::repeat_byte(*from),
                from: account(*from),
                to: kind(to),
                mint: (*mint).into(),
                value: U256::from(*value),
                gas_limit: gas(limit),
                is_system_transaction: *system,
                input: input.bytes(),
            }
            .encoded_2718()
            .into(),
            Self::Legacy { signature, nonce, to, gas: limit, input } => {
                let tx = TxLegacy {
                    chain_id: Some(CHAIN_ID),
                    nonce: (*nonce).into(),
                    gas_price: 0,
                    gas_limit: gas(limit),
                    to: kind(to),
                    value: U256::ZERO,
                    input: input.bytes(),
                };
                tx.into_signed(signature.signature()).encoded_2718().into()
            }
            Self::Eip1559 { signature, to, gas: limit, fee, input } => {
                let tx = TxEip1559 {
                    chain_id: CHAIN_ID,
                    gas_limit: gas(limit),
                    max_fee_per_gas: (*fee).into(),
                    to: kind(to),
                    input: input.bytes(),
                    ..TxEip1559::default()
                };
                tx.into_signed(signature.signature()).encoded_2718().into()
            }
            Self::Eip7702 { signature, to, gas: limit, authorizations } => {
                let authorization_list = authorizations.iter().map(|(to, chain, signed)| {
                    let authorization = Authorization {
                        chain_id: U256::from(chain % 11),
                        address: to.address(),
                        nonce: 0,
                    };
                    authorization.into_signed(signed.signature())
                });
                let tx = TxEip7702 {
                    chain_id: CHAIN_ID,
                    gas_limit: gas(limit),
                    to: to.address(),
                    authorization_list: authorization_list.collect(),
                    ..TxEip7702::default()
                };
                tx.into_signed(signature.signature()).encoded_2718().into()
            }
        }
    }
}

impl Case {
    fn fork(&self) -> Fork {
        let forks: Vec<Fork> = [Fork::Bedrock].into_iter().chain(Fork::TIMED).collect();
        forks[usize::from(self.fork) % forks.len()]
    }

    fn chain(&self) -> ChainParameters {
        let last = self.fork();
        let time = if self.first_block_of_fork { PARENT_TIMESTAMP + 1 } else { 0 };
        let forks = Fork::TIMED
            .into_iter()
            .filter(|fork| *fork <= last)
            .fold(ForkTimes::default(), |forks, fork| {
                forks.with(fork, Some(if fork == last { time } else { 0 }))
            });
        let base_fee = BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 };
        ChainParameters { chain_id: CHAIN_ID, forks, base_fee }
    }

    fn parent(&self, chain: &ChainParameters) -> Header {
        let extra_data: &[u8] = match chain.forks.active(PARENT_TIMESTAMP) {
            Fork::Jovian | Fork::Karst => &[1, 0, 0, 0, 250, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0],
            Fork::Holocene | Fork::Isthmus => &[0, 0, 0, 0, 250, 0, 0, 0, 6],
            _ => &[],
        };
        Header {
            number: 7,
            timestamp: PARENT_TIMESTAMP,
            state_root: EMPTY_ROOT_HASH,
            gas_limit: BLOCK_GAS,
            gas_used: self.parent_gas_used.into(),
            base_fee_per_gas: Some((self.base_fee & 3).into()),
            extra_data: Bytes::copy_from_slice(extra_data),
            ..Header::default()
        }
    }

    fn attributes(&self) -> PayloadAttributes {
        let fork = self.fork();
        let first = Transaction::Deposit {
            from: 0,
            to: Some(To::System(MESSAGE_PASSER)),
            mint: 1 << 30,
            value: 1,
            gas: 50_000,
            input: Code(Many(vec![])),
            system: false,
        };
        let others = self.transactions.0.iter();
        let transactions = [&first].into_iter().chain(others).map(Transaction::encode).collect();
        let right = PayloadAttributes {
            timestamp: PARENT_TIMESTAMP + 2,
            prev_randao: B256::repeat_byte(3),
            suggested_fee_recipient: account(3),
            gas_limit: BLOCK_GAS,
            parent_beacon_block_root: (fork >= Fork::Ecotone).then_some(B256::repeat_byte(4)),
            eip_1559_params: (fork >= Fork::Holocene).then_some([0, 0, 0, 250, 0, 0, 0, 6]),
            min_base_fee: (fork >= Fork::Jovian).then_some(0),
            transactions,
        };
        if self.attributes.right != 0 {
            return right;
        }
        let wrong = &self.attributes;
        PayloadAttributes {
            timestamp: wrong.timestamp,
            gas_limit: wrong.gas_limit % (2 * BLOCK_GAS),
            parent_beacon_block_root: wrong.beacon_root.then_some(B256::ZERO),
            eip_1559_params: wrong.eip_1559_params,
            min_base_fee: wrong.min_base_fee,
            ..right
        }
    }
}

/// Executes a block twice, and a third time by the program. All agree.
pub fn block(case: Case) {
    is_executed(&case);
}

/// Whether the case's block can be executed.
fn is_executed(case: &Case) -> bool {
    let chain = case.chain();
    let parent_header = case.parent(&chain);
    let parent = parent_header.clone().seal_slow();
    let attributes = case.attributes();
    let execute = || {
        let mut state = State::new(parent.state_root);
        // Nothing is there; precompiles are executed.
        let mut oracle = NativeState(WitnessOracle::new(MemoryStore::new()));
        execute_block(&chain, &parent, &attributes, &mut state, &mut oracle)
    };
    let (first, second) = (execute(), execute());
    let mut witness = BlockWitness {
        source: String::new(),
        chain,
        parent_header,
        attributes: attributes.clone(),
        expected_block_hash: B256::ZERO,
        preimages: MemoryStore::new(),
    };
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second);
            check_block(&first, &attributes);
            witness.expected_block_hash = first.header.hash();
            let verdict = run(&mut witness.oracle()).expect("it was executed before");
            assert_eq!(verdict.exit_code(), EXIT_VALID);
            true
        }
        (Err(first), Err(second)) => {
            let text = first.to_string();
            assert_eq!(text, second.to_string());
            // Of the state nothing can be missing but the headers of earlier blocks.
            let program = run(&mut witness.oracle()).expect_err("it cannot be executed");
            assert!(!program.to_string().is_empty());
            false
        }
        (first, second) => panic!("{first:?} / {second:?}"),
    }
}

fn check_block(block: &ExecutedBlock, attributes: &PayloadAttributes) {
    assert_eq!(block.receipts.len(), attributes.transactions.len());
    let last = block.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used());
    assert_eq!(block.header.gas_used, last);
    let gas = block.receipts.iter().map(|receipt| receipt.cumulative_gas_used());
    assert!(gas.is_sorted());
    let bloom = block
        .receipts
        .iter()
        .fold(alloy_primitives::Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
    assert_eq!(block.header.logs_bloom, bloom);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::many::noise;
    use arbitrary::Unstructured;

    #[test]
    fn blocks_of_noise_are_executed_and_refused() {
        let executed = (0..64u64).filter(|number| {
            let noise = noise(*number, 1024);
            is_executed(&Case::arbitrary(&mut Unstructured::new(&noise)).unwrap())
        });
        let executed = executed.count();
        assert!((8..64).contains(&executed), "{executed} of 64");
    }
}
