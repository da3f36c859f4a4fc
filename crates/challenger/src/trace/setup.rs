//! From nodes, prestates and a folder to the trace of a game.
//!
//! ```text
//!   <folder>/game-<address>/preimages/            what programs of the game asked for
//!   <folder>/game-<address>/<context>/            traces by another program, where one is used
//! ```
//!
//! Everything in the folder is a cache: whatever is read from it is verified, and it may be deleted at any time.

use super::vm::{
    Executions, ExternalOptions, InProcess, Limits, Loaded, Oracle, Progress, RunInputs,
    ServerCommand,
};
use super::{
    Agreeing, Derived, GameTrace, HeaderNodes, L1Head, OutputSource, Outputs, Prestates,
    RollupNode, TraceError,
};
use alloy_primitives::{Address, B256};
use rebut_dispute::Proposal;
use rebut_fpvm::Mips64;
use rebut_host::source::{NodeUrl, Patience, Policy, Pool, RpcNode};
use rebut_host::store::{DataFormat, DataLocation};
use rebut_host::{Host, HostConfig, LocalValues, PayloadForm, VerifyingOracle};
use rebut_program::Boot;
use rebut_program::config::{self, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Prestates that are kept loaded.
const LOADED_PRESTATES: usize = 5;

/// The nodes of a chain, and its parameters where no registry has them.
#[derive(Clone, Debug, Default)]
pub struct ChainNodes {
    /// Execution nodes of L1, the preferred one first.
    pub l1: Vec<NodeUrl>,
    /// Beacon nodes of L1.
    pub l1_beacon: Vec<NodeUrl>,
    /// Execution nodes of L2.
    pub l2: Vec<NodeUrl>,
    /// Rollup nodes, all of which have to say the same.
    pub rollup: Vec<NodeUrl>,
    /// Derive outputs here as well: alone where there is no rollup node, else beside them.
    pub derive: bool,
    /// The L1 chain that the nodes must serve, where it is known.
    pub l1_chain_id: Option<u64>,
    /// The rollup configuration, as op-node writes it.
    pub rollup_config: Option<Vec<u8>>,
    /// The L1 chain's configuration, as in a geth genesis.
    pub l1_config: Option<Vec<u8>>,
    /// How patiently nodes are asked.
    pub policy: Policy,
}

/// What runs the program.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The machine of this process.
    InProcess(Limits),
    /// A program that is called like the deployed `cannon`.
    External(ExternalProgram),
}

/// A program like `cannon`, and the preimage server that it starts.
#[derive(Clone)]
pub struct ExternalProgram {
    /// The program.
    pub program: PathBuf,
    /// Steps between two snapshots.
    pub snapshot_distance: u64,
    /// Steps between two lines of its log.
    pub info_distance: u64,
    /// Most time of one run.
    pub time_limit: Option<Duration>,
    /// The server's command for a trace.
    pub server: ServerCommand,
}

impl std::fmt::Debug for ExternalProgram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExternalProgram").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Where traces of games come from.
#[derive(Debug)]
pub struct Setup {
    nodes: ChainNodes,
    prestates: Prestates,
    folder: PathBuf,
    engine: Engine,
    progress: Arc<Progress>,
    loaded: Mutex<Vec<(B256, Loaded<Mips64>)>>,
}

/// What the trace of a game depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameSetup {
    /// The game.
    pub address: Address,
    /// The L1 block up to which data counts.
    pub l1_head: L1Head,
    /// What everybody agrees on.
    pub starting: Proposal,
    /// The L2 block that the root claim is about.
    pub l2_sequence_number: u64,
    /// The state that programs start from.
    pub absolute_prestate: B256,
    /// The L2 chain.
    pub chain_id: u64,
}

impl Setup {
    /// Nothing is connected to and nothing is read yet.
    pub fn new(
        nodes: ChainNodes,
        prestates: Prestates,
        folder: impl Into<PathBuf>,
        engine: Engine,
    ) -> Self {
        let (progress, loaded) = (Arc::default(), Mutex::default());
        Self { nodes, prestates, folder: folder.into(), engine, progress, loaded }
    }

