//! From nodes, prestates and a folder to the trace of a game.
//!
//! ```text
//!   <folder>/game-<address>/preimages/            what programs of the game asked for
//!   <folder>/game-<address>/<context>/            traces by another program, where one is used
//!   <folder>/game-<address>/work.json             what the traces took, where that is wanted
//! ```
//!
//! Everything in the folder is a cache: whatever is read from it is verified, and it may be deleted at any time.

use super::prestate::Stored;
use super::vm::{
    Alphabets, CrossChecked, Dialect, Executions, ExternalOptions, InProcess, Limits, Loaded,
    Measured, Oracle, Progress, RunInputs, ServerCommand, StateTrace, is_note, noted,
};
use super::{
    Agreeing, Derived, GameTrace, HeaderNodes, L1Head, OutputSource, Outputs, PrestateError,
    Prestates, RollupNode, Supply, TraceError, Work,
};
use alloy_primitives::{Address, B256};
use rebut_dispute::{GameType, Proposal};
use rebut_fpvm::{Asterisc, Mips64};
use rebut_host::source::{NodeUrl, Patience, Policy, Pool, RpcNode};
use rebut_host::store::{DataFormat, DataLocation};
use rebut_host::{Host, HostConfig, LocalValues, PayloadForm, VerifyingOracle};
use rebut_program::Boot;
use rebut_program::config::{self, json};
use std::collections::BTreeMap;
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
    /// A program that is called like the deployed `cannon` or `asterisc`.
    External(ExternalProgram),
    /// Both, which have to agree on every state.
    CrossChecked(Limits, ExternalProgram),
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

/// How games of a kind are executed.
#[derive(Clone, Debug)]
pub struct Machinery {
    /// Where their absolute prestates are.
    pub prestates: Prestates,
    /// What runs them.
    pub engine: Engine,
}

/// The machine whose steps a kind of game disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Cannon,
    Asterisc,
    Alphabet,
}

impl Machine {
    const fn of(game_type: GameType) -> Result<Self, TraceError> {
        match game_type {
            GameType::CANNON | GameType::PERMISSIONED_CANNON | GameType::CANNON_KONA => {
                Ok(Self::Cannon)
            }
            GameType::ASTERISC | GameType::ASTERISC_KONA => Ok(Self::Asterisc),
            GameType::FAST | GameType::ALPHABET => Ok(Self::Alphabet),
            _ => Err(TraceError::GameType(game_type)),
        }
    }
}

/// Where traces of games come from.
#[derive(Debug)]
pub struct Setup {
    nodes: ChainNodes,
    folder: PathBuf,
    progress: Arc<Progress>,
    usual: Machinery,
    special: BTreeMap<u32, Machinery>,
    notes_work: bool,
    cannon: Cache<Mips64>,
    asterisc: Cache<Asterisc>,
}

/// Machines with the prestates that were used last.
#[derive(Debug)]
struct Cache<V: Stored>(Mutex<Vec<(B256, Loaded<V>)>>);

