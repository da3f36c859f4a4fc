//! Flags that say where the truth about a game comes from.

use super::flags::L1Arguments;
use anyhow::{Context, bail};
use rebut_challenger::trace::vm::Limits;
use rebut_challenger::trace::{ChainNodes, Engine, Prestates, Setup};
use rebut_host::source::{NodeUrl, Policy};
use std::path::PathBuf;

/// Nodes, prestates, caches.
#[derive(clap::Args)]
pub struct TraceArguments {
    /// Beacon node of L1.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    l1_beacon: Vec<NodeUrl>,
    /// Execution nodes of L2.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub l2_eth_rpc: Vec<NodeUrl>,
    /// Rollup nodes. All of them have to say the same.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub rollup_rpc: Vec<NodeUrl>,
    /// Derive outputs in this process as well: beside rollup nodes, or instead of them.
    #[arg(long)]
    derive: bool,
    /// Folder for caches.
    #[arg(long, value_name = "FOLDER")]
    datadir: PathBuf,
    /// Absolute prestate of all games.
    #[arg(
        long,
        visible_alias = "cannon-kona-prestate",
        value_name = "FILE",
        conflicts_with = "prestates_url"
    )]
    cannon_prestate: Option<PathBuf>,
    /// Where absolute prestates are, by their hashes: an http, https or file address.
    #[arg(long, visible_aliases = ["cannon-prestates-url", "cannon-kona-prestates-url"], value_name = "URL")]
    prestates_url: Option<String>,
    /// The rollup configuration, where no registry has it.
    #[arg(long, visible_aliases = ["cannon-rollup-config", "cannon-kona-rollup-config"], value_name = "FILE")]
    rollup_config: Option<PathBuf>,
    /// The L1 chain's genesis, where L1 is no public chain.
    #[arg(long, visible_aliases = ["cannon-l1-genesis", "cannon-kona-l1-genesis"], value_name = "FILE")]
    l1_genesis: Option<PathBuf>,
}

impl TraceArguments {
    /// Where prestates are.
    pub fn prestates(&self) -> anyhow::Result<Prestates> {
        Ok(match &self.cannon_prestate {
            Some(file) => Prestates::file(file),
            None => {
                let folder = self.datadir.join("cannon-prestates");
                Prestates::named(folder, self.prestates_url.as_deref())?
            }
        })
    }

    /// Where traces come from.
    pub fn open(&self, l1: &L1Arguments) -> anyhow::Result<Setup> {
        if self.rollup_rpc.is_empty() && !self.derive {
            bail!("give --rollup-rpc, or --derive");
        }
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
        let engine = Engine::InProcess(Limits::default());
        Ok(Setup::new(nodes, self.prestates()?, &self.datadir, engine))
    }
}
