//! What is known of L1, as derivation and the sequencer read it.

use super::oracle::find_blob;
use crate::{
    l1,
    state::{StateStore, StoreError},
};
use alloy_consensus::{Header, Sealed};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes};
use rebut_derivation::L1Source;
use rebut_execution::StateOracle;

/// The canonical blocks of a record of L1.
#[derive(Clone, Copy, Debug)]
pub struct L1Reader<'a>(pub &'a l1::Record);

impl L1Reader<'_> {
    fn block(&self, header: &Sealed<Header>) -> Result<&l1::L1Block, StoreError> {
        let block = self.0.ledger().by_hash(header.hash());
        block.map(AsRef::as_ref).ok_or(StoreError::Missing(header.hash()))
    }
}

impl L1Source for L1Reader<'_> {
    type Error = StoreError;

    fn header(&mut self, number: u64) -> Result<Option<Sealed<Header>>, StoreError> {
        Ok(self.0.ledger().block(number).map(|block| block.header.clone()))
    }

    fn transactions(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, StoreError> {
        let block = self.block(block)?;
        Ok(block.transactions.iter().map(|tx| tx.encoded_2718().into()).collect())
    }

    fn receipts(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, StoreError> {
        Ok(self.block(block)?.encoded_receipts())
    }

    fn blob(
        &mut self,
        _: &Sealed<Header>,
        versioned_hash: B256,
    ) -> Result<Box<[u8; 131_072]>, StoreError> {
        let missing = StoreError::Missing(versioned_hash);
        let (_, blob) = find_blob(self.0, versioned_hash).ok_or(missing)?;
        let missing = StoreError::Missing(versioned_hash);
        Box::try_from(blob.into_boxed_slice()).map_err(|_| missing)
    }

    fn ecrecover(&mut self, input: &[u8; 128]) -> Result<Option<Address>, StoreError> {
        const ECRECOVER: (Address, u64) = (Address::with_last_byte(1), 3000);
        let output = StateStore::new().precompile(ECRECOVER.0, ECRECOVER.1, input)?;
        let word = output.and_then(|output| <[u8; 32]>::try_from(output).ok());
        Ok(word.map(|word| Address::from_word(word.into())))
    }
}
