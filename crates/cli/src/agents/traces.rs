//! Flags that say where the truth about a game comes from.

use super::flags::{L1Arguments, duration};
use alloy_primitives::Address;
use anyhow::{Context, anyhow, bail};
use rebut_challenger::trace::vm::Limits;
use rebut_challenger::trace::{
    ChainNodes, Engine, ExternalProgram, Machinery, PreimageServer, Prestates, ServerForm, Setup,
    Supply, Work,
};
use rebut_dispute::GameType;
use rebut_host::source::{NodeUrl, Policy};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Nodes, prestates, engines, caches.
#[derive(clap::Args)]
pub struct TraceArguments {
    /// Beacon nodes of L1, separated by commas.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    l1_beacon: Vec<NodeUrl>,
    /// Execution nodes of L2, separated by commas.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub l2_eth_rpc: Vec<NodeUrl>,
    /// Rollup nodes (op-node), separated by commas, with a safe-head database. All of them have to say the same.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub rollup_rpc: Vec<NodeUrl>,
    /// Derive outputs in this process as well: beside rollup nodes, or instead of them.
    #[arg(long)]
    derive: bool,
    /// Folder for caches.
    #[arg(long, value_name = "FOLDER")]
    datadir: Option<PathBuf>,
    #[command(flatten)]
    prestates: PrestateArguments,
    #[command(flatten)]
    engines: EngineArguments,
    /// The rollup configuration, where no registry has it.
    #[arg(long, visible_aliases = ["cannon-rollup-config", "cannon-kona-rollup-config", "asterisc-rollup-config", "asterisc-kona-rollup-config"], value_name = "FILE")]
    rollup_config: Option<PathBuf>,
    /// The L2 chain's genesis, for preimage servers with the flags of op-program.
    #[arg(long, visible_aliases = ["cannon-l2-genesis", "cannon-kona-l2-genesis", "asterisc-l2-genesis"], value_name = "FILE")]
    l2_genesis: Option<PathBuf>,
    /// The L1 chain's genesis, where L1 is no public chain.
    #[arg(long, visible_aliases = ["cannon-l1-genesis", "cannon-kona-l1-genesis", "asterisc-l1-genesis"], value_name = "FILE")]
    l1_genesis: Option<PathBuf>,
}

/// Where absolute prestates are. A file serves all games of its kinds and no others; addresses serve those that games
/// ask for, by their hashes.
#[derive(clap::Args)]
struct PrestateArguments {
    /// Absolute prestate of games of the types cannon and permissioned.
    #[arg(long, value_name = "FILE")]
    cannon_prestate: Option<PathBuf>,
    /// Absolute prestate of games of the type cannon-kona.
    #[arg(long, value_name = "FILE")]
    cannon_kona_prestate: Option<PathBuf>,
    /// Absolute prestate of games of the type asterisc.
    #[arg(long, value_name = "FILE")]
    asterisc_prestate: Option<PathBuf>,
    /// Absolute prestate of games of the type asterisc-kona.
    #[arg(long, value_name = "FILE")]
    asterisc_kona_prestate: Option<PathBuf>,
    /// Where absolute prestates are, by their hashes: an http, https or file address.
    #[arg(long, value_name = "URL")]
    prestates_url: Option<String>,
    /// The same for games of the types cannon and permissioned.
    #[arg(long, value_name = "URL")]
    cannon_prestates_url: Option<String>,
    /// The same for games of the type cannon-kona.
    #[arg(long, value_name = "URL")]
    cannon_kona_prestates_url: Option<String>,
    /// The same for games of the type asterisc.
    #[arg(long, value_name = "URL")]
    asterisc_prestates_url: Option<String>,
    /// The same for games of the type asterisc-kona.
    #[arg(long, value_name = "URL")]
    asterisc_kona_prestates_url: Option<String>,
}

/// What runs programs. Without a program named here it is the machine of this process.
#[derive(clap::Args)]
struct EngineArguments {
    /// Run Cannon by this program, called like the deployed cannon.
    #[arg(long, value_name = "FILE")]
    cannon_bin: Option<PathBuf>,
    /// Its preimage server in games of the types cannon and permissioned, with the flags of op-program.
    #[arg(long, value_name = "FILE")]
    cannon_server: Option<PathBuf>,
    /// Its preimage server in games of the type cannon-kona, with the flags of kona-host.
    #[arg(long, value_name = "FILE")]
    cannon_kona_server: Option<PathBuf>,
    /// Steps between two of its snapshots.
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000)]
    cannon_snapshot_freq: u64,
    /// Steps between two lines of its log.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    cannon_info_freq: u64,
    /// Run Asterisc by this program, called like the deployed asterisc.
    #[arg(long, value_name = "FILE")]
    asterisc_bin: Option<PathBuf>,
    /// Its preimage server in games of the type asterisc, with the flags of op-program.
    #[arg(long, value_name = "FILE")]
    asterisc_server: Option<PathBuf>,
    /// Its preimage server in games of the type asterisc-kona, with the flags of kona-host.
    #[arg(long, value_name = "FILE")]
    asterisc_kona_server: Option<PathBuf>,
    /// Steps between two of its snapshots.
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000)]
    asterisc_snapshot_freq: u64,
    /// Steps between two lines of its log.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    asterisc_info_freq: u64,
    /// Most time of one run of such a program; 0 for no limit.
    #[arg(long, value_name = "DURATION", default_value = "3h", value_parser = duration)]
    vm_timeout: Duration,
    /// Believe such a program only where the machine of this process has the same.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    vm_cross_check: bool,
}

