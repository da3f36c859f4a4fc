//! The demo chain's contracts, as small programs for the EVM.

use alloy_primitives::{B256, U256, keccak256};
use revm::bytecode::opcode::*;

/// Code under construction.
#[derive(Default)]
struct Code(Vec<u8>);

impl Code {
    fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    /// Pushes a number in as few bytes as it has.
    fn push(mut self, number: impl Into<u64>) -> Self {
        let bytes = number.into().to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        self.0.push(PUSH0 + bytes.len() as u8);
        self.0.extend_from_slice(bytes);
        self
    }

    fn push_word(mut self, word: B256) -> Self {
        self.0.push(PUSH32);
        self.0.extend_from_slice(word.as_slice());
        self
    }

    /// `storage[slot] = top of the stack`.
    fn store(self, slot: u64) -> Self {
        self.push(slot).op(SSTORE)
    }

    /// Pushes the word of the call's data at `offset`, shifted right to its first `bits` bits.
    fn data(self, offset: u64, bits: u64) -> Self {
        let word = self.push(offset).op(CALLDATALOAD);
        if bits == 256 { word } else { word.push(256 - bits).op(SHR) }
    }
}

/// Takes the attributes of the L1 origin where the chain's fee rules look for them: the layout of
/// the predeploy at `0x4200…0015`, from the data of `setL1BlockValuesJovian`.
pub(super) fn l1_block() -> Vec<u8> {
    Code::default()
        // Timestamp and number of the L1 block.
        .data(20, 128)
        .store(0)
        .data(36, 256)
        .store(1)
        // Its hash.
        .data(100, 256)
        .store(2)
        // Both fee scalars and the sequence number.
        .data(4, 128)
        .store(3)
        .data(132, 256)
        .store(4)
        // The blob base fee.
        .data(68, 256)
        .store(7)
        // The footprint scalar above operator fee scalar and constant.
        .data(176, 16)
        .push(96_u64)
        .op(SHL)
        .data(164, 96)
        .op(OR)
        .store(8)
        .op(STOP)
        .0
}

/// Marks the hash of what it is called with as sent: the shape of the message passer's storage.
pub(super) fn message_passer() -> Vec<u8> {
    Code::default()
        .op(CALLDATASIZE)
        .push(0_u64)
        .push(0_u64)
        .op(CALLDATACOPY)
        .op(CALLVALUE)
        .op(CALLDATASIZE)
        .op(MSTORE)
        .push(1_u64)
        .op(CALLDATASIZE)
        .push(32_u64)
        .op(ADD)
        .push(0_u64)
        .op(KECCAK256)
        .op(SSTORE)
        .op(STOP)
        .0
}

/// Bytes of data the workshop takes: an ecrecover input, then two pairs for the pairing.
pub(super) const WORKSHOP_DATA_BYTES: u64 = 128 + 384;
/// How often the workshop hashes the data.
pub(super) const WORKSHOP_ROUNDS: u64 = 24;

/// The contract at the centre of the demo.
///
/// ```text
///   storage                                     memory
///   0  calls so far                               0  data of the call; the first word is
///   1  signer recovered from the data                replaced by the hash of all, 24 times
///   2  result of the pairing of the data        512  signer      ┐
///   3  the last hash                            544  pairing     ├ the log
///   4  cleared                                  576  last hash   ┘
/// ```
pub(super) fn workshop() -> Vec<u8> {
    let (signer, pairing, hash) =
        (WORKSHOP_DATA_BYTES, WORKSHOP_DATA_BYTES + 32, WORKSHOP_DATA_BYTES + 64);
    let mut code = Code::default()
        .push(1_u64)
        .push(0_u64)
        .op(SLOAD)
        .op(ADD)
        .store(0)
        .push(0_u64)
        .store(4)
        .push(WORKSHOP_DATA_BYTES)
        .push(0_u64)
        .push(0_u64)
        .op(CALLDATACOPY);
    for (address, offset, length, result, slot) in
        [(1_u64, 0_u64, 128_u64, signer, 1), (8, 128, 384, pairing, 2)]
    {
        code = code
            .push(32_u64)
            .push(result)
            .push(length)
            .push(offset)
            .push(address)
            .op(GAS)
            .op(STATICCALL)
            // A call that fails counts as the result 0.
            .push(result)
            .op(MLOAD)
            .op(MUL)
            .store(slot);
    }
    // Counts down on the stack.
    code = code.push(WORKSHOP_ROUNDS);
    let round = code.0.len() as u64;
    code.op(JUMPDEST)
        .push(WORKSHOP_DATA_BYTES)
        .push(0_u64)
        .op(KECCAK256)
        .push(0_u64)
        .op(MSTORE)
        .push(1_u64)
        .op(SWAP1)
        .op(SUB)
        .op(DUP1)
        .push(round)
        .op(JUMPI)
        .op(POP)
        .push(0_u64)
        .op(MLOAD)
        .op(DUP1)
        .push(hash)
        .op(MSTORE)
        .store(3)
        .push_word(keccak256("Worked(address,uint256,bytes32)"))
        .push(96_u64)
        .push(signer)
        .op(LOG1)
        .op(STOP)
        .0
}

/// Creates a contract that returns the number it keeps.
pub(super) fn creation() -> Vec<u8> {
    let runtime = Code::default()
        .push(0_u64)
        .op(SLOAD)
        .push(0_u64)
        .op(MSTORE)
        .push(32_u64)
        .push(0_u64)
        .op(RETURN)
        .0;
    let length = runtime.len() as u64;
    let prologue = |offset: u64| {
        Code::default()
            .op(TIMESTAMP)
            .store(0)
            .push(length)
            .push(offset)
            .push(0_u64)
            .op(CODECOPY)
            .push(length)
            .push(0_u64)
            .op(RETURN)
            .0
    };
    // The offset is a single byte, whatever its value.
    let offset = prologue(1).len() as u64;
    [prologue(offset), runtime].concat()
}

/// A storage slot by its number.
pub(super) fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}