    /// Where the machine of this process is, and a way to end its runs.
    pub const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// The trace of a game. Fails where the game cannot be played: its prestate is not to be had, or its starting
    /// output is not the one of its block.
    ///
    /// # Errors
    /// [`TraceError`].
    pub fn open(&self, game: &GameSetup) -> Result<GameTrace, TraceError> {
        let folder = self.folder.join(format!("game-{}", game.address));
        let executions = self.executions(game, &folder)?;
        let mut sources: Vec<Box<dyn OutputSource>> = Vec::new();
        for url in &self.nodes.rollup {
            let node = RollupNode::new(url.clone(), game.chain_id, &self.nodes.policy);
            sources.push(Box::new(node));
        }
        if self.nodes.derive {
            sources.push(Box::new(self.derivation(game, &folder)?));
        }
        let outputs = Outputs::new(Box::new(Agreeing::new(sources)), game.l1_head);
        let ChainNodes { l2, policy, .. } = &self.nodes;
        let headers = Box::new(HeaderNodes::new(l2.clone(), game.chain_id, policy));
        let mut trace = GameTrace::new(outputs, headers, executions, game.chain_id);
        trace.check_starting(game.starting)?;
        Ok(trace)
    }

    fn executions(
        &self,
        game: &GameSetup,
        folder: &Path,
    ) -> Result<Box<dyn Executions>, TraceError> {
        Ok(match &self.engine {
            Engine::InProcess(limits) => {
                let vm = self.machine(game.absolute_prestate)?;
                let (nodes, store) = (self.nodes.clone(), folder.join("preimages"));
                let oracles = move |inputs: &RunInputs| {
                    host(&nodes, &store, inputs.boot, inputs.agreed_l2_head)
                };
                Box::new(InProcess::new(vm, *limits, Arc::clone(&self.progress), oracles))
            }
            Engine::External(external) => {
                let found = self.prestates.get(game.absolute_prestate).map_err(setup)?;
                Box::new(ExternalOptions {
                    program: external.program.clone(),
                    prestate: found.file,
                    folder: folder.to_owned(),
                    snapshot_distance: external.snapshot_distance,
                    info_distance: external.info_distance,
                    time_limit: external.time_limit,
                    server: Arc::clone(&external.server),
                })
            }
        })
    }

    /// The machine with this prestate; those used last stay loaded.
    fn machine(&self, hash: B256) -> Result<Loaded<Mips64>, TraceError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = loaded.iter().position(|(known, _)| *known == hash) {
            let entry = loaded.remove(place);
            let vm = entry.1.clone();
            loaded.push(entry);
            return Ok(vm);
        }
        let vm = Loaded::new(self.prestates.get(hash).map_err(setup)?.state);
        if loaded.len() >= LOADED_PRESTATES {
            loaded.remove(0);
        }
        loaded.push((hash, vm.clone()));
        Ok(vm)
    }

    /// Our own derivation of the game's blocks.
    fn derivation(&self, game: &GameSetup, folder: &Path) -> Result<Derived, TraceError> {
        let nodes = &self.nodes;
        let number = game.starting.l2_sequence_number;
        let node =
            |url: &NodeUrl| RpcNode::new(url.clone(), Some(game.chain_id), &[], &nodes.policy);
        let pool = Pool::new(nodes.l2.iter().map(node).collect(), nodes.policy.clone());
        // The output root that the game starts from decides whether this is the right block.
        let wanted = format!("the hash of L2 block {number}");
        let agreed = pool
            .fetch(wanted, Patience::Rounds, |node| Ok(rebut_host::block_hash_at(node, number)?))?;
        let boot = Boot {
            l1_head: game.l1_head.hash,
            agreed_output: game.starting.root,
            // Only the number counts here.
            claimed_output: B256::ZERO,
            claimed_number: game.l2_sequence_number,
            chain_id: game.chain_id,
        };
        let config = match &nodes.rollup_config {
            Some(rollup) => json::read(rollup, nodes.l1_config.as_deref()).map_err(setup)?,
            None => config::find(&[], game.chain_id).map_err(setup)?,
        };
        let oracle = host(nodes, &folder.join("preimages"), boot, agreed)?;
        Ok(Derived::new(oracle, config, boot))
    }
}

fn setup(error: impl std::error::Error + Send + Sync + 'static) -> TraceError {
    TraceError::Setup(Box::new(error))
}

/// A host for one run of the program, over the store of its game.
fn host(
    nodes: &ChainNodes,
    store: &Path,
    boot: Boot,
    agreed_l2_head: B256,
) -> Result<Oracle, TraceError> {
    let config = HostConfig {
        local: LocalValues {
            boot,
            rollup_config: nodes.rollup_config.clone(),
            l1_config: nodes.l1_config.clone(),
        },
        agreed_l2_head,
        l1: nodes.l1.clone(),
        l1_beacon: nodes.l1_beacon.clone(),
        l2: nodes.l2.clone(),
        l1_chain_id: nodes.l1_chain_id,
        payload_form: PayloadForm::WithGas,
        policy: nodes.policy.clone(),
    };
    let location = DataLocation::Disk { path: store.to_owned(), format: DataFormat::Directory };
    let host = Host::new(config, location.open().map_err(TraceError::Store)?);
    Ok(Box::new(VerifyingOracle(host)))
}