/// Kinds of games with prestates and servers of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Cannon,
    CannonKona,
    Asterisc,
    AsteriscKona,
}

impl Family {
    const ALL: [Self; 4] = [Self::Cannon, Self::CannonKona, Self::Asterisc, Self::AsteriscKona];

    const fn name(self) -> &'static str {
        match self {
            Self::Cannon => "cannon",
            Self::CannonKona => "cannon-kona",
            Self::Asterisc => "asterisc",
            Self::AsteriscKona => "asterisc-kona",
        }
    }

    const fn types(self) -> &'static [GameType] {
        match self {
            Self::Cannon => &[GameType::CANNON, GameType::PERMISSIONED_CANNON],
            Self::CannonKona => &[GameType::CANNON_KONA],
            Self::Asterisc => &[GameType::ASTERISC],
            Self::AsteriscKona => &[GameType::ASTERISC_KONA],
        }
    }

    const fn server_form(self) -> ServerForm {
        match self {
            Self::Cannon | Self::Asterisc => ServerForm::OpProgram,
            Self::CannonKona | Self::AsteriscKona => ServerForm::Kona,
        }
    }
}

/// Where traces come from, with a folder that is gone when they are, where none was named.
pub struct OpenTraces {
    /// The traces.
    pub setup: Setup,
    _scratch: Option<TempDir>,
}

impl OpenTraces {
    /// Looks at the prestates of these types of games before any game asks for one. Fails where what is named is not
    /// there, and warns where nothing is.
    pub fn check_prestates(&self, game_types: &[u32]) -> anyhow::Result<()> {
        for family in Family::ALL {
            let played = family.types().iter().find(|known| game_types.contains(&known.0));
            let Some(game_type) = played else { continue };
            let name = family.name();
            let supply = self.setup.prestate_supply(*game_type).map_err(|error| {
                anyhow!(
                    "no prestate for {name} games: {error}; give the right --{name}-prestate or --prestates-url, or leave {name} out of --game-types"
                )
            })?;
            match supply {
                Some(Supply::One(hash)) => {
                    tracing::info!(prestate = %hash, "{name} games with this prestate can be played");
                }
                Some(Supply::None { folder }) => tracing::warn!(
                    "no {name} game can be played: give --{name}-prestate or --prestates-url, or put prestates into {}",
                    folder.display()
                ),
                Some(Supply::ByHash) | None => {}
            }
        }
        Ok(())
    }
}

impl TraceArguments {
    /// Whether there is anything to ask about outputs.
    pub fn has_source(&self) -> bool {
        self.derive || !self.rollup_rpc.is_empty()
    }

    /// Fails without anything to ask about outputs.
    pub fn check_sources(&self) -> anyhow::Result<()> {
        if !self.has_source() {
            bail!("give --rollup-rpc, or --derive");
        }
        Ok(())
    }

    /// What the traces of a game took so far in the folder for caches, where an agent has noted it there.
    pub fn noted_work(&self, game: Address) -> Option<Work> {
        Setup::noted_work(self.datadir.as_deref()?, game)
    }

    /// The folder for caches.
    pub fn folder(&self) -> anyhow::Result<&Path> {
        self.datadir.as_deref().context("give --datadir")
    }

    /// Where traces of games of these types come from; on `network`, where it has a name.
    pub fn open(
        &self,
        l1: &L1Arguments,
        network: Option<&str>,
        game_types: &[u32],
    ) -> anyhow::Result<OpenTraces> {
        let read = |path: &Option<PathBuf>| {
            let path = path.as_ref();
            path.map(|path| {
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
            })
            .transpose()
        };
        let nodes = ChainNodes {
            l1: vec![l1.l1_eth_rpc.parse()?],
            l1_beacon: self.l1_beacon.clone(),
            l2: self.l2_eth_rpc.clone(),
            rollup: self.rollup_rpc.clone(),
            derive: self.derive,
            l1_chain_id: None,
            rollup_config: read(&self.rollup_config)?,
            l1_config: read(&self.l1_genesis)?,
            policy: Policy::default(),
        };
        let (folder, scratch) = match &self.datadir {
            Some(folder) => (folder.clone(), None),
            None => {
                let scratch = TempDir::new().context("cannot make a temporary folder")?;
                (scratch.path().to_owned(), Some(scratch))
            }
        };
        let usual = Engine::InProcess(Limits::default());
        let prestates = self.prestates.of(Family::Cannon, &folder)?;
        let mut setup = Setup::new(nodes.clone(), prestates, &folder, usual.clone());
        for family in Family::ALL {
            let prestates = self.prestates.of(family, &folder)?;
            for game_type in family.types() {
                let engine = match game_types.contains(&game_type.0) {
                    true => self.engine(family, &nodes, network)?,
                    false => usual.clone(),
                };
                let prestates = prestates.clone();
                setup = setup.with(*game_type, Machinery { prestates, engine });
            }
        }
        Ok(OpenTraces { setup, _scratch: scratch })
    }

