//! What executing a block touches of the state before it: the answers of `debug_executionWitness` and
//! `debug_executePayload`.

use super::{Block, Chain};
use crate::state::{StateStore, StoreError};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use rebut_execution::{ExecutionError, PayloadAttributes, State, StateOracle, execute_block};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that a block needs besides its parent's header and its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Trie nodes.
    pub state: Vec<Bytes>,
    /// Codes of contracts.
    pub codes: Vec<Bytes>,
    /// Preimages of keys of the tries. Always empty: whoever executes has them.
    pub keys: Vec<Bytes>,
    /// Headers that BLOCKHASH needs, in RLP.
    pub headers: Vec<Bytes>,
}

impl Chain {
    /// What executing the attributes on top of `parent` touches.
    ///
    /// # Errors
    /// When the attributes make no block on this parent.
    pub fn witness(
        &self,
        parent: &Block,
        attributes: &PayloadAttributes,
    ) -> Result<Witness, ExecutionError<StoreError>> {
        let mut recorder = Recorder { store: self.store().clone(), ..Recorder::default() };
        let mut state = State::new(parent.header.state_root);
        let chain = &self.config().chain;
        execute_block(chain, &parent.header, attributes, &mut state, &mut recorder)?;
        // Whoever runs the program reads the message passer as well, for the output.
        state
            .storage_root(super::chain::MESSAGE_PASSER, &mut recorder)
            .map_err(ExecutionError::State)?;
        let Recorder { nodes, codes, headers, .. } = recorder;
        let values = |map: BTreeMap<B256, Vec<u8>>| map.into_values().map(Bytes::from).collect();
        Ok(Witness {
            state: values(nodes),
            codes: values(codes),
            keys: Vec::new(),
            headers: values(headers),
        })
    }
}

/// A store that remembers what was asked for.
#[derive(Debug, Default)]
struct Recorder {
    store: StateStore,
    nodes: BTreeMap<B256, Vec<u8>>,
    codes: BTreeMap<B256, Vec<u8>>,
    headers: BTreeMap<B256, Vec<u8>>,
}

impl StateOracle for Recorder {
    type Error = StoreError;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        let node = StateOracle::trie_node(&mut self.store, hash)?;
        self.nodes.insert(hash, node.clone());
        Ok(node)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        let code = StateOracle::code(&mut self.store, hash)?;
        self.codes.insert(hash, code.clone());
        Ok(code)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        let header = StateOracle::header(&mut self.store, hash)?;
        self.headers.insert(keccak256(&header), header.clone());
        Ok(header)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.precompile(address, gas, input)
    }
}
