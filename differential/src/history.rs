//! Histories: an L1 chain that carries what an honest and a clumsy batcher write, and everything else
//! that derivation reads.

use crate::{
    batcher::Batcher,
    channel,
    events::{self, Update},
    l1::{self, Account, L1Chain, Outcome},
    l2::{self, L2Block},
    parameters::{self, BATCH_INBOX, Parameters, SYSTEM_CONFIG, Upgrade},
    random::Random,
    run::{Run, Shared, World},
    sequencer::Sequencer,
};
use alloy_primitives::{Bytes, TxKind};
use std::collections::HashMap;

/// What else a history may contain: inputs on which the published pipeline is known to depart from the
/// specification, each by one input of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Updates of the system config that nobody understands.
    pub malformed_updates: bool,
}

/// A generated history.
#[derive(Debug)]
pub struct History {
    /// The chain's parameters.
    pub parameters: Parameters,
    /// L1 with all data.
    pub l1: L1Chain,
}

impl History {
    /// A world of this history in which L2 has only its first block.
    pub fn world(&self) -> Shared {
        self.world_after(vec![l2::genesis(&self.parameters)])
    }

    /// A world of this history in which some L2 blocks are safe already.
    pub fn world_after(&self, l2: Vec<L2Block>) -> Shared {
        Shared::new(World { parameters: self.parameters.clone(), l1: self.l1.clone(), l2 })
    }

    /// The same history as long as L1 has this many blocks.
    #[must_use]
    pub fn shortened(&self, blocks: usize) -> Self {
        let mut l1 = self.l1.clone();
        l1.blocks.truncate(blocks);
        Self { parameters: self.parameters.clone(), l1 }
    }
}

/// Everything that makes a history.
struct Maker {
    random: Random,
    parameters: Parameters,
    extras: Extras,
    accounts: Vec<Account>,
    /// Index of the batcher's account.
    current: usize,
    sequencer: Sequencer,
    batcher: Batcher,
    /// Valid updates of the system config by L1 block.
    updates: HashMap<u64, Vec<Update>>,
    /// The batcher sends nothing before this L1 block.
    silent_until: u64,
}

/// Makes the history of a seed. The batcher learns what became safe from a pipeline that runs along.
///
/// # Errors
/// When that pipeline cannot start.
pub fn make<E>(
    seed: u64,
    extras: Extras,
    start: impl FnOnce(Shared) -> Result<Run, E>,
) -> Result<(History, Run), E> {
    let mut random = Random::new(seed);
    let accounts: Vec<Account> = (0..4).map(Account::new).collect();
    let length = random.between(30, 60);
    let mut parameters = Parameters::random(&mut random, accounts[0].address(), length);
    let mut l1 = L1Chain::default();
    let (number, time) = (parameters.genesis_l1.0, parameters.genesis_time);
    l1.blocks.push(l1::seal(&parameters, None, number, time, random.hash(), Vec::new()));
    parameters.genesis_l1.1 = l1.tip().hash;
    let genesis = l2::genesis(&parameters);
    parameters.genesis_l2 = genesis.hash;

    let world = World { parameters: parameters.clone(), l1, l2: vec![genesis.clone()] };
    let mut run = start(Shared::new(world))?;
    let mut maker = Maker {
        random,
        parameters,
        extras,
        accounts,
        current: 0,
        sequencer: Sequencer::new(genesis),
        batcher: Batcher::new(),
        updates: HashMap::new(),
        silent_until: 0,
    };
    for _ in 0..length {
        maker.block(&run.world);
        run.advance();
        maker.react(&run.world);
    }
    let l1 = run.world.lock().l1.clone();
    Ok((History { parameters: maker.parameters, l1 }, run))
}

impl Maker {
    /// Adds the next L1 block.
    fn block(&mut self, world: &Shared) {
        let l1 = &mut world.lock().l1;
        let parent = l1.tip().clone();
        let number = parent.header.number + 1;
        let missed = [0, 0, 0, 0, 0, 0, 0, 1, 2, 5][self.random.index(10)];
        let timestamp = parent.header.timestamp + self.parameters.slot_time * (1 + missed);

        let times = (parent.header.timestamp, timestamp);
        let mut content = self.contract_calls(number, times);
        content.extend(self.noise());
        let (due, later) = self.batcher.queue.drain(..).partition(|payload| payload.due <= number);
        self.batcher.queue = later;
        let due: Vec<crate::batcher::Payload> = due;
        let payloads = due.into_iter().map(|payload| payload.data).collect();
        content.extend(self.batcher_transactions(l1, payloads, timestamp));

        let entropy = self.random.hash();
        let block = l1::seal(&self.parameters, Some(&parent), number, timestamp, entropy, content);
        l1.blocks.push(block);
    }

    /// Deposits and updates of the system config.
    fn contract_calls(&mut self, number: u64, times: (u64, u64)) -> Vec<(Bytes, Outcome)> {
        let mut content = Vec::new();
        if self.random.chance(20) {
            let logs = (0..self.random.between(1, 3)).map(|_| events::deposit(&mut self.random));
            let logs = logs.collect();
            content.push((self.user_transaction(), Outcome { success: true, logs }));
        }
        if self.random.chance(15) {
            let update = self.update(times);
            let counts = self.random.chance(80);
            let address = if counts { SYSTEM_CONFIG } else { self.random.address() };
            let mut logs = vec![update.log(address)];
            if self.extras.malformed_updates && self.random.chance(50) {
                let at = self.random.index(2);
                logs.insert(at, events::malformed_update(&mut self.random));
            }
            if counts {
                if let Update::Batcher(batcher) = update {
                    let is_batcher = |account: &Account| account.address() == batcher;
                    let current = self.accounts.iter().position(is_batcher);
                    self.current = current.expect("batchers are accounts");
                }
                self.updates.entry(number).or_default().push(update);
            }
            content.push((self.user_transaction(), Outcome { success: true, logs }));
        }
        content
    }

