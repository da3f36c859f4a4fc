//! A large preimage with other bytes where a step reads, under the key of the true one.
//!
//! The contract checks no state when leaves are added. So the forger adds other blocks with the states of the true
//! ones; the last two leaves are right, and the squeeze, which absorbs the last block only, arrives at the true
//! digest. Nothing but a challenge stops that.

use crate::upload::{metadata, schedule, send};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use rebut_challenger::preimage::{
    AuditError, BLOCK_BYTES, Call, LargeProposal, Leaf, LeafTree, Metadata, Next, ProposalData,
    Sponge, Target, parse_leaf_log,
};
use rebut_contracts::CallError;
use rebut_contracts::bindings::PreimageOracle;
use rebut_table::Table;

pub struct Forgery {
    forger: Address,
    uuid: U256,
    opening: Vec<Call>,
    squeeze: Call,
    /// What the calls left on chain for others to check.
    logs: Vec<Vec<u8>>,
}

impl Forgery {
    /// `forged` in place of `data`: as long, and the same in the last two blocks.
    pub fn new(table: &Table, forger: Address, data: &[u8], forged: &[u8], offset: u64) -> Self {
        let honest = LargeProposal::new(data, offset, forger).expect("a large preimage");
        let uuid = honest.uuid();
        let next = honest.next(&Metadata::default(), schedule(table));
        let Ok(Next::Send(mut opening)) = next else { panic!("{next:?}") };
        let mut commitments: Vec<B256> = Vec::new();
        for call in &mut opening[1..] {
            let mut leaves =
                PreimageOracle::addLeavesLPPCall::abi_decode(&call.data).expect("leaves");
            let start = commitments.len() * BLOCK_BYTES;
            leaves._input = forged[start..start + leaves._input.len()].to_vec().into();
            commitments.extend(&leaves._stateCommitments);
            call.data = leaves.abi_encode().into();
        }

        let leaves: Vec<Leaf> = (0..)
            .zip(padded(forged).into_iter().zip(&commitments))
            .map(|(index, (input, commitment))| Leaf { input, index, commitment: *commitment })
            .collect();
        let tree = LeafTree::new(leaves.iter().map(Leaf::hash).collect());
        let argument = |leaf: &Leaf| PreimageOracle::Leaf {
            input: leaf.input.to_vec().into(),
            index: U256::from(leaf.index),
            stateCommitment: leaf.commitment,
        };
        let mut before_last = Sponge::EMPTY;
        padded(data)[..leaves.len() - 1].iter().for_each(|block| before_last.absorb(block));
        let [.., pre, post] = &leaves[..] else { panic!("two blocks") };
        let squeeze = PreimageOracle::squeezeLPPCall {
            _claimant: forger,
            _uuid: uuid,
            _stateMatrix: PreimageOracle::StateMatrix { state: *before_last.lanes() },
            _preState: argument(pre),
            _preStateProof: tree.proof(pre.index),
            _postState: argument(post),
            _postStateProof: tree.proof(post.index),
        };
        let data = squeeze.abi_encode().into();
        let squeeze = Call { target: Target::Oracle, value: U256::ZERO, data };
        Self { forger, uuid, opening, squeeze, logs: Vec::new() }
    }

    /// All but the last call.
    pub fn open(&mut self, table: &mut Table) {
        for call in &self.opening {
            let logs = send(table, self.forger, call).expect("a proposal that nobody checks");
            self.logs.extend(logs.into_iter().map(|log| log.data.data.to_vec()));
        }
    }

    /// The last call.
    pub fn squeeze(&self, table: &mut Table) -> Result<(), CallError> {
        send(table, self.forger, &self.squeeze).map(drop)
    }

    pub fn metadata(&self, table: &mut Table) -> Metadata {
        metadata(table, self.forger, self.uuid)
    }

    /// What an auditor finds in the logs.
    pub fn audit(&self, table: &mut Table) -> Result<Option<Call>, AuditError> {
        let calls = self.logs.iter().filter_map(|log| parse_leaf_log(log, self.forger, self.uuid));
        let metadata = self.metadata(table);
        let call = PreimageOracle::getTreeRootLPPCall { _owner: self.forger, _uuid: self.uuid };
        let root = crate::upload::read(table, &call);
        ProposalData::new(self.forger, self.uuid, &metadata, calls)?.challenge(root)
    }
}

/// Blocks as the contract pads them.
fn padded(data: &[u8]) -> Vec<[u8; BLOCK_BYTES]> {
    let mut padded = data.to_vec();
    padded.push(1);
    padded.resize(padded.len().next_multiple_of(BLOCK_BYTES), 0);
    if let Some(last) = padded.last_mut() {
        *last |= 0x80;
    }
    let (blocks, _) = padded.as_chunks::<BLOCK_BYTES>();
    blocks.to_vec()
}
