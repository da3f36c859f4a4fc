//! An honest sequencer: it makes L2 blocks by the rules and so knows what their hashes will be.

use crate::{
    events::Update,
    l1::L1Chain,
    l2::{self, L2Block, Place},
    parameters::{BASE_FEE, Parameters, Upgrade},
    random::Random,
    user_transaction::UserTransaction,
};
use alloy_primitives::Bytes;
use std::collections::HashMap;

/// A block as the sequencer made it.
#[derive(Clone, Debug)]
pub struct Sequenced {
    /// The block, without the deposits.
    pub block: L2Block,
    /// Its transactions besides deposits.
    pub transactions: Vec<UserTransaction>,
}

/// The sequencer's chain. It follows the safe chain wherever that differs.
#[derive(Clone, Debug)]
pub struct Sequencer {
    /// The blocks by number.
    pub chain: Vec<Sequenced>,
    /// How many blocks are known to be safe.
    safe: usize,
}

impl Sequencer {
    /// A chain of its first block.
    pub fn new(genesis: L2Block) -> Self {
        Self { chain: vec![Sequenced { block: genesis, transactions: Vec::new() }], safe: 1 }
    }

    /// The newest block.
    pub fn head(&self) -> &L2Block {
        &self.chain.last().expect("the chain starts with a block").block
    }

    /// Adopts the safe chain. Returns the number of the first block that differed.
    pub fn follow(&mut self, safe: &[L2Block]) -> Option<u64> {
        let known = self.safe;
        self.safe = safe.len();
        let differs = |number: &usize| {
            self.chain.get(*number).is_none_or(|own| own.block.hash != safe[*number].hash)
        };
        let first = (known..safe.len()).find(differs)?;
        self.chain.truncate(first);
        for block in &safe[first..] {
            self.chain.push(Sequenced { block: block.clone(), transactions: Vec::new() });
        }
        Some(first as u64)
    }

    /// Forgets all blocks that are not safe.
    pub fn rewind(&mut self) {
        self.chain.truncate(self.safe);
    }

    /// Makes blocks up to a time.
    pub fn extend(
        &mut self,
        random: &mut Random,
        parameters: &Parameters,
        l1: &L1Chain,
        updates: &HashMap<u64, Vec<Update>>,
        until: u64,
    ) {
        // A sequencer that is slow to adopt origins runs into the limit of the drift.
        let eagerness = *random.pick(&[10, 40, 70, 100]);
        while self.head().header.timestamp + parameters.block_time <= until {
            let Some(next) = self.next(random, parameters, l1, updates, eagerness) else { return };
            self.chain.push(next);
        }
    }

    fn next(
        &self,
        random: &mut Random,
        parameters: &Parameters,
        l1: &L1Chain,
        updates: &HashMap<u64, Vec<Update>>,
        eagerness: u64,
    ) -> Option<Sequenced> {
        let parent = self.head();
        let timestamp = parent.header.timestamp + parameters.block_time;
        let origin = l1.block(parent.place.origin_number)?;
        let next_origin = l1.block(origin.header.number + 1);
        let is_late = |time: u64| timestamp > time + parameters.drift(time);
        let adoptable = next_origin.filter(|next| next.header.timestamp <= timestamp);
        let late = is_late(origin.header.timestamp);
        if late && next_origin.is_none() {
            return None;
        }
        // Nobody waits for the batches of this origin any more: the blocks are empty, and as few as can be.
        let tip = l1.tip().header.number;
        let expired = |number: u64| number + parameters.seq_window_size <= tip;
        let hurry = late || expired(origin.header.number);
        let adopted = adoptable.filter(|_| hurry || random.chance(eagerness));
        let origin = adopted.unwrap_or(origin);
        let advanced = adopted.is_some();

        let sequence_number = if advanced { 0 } else { parent.place.sequence_number + 1 };
        let (origin_number, origin_hash) = (origin.header.number, origin.hash);
        let place = Place { origin_number, origin_hash, sequence_number };
        let updates = if advanced { updates.get(&origin_number) } else { None };
        let updates = updates.map_or(&[][..], Vec::as_slice);
        let (gas_limit, extra_data) = changing(parameters, parent, timestamp, updates);

        let may_have_any =
            !is_late(origin.header.timestamp) && !expired(origin_number) && random.chance(70);
        let count = if may_have_any { random.below(4) } else { 0 };
        let with_type_4 = parameters.is_active(Upgrade::Isthmus, timestamp);
        let transactions: Vec<UserTransaction> = (0..count)
            .map(|_| {
                let transaction = UserTransaction::random(random, with_type_4);
                let poison = random.below(200) == 0;
                if poison { transaction.poisoned() } else { transaction }
            })
            .collect();
        let encoded: Vec<Bytes> = transactions.iter().map(|t| t.encode().into()).collect();
        let number = parent.header.number + 1;
        let block =
            l2::block(number, parent.hash, timestamp, gas_limit, extra_data, place, &encoded);
        Some(Sequenced { block, transactions })
    }
}

/// Gas limit and extra data after a parent, with the updates of a new origin.
fn changing(
    parameters: &Parameters,
    parent: &L2Block,
    timestamp: u64,
    updates: &[Update],
) -> (u64, Bytes) {
    let mut gas_limit = parent.header.gas_limit;
    let defaults = (BASE_FEE.2, BASE_FEE.0);
    let holocene = |time| parameters.is_active(Upgrade::Holocene, time);
    let half = |at: usize| {
        let bytes = parent.header.extra_data.get(at..at + 4);
        bytes.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().expect("four bytes")))
    };
    let mut eip_1559 = (half(1), half(5));
    for update in updates {
        match update {
            Update::GasLimit(limit) => gas_limit = *limit,
            Update::Eip1559(denominator, elasticity) => eip_1559 = (*denominator, *elasticity),
            _ => {}
        }
    }
    let extra_data = if !holocene(timestamp) {
        Bytes::new()
    } else if !holocene(parent.header.timestamp) || eip_1559 == (0, 0) {
        l2::extra_data(defaults)
    } else {
        l2::extra_data(eip_1559)
    };
    (gas_limit, extra_data)
}