    fn engine(
        &self,
        family: Family,
        nodes: &ChainNodes,
        network: Option<&str>,
    ) -> anyhow::Result<Engine> {
        let own = &self.engines;
        let limits = Limits::default();
        let (program, snapshot_distance, info_distance) = match family {
            Family::Cannon | Family::CannonKona => {
                (&own.cannon_bin, own.cannon_snapshot_freq, own.cannon_info_freq)
            }
            Family::Asterisc | Family::AsteriscKona => {
                (&own.asterisc_bin, own.asterisc_snapshot_freq, own.asterisc_info_freq)
            }
        };
        let Some(program) = program.clone() else { return Ok(Engine::InProcess(limits)) };
        let server = match family {
            Family::Cannon => &own.cannon_server,
            Family::CannonKona => &own.cannon_kona_server,
            Family::Asterisc => &own.asterisc_server,
            Family::AsteriscKona => &own.asterisc_kona_server,
        };
        let name = family.name();
        let server = server.clone().with_context(|| {
            format!("{} needs --{name}-server in {name} games", program.display())
        })?;
        if snapshot_distance == 0 || info_distance == 0 {
            bail!("neither snapshots nor lines of the log may be 0 steps apart");
        }
        let form = family.server_form();
        let has_config = self.rollup_config.is_some() && self.l2_genesis.is_some();
        if form == ServerForm::OpProgram && network.is_none() && !has_config {
            bail!("{} needs --network, or --rollup-config and --l2-genesis", server.display());
        }
        let server = PreimageServer {
            program: server,
            form,
            nodes: nodes.clone(),
            network: network.map(ToOwned::to_owned),
            rollup_config: self.rollup_config.clone(),
            l2_genesis: self.l2_genesis.clone(),
            l1_config: self.l1_genesis.clone(),
        };
        let external = ExternalProgram {
            program,
            snapshot_distance,
            info_distance,
            time_limit: Some(own.vm_timeout).filter(|limit| !limit.is_zero()),
            server: server.into_command(),
        };
        Ok(match own.vm_cross_check {
            true => Engine::CrossChecked(limits, external),
            false => Engine::External(external),
        })
    }
}

impl PrestateArguments {
    fn of(&self, family: Family, folder: &Path) -> anyhow::Result<Prestates> {
        let (file, url) = match family {
            Family::Cannon => (&self.cannon_prestate, &self.cannon_prestates_url),
            Family::CannonKona => (&self.cannon_kona_prestate, &self.cannon_kona_prestates_url),
            Family::Asterisc => (&self.asterisc_prestate, &self.asterisc_prestates_url),
            Family::AsteriscKona => {
                (&self.asterisc_kona_prestate, &self.asterisc_kona_prestates_url)
            }
        };
        Ok(match file {
            Some(file) => Prestates::file(file),
            None => {
                let url = url.as_ref().or(self.prestates_url.as_ref());
                let folder = folder.join(format!("{}-prestates", family.name()));
                Prestates::named(folder, url.map(String::as_str))?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        l1: L1Arguments,
        #[command(flatten)]
        traces: TraceArguments,
    }

    #[test]
    fn programs_need_their_servers() {
        let check = |flags: &str, network: Option<&str>, types: &[u32], want: Result<(), &str>| {
            let flags = format!("x --l1-eth-rpc http://l1 {flags}");
            let command = Command::try_parse_from(flags.split_whitespace()).expect("flags");
            let found = command.traces.open(&command.l1, network, types);
            match (found.map(drop).map_err(|error| error.to_string()), want) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(want)) => assert!(error.contains(want), "{error}"),
                (found, want) => panic!("{flags}: {found:?}, not {want:?}"),
            }
        };
        check("", None, &[0, 1, 2, 3, 8], Ok(()));
        check("--cannon-bin c", None, &[2, 3], Ok(()));
        check("--cannon-bin c", None, &[8], Err("--cannon-kona-server"));
        check("--cannon-bin c", None, &[1], Err("--cannon-server"));
        check("--asterisc-bin a", None, &[2], Err("--asterisc-server"));
        check("--asterisc-bin a", None, &[3], Err("--asterisc-kona-server"));
        check("--cannon-bin c --cannon-kona-server k", None, &[8], Ok(()));
        let op_program = "--cannon-bin c --cannon-server s";
        check(op_program, None, &[0], Err("--network"));
        check(op_program, Some("op-mainnet"), &[0], Ok(()));
        let zero = "--cannon-bin c --cannon-kona-server k --cannon-snapshot-freq 0";
        check(zero, None, &[8], Err("0 steps"));
    }
}