    fn update(&mut self, times: (u64, u64)) -> Update {
        let ecotone = self.parameters.is_active(Upgrade::Ecotone, times.1);
        let may_change_batcher = self.may_change_batcher(times);
        let holocene = self.parameters.is_active(Upgrade::Holocene, times.0);
        let random = &mut self.random;
        match random.below(6) {
            0 if may_change_batcher => Update::Batcher(self.accounts[random.index(3)].address()),
            1 => {
                let overhead = alloy_primitives::U256::from(random.below(1 << 20));
                let scalar = parameters::scalar(random, ecotone);
                Update::Fees(overhead, scalar)
            }
            2 => Update::GasLimit(random.between(20_000_000, 60_000_000)),
            3 => Update::Signer(random.address()),
            4 if random.chance(20) => Update::Eip1559(0, 0),
            4 => {
                let set = (random.between(1, 500) as u32, random.between(1, 20) as u32);
                // The published pipeline has zeros in Holocene's first block, whatever its origin says.
                let (denominator, elasticity) = if holocene { set } else { (0, 0) };
                Update::Eip1559(denominator, elasticity)
            }
            _ => Update::OperatorFee(random.word() as u32, random.word()),
        }
    }

    /// Not shortly before Holocene activates, nor in its first block: the published pipeline then goes
    /// back to the batcher of the safe head.
    fn may_change_batcher(&self, (parent, timestamp): (u64, u64)) -> bool {
        let margin = 60 * self.parameters.slot_time;
        let holocene = |time| self.parameters.is_active(Upgrade::Holocene, time);
        holocene(parent) || !holocene(timestamp + margin)
    }

    /// A transaction that means nothing to derivation.
    fn user_transaction(&mut self) -> Bytes {
        let to = TxKind::Call(self.random.address());
        let (kind, input) = (self.random.below(3), self.random.bytes(8));
        self.accounts[3].calldata(kind, to, input)
    }

    fn noise(&mut self) -> Vec<(Bytes, Outcome)> {
        let success = Outcome { success: true, ..Outcome::default() };
        let mut content = Vec::new();
        if self.random.chance(20) {
            content.push((self.user_transaction(), success.clone()));
        }
        if self.random.chance(5) {
            let create = self.accounts[self.current].calldata(0, TxKind::Create, vec![0]);
            content.push((create, success));
        }
        content
    }

    /// Payloads in transactions to the inbox.
    fn batcher_transactions(
        &mut self,
        l1: &mut L1Chain,
        mut payloads: Vec<Vec<u8>>,
        timestamp: u64,
    ) -> Vec<(Bytes, Outcome)> {
        let mut content = Vec::new();
        let blobs_count = self.parameters.is_active(Upgrade::Ecotone, timestamp);
        while !payloads.is_empty() {
            let (mut account, mut inbox) = (self.current, BATCH_INBOX);
            if self.random.chance(2) {
                account = (account + 1) % 4;
            }
            if self.random.chance(2) {
                inbox = self.random.address();
            }
            let transaction = if blobs_count && self.random.chance(60) {
                let count = self.random.between(1, payloads.len().min(4) as u64) as usize;
                let data: Vec<Vec<u8>> = payloads.drain(..count).collect();
                let hashes = data.iter().map(|data| l1.add_blob(self.blob(data))).collect();
                let calldata = if self.random.chance(10) { data[0].clone() } else { Vec::new() };
                self.accounts[account].blobs(inbox, hashes, calldata)
            } else {
                let kind = self.random.below(3);
                let data = payloads.remove(0);
                self.accounts[account].calldata(kind, TxKind::Call(inbox), data)
            };
            // Data counts whether the transaction succeeds or not.
            let outcome = Outcome { success: self.random.chance(90), logs: Vec::new() };
            content.push((transaction, outcome));
        }
        content
    }

    fn blob(&mut self, data: &[u8]) -> Box<[u8; 131_072]> {
        // The published pipeline gives up at a blob of zeros, which is what no data makes.
        let mut blob = channel::blob(if data.is_empty() { &[0] } else { data });
        if self.random.chance(3) {
            match self.random.below(4) {
                // Not a field element.
                0 => blob[32 * self.random.index(4096)] |= 0x40 << self.random.below(2),
                // Another version.
                1 => blob[1] = 1,
                // A length that no blob holds.
                2 => blob[2] = 0xff,
                // Data after the end.
                _ => blob[131_071] = 1,
            }
        }
        blob
    }

    /// What sequencer and batcher do after an L1 block.
    fn react(&mut self, world: &Shared) {
        let world = world.lock();
        let differs = self.sequencer.follow(&world.l2);
        let tip = (world.l1.tip().header.number, world.l1.tip().header.timestamp);
        let safe = world.safe().header.number;
        let random = &mut self.random;
        self.batcher.observe(random, &mut self.sequencer, safe, differs, tip.0);
        let ahead = self.parameters.slot_time * random.below(4) / 2;
        let until = (tip.1 + ahead).saturating_sub(self.parameters.slot_time);
        self.sequencer.extend(random, &self.parameters, &world.l1, &self.updates, until);
        if random.below(80) == 0 {
            self.silent_until = tip.0 + self.parameters.seq_window_size + random.below(4);
        }
        if tip.0 < self.silent_until {
            return;
        }
        while self.random.chance(60) {
            self.batcher.write(&mut self.random, &self.parameters, &self.sequencer, tip);
        }
    }
}