/// What the trace of a game depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameSetup {
    /// The game.
    pub address: Address,
    /// Its kind, which says what machine it is about.
    pub game_type: GameType,
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
    /// All games by one machinery. Nothing is connected to and nothing is read yet.
    pub fn new(
        nodes: ChainNodes,
        prestates: Prestates,
        folder: impl Into<PathBuf>,
        engine: Engine,
    ) -> Self {
        Self {
            nodes,
            folder: folder.into(),
            progress: Arc::default(),
            usual: Machinery { prestates, engine },
            special: BTreeMap::new(),
            notes_work: false,
            cannon: Cache(Mutex::default()),
            asterisc: Cache(Mutex::default()),
        }
    }

    /// Games of this kind by a machinery of their own.
    #[must_use]
    pub fn with(mut self, game_type: GameType, machinery: Machinery) -> Self {
        self.special.insert(game_type.0, machinery);
        self
    }

    /// Notes in the folder what the traces of each game take, see [`Setup::noted_work`].
    #[must_use]
    pub const fn noting_work(mut self) -> Self {
        self.notes_work = true;
        self
    }

    /// What the traces of a game took that were worked on in this folder, by whatever process; none where nothing was
    /// noted.
    pub fn noted_work(folder: &Path, game: Address) -> Option<Work> {
        noted(&folder.join(game_folder(game)))
    }

    fn machinery(&self, game_type: GameType) -> &Machinery {
        self.special.get(&game_type.0).unwrap_or(&self.usual)
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
        let executions = self.executions(game)?;
        self.over(game, executions)
    }

    /// The same for who only looks: a prestate that is not to be had is an error of the first question that needs it.
    /// Claims about outputs are judged without.
    ///
    /// # Errors
    /// [`TraceError`].
    pub fn open_to_look(&self, game: &GameSetup) -> Result<GameTrace, TraceError> {
        let executions = match self.executions(game) {
            Err(TraceError::Setup(why)) => Box::new(NoExecutions(why.to_string())),
            executions => executions?,
        };
        self.over(game, executions)
    }

    /// Deletes what is cached for a game, and leaves the note on its work. What cannot be deleted stays, and is said.
    pub fn forget(&self, game: Address) {
        let folder = self.folder.join(game_folder(game));
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        for entry in entries.flatten().filter(|entry| !is_note(&entry.file_name())) {
            let path = entry.path();
            let deleted = match entry.file_type() {
                Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(&path),
                _ => std::fs::remove_file(&path),
            };
            if let Err(error) = deleted {
                tracing::warn!(path = %path.display(), %error, "a cache that nobody needs stays");
            }
        }
    }

    fn game_folder(&self, game: &GameSetup) -> PathBuf {
        self.folder.join(game_folder(game.address))
    }

    /// The trace of a game over these executions.
    fn over(
        &self,
        game: &GameSetup,
        executions: Box<dyn Executions>,
    ) -> Result<GameTrace, TraceError> {
        let folder = self.game_folder(game);
        let noted = self.notes_work.then_some(folder.as_path());
        let executions = Box::new(Measured::new(executions, game.game_type.to_string(), noted));
        let mut sources: Vec<Box<dyn OutputSource>> = Vec::new();
        for url in &self.nodes.rollup {
            let node = RollupNode::new(url.clone(), Some(game.chain_id), &self.nodes.policy);
            sources.push(Box::new(node));
        }
        if self.nodes.derive {
            sources.push(Box::new(self.derivation(game)?));
        }
        let outputs = Outputs::new(Box::new(Agreeing::new(sources)), game.l1_head);
        let ChainNodes { l2, policy, .. } = &self.nodes;
        let headers = Box::new(HeaderNodes::new(l2.clone(), game.chain_id, policy));
        let mut trace = GameTrace::new(outputs, headers, executions, game.chain_id);
        trace.check_starting(game.starting)?;
        Ok(trace)
    }

    /// Looks for the absolute prestate of a kind of game: where it is, in words.
    ///
    /// # Errors
    /// [`TraceError`] where it is not to be had.
    pub fn find_prestate(&self, game_type: GameType, hash: B256) -> Result<String, TraceError> {
        let prestates = &self.machinery(game_type).prestates;
        let file = match Machine::of(game_type)? {
            Machine::Cannon => prestates.get::<Mips64>(hash).map(|found| found.file),
            Machine::Asterisc => prestates.get::<Asterisc>(hash).map(|found| found.file),
            Machine::Alphabet => {
                return alphabet(hash).map(|_| "the contract of its machine".to_owned());
            }
        };
        file.map(|file| file.display().to_string()).map_err(setup)
    }

    /// Looks at what prestates of a kind of game there are, before any game asks for one. None where it needs none.
    ///
    /// # Errors
    /// [`PrestateError`] where what is named is not readable.
    pub fn prestate_supply(&self, game_type: GameType) -> Result<Option<Supply>, PrestateError> {
        let prestates = &self.machinery(game_type).prestates;
        match Machine::of(game_type) {
            Ok(Machine::Cannon) => prestates.supply::<Mips64>().map(Some),
            Ok(Machine::Asterisc) => prestates.supply::<Asterisc>().map(Some),
            Ok(Machine::Alphabet) | Err(_) => Ok(None),
        }
    }

    fn executions(&self, game: &GameSetup) -> Result<Box<dyn Executions>, TraceError> {
        match Machine::of(game.game_type)? {
            Machine::Cannon => self.by(&self.cannon, Dialect::CANNON, game),
            Machine::Asterisc => self.by(&self.asterisc, Dialect::ASTERISC, game),
            Machine::Alphabet => Ok(Box::new(alphabet(game.absolute_prestate)?)),
        }
    }

    /// Executions by whatever runs games of this kind.
    fn by<V: Stored>(
        &self,
        cache: &Cache<V>,
        dialect: Dialect,
        game: &GameSetup,
    ) -> Result<Box<dyn Executions>, TraceError> {
        let folder = self.game_folder(game);
        let Machinery { prestates, engine } = self.machinery(game.game_type);
        let in_process = |limits: Limits| -> Result<Box<dyn Executions>, TraceError> {
            let vm = cache.get(game.absolute_prestate, prestates).map_err(setup)?;
            let (nodes, store) = (self.nodes.clone(), folder.join("preimages"));
            let oracles =
                move |inputs: &RunInputs| host(&nodes, &store, inputs.boot, inputs.agreed_l2_head);
            Ok(Box::new(InProcess::new(vm, limits, Arc::clone(&self.progress), oracles)))
        };
        let external = |external: &ExternalProgram| -> Result<Box<dyn Executions>, TraceError> {
            let found = prestates.get::<V>(game.absolute_prestate).map_err(setup)?;
            Ok(Box::new(ExternalOptions {
                program: external.program.clone(),
                dialect,
                prestate: found.file,
                absolute_prestate: game.absolute_prestate,
                folder: folder.clone(),
                snapshot_distance: external.snapshot_distance,
                info_distance: external.info_distance,
                time_limit: external.time_limit,
                progress: Arc::clone(&self.progress),
                server: Arc::clone(&external.server),
            }))
        };
        match engine {
            Engine::InProcess(limits) => in_process(*limits),
            Engine::External(program) => external(program),
            Engine::CrossChecked(limits, program) => {
                Ok(Box::new(CrossChecked::new(in_process(*limits)?, external(program)?)))
            }
        }
    }

    /// Our own derivation of the game's blocks.
    fn derivation(&self, game: &GameSetup) -> Result<Derived, TraceError> {
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
        let oracle = host(nodes, &self.game_folder(game).join("preimages"), boot, agreed)?;
        Ok(Derived::new(oracle, config, boot))
    }
}

/// Executions that cannot be prepared, and why.
struct NoExecutions(String);

impl Executions for NoExecutions {
    fn open(&mut self, _: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        Err(TraceError::Setup(self.0.clone().into()))
    }
}

impl<V: Stored> Cache<V> {
    /// The machine with this prestate; those used last stay loaded.
    fn get(&self, hash: B256, prestates: &Prestates) -> Result<Loaded<V>, PrestateError> {
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = loaded.iter().position(|(known, _)| *known == hash) {
            let entry = loaded.remove(place);
            let vm = entry.1.clone();
            loaded.push(entry);
            return Ok(vm);
        }
        let vm = Loaded::new(prestates.get(hash)?.state);
        if loaded.len() >= LOADED_PRESTATES {
            loaded.remove(0);
        }
        loaded.push((hash, vm.clone()));
        Ok(vm)
    }
}

fn game_folder(game: Address) -> String {
    format!("game-{game}")
}

/// Executions of the short program, in a game that starts as it does.
fn alphabet(absolute_prestate: B256) -> Result<Alphabets, TraceError> {
    let found = Alphabets::prestate();
    if absolute_prestate == found {
        return Ok(Alphabets);
    }
    let place = "the contract of its machine".to_owned();
    Err(setup(PrestateError::Mismatch { place, found, wanted: absolute_prestate }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_games_are_about_one_machine_or_refused_by_name() {
        let check = |number, want| match (Machine::of(GameType(number)), want) {
            (Ok(found), Ok(want)) => assert_eq!(found, want, "{number}"),
            (found, want) => assert_eq!(
                found.map_err(|error| error.to_string()),
                want.map_err(|name: &str| format!("{name} games are not played")),
            ),
        };
        for cannon in [0, 1, 8] {
            check(cannon, Ok(Machine::Cannon));
        }
        for asterisc in [2, 3] {
            check(asterisc, Ok(Machine::Asterisc));
        }
        for alphabet in [254, 255] {
            check(alphabet, Ok(Machine::Alphabet));
        }
        check(4, Err("super-cannon"));
        check(5, Err("super-permissioned"));
        check(7, Err("super-asterisc-kona"));
        check(9, Err("super-cannon-kona"));
        check(10, Err("zk"));
        check(6, Err("op-succinct"));
        check(1337, Err("kailua"));
        check(77, Err("type 77"));
    }

    #[test]
    fn a_forgotten_game_leaves_the_note_on_its_work() {
        let folder = tempfile::tempdir().expect("a folder");
        let prestates = Prestates::named(folder.path().join("prestates"), None).expect("a folder");
        let setup = Setup::new(
            ChainNodes::default(),
            prestates,
            folder.path(),
            Engine::InProcess(Limits::default()),
        );
        let [over, other] = [1, 2].map(Address::repeat_byte);
        let file = |game: Address, name: &str| folder.path().join(game_folder(game)).join(name);
        let names = ["preimages/ab/key", "0x12/proofs/1.json", "loose", "work.json"];
        for (game, name) in [over, other].iter().flat_map(|game| names.map(|name| (*game, name))) {
            let file = file(game, name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, "x").expect("a file");
        }
        setup.forget(over);
        setup.forget(over);
        setup.forget(Address::repeat_byte(3));
        for name in names {
            assert_eq!(file(over, name).exists(), name == "work.json", "{name}");
            assert!(file(other, name).exists(), "{name}");
        }
        let left = std::fs::read_dir(folder.path().join(game_folder(over))).expect("a folder");
        assert_eq!(left.count(), 1);
    }

    /// Expected: the hash of four zero words by the `cast keccak` of Foundry, with the status 3.
    #[test]
    fn a_game_of_the_short_program_names_its_prestate() {
        let want = "0x032893657d8eb2efad4de0a91bcd0e39ad9837745dec3ea923737ea803fc8e3d";
        assert!(alphabet(want.parse().expect("a hash")).is_ok());
        assert!(alphabet(B256::ZERO).is_err());
    }
}
