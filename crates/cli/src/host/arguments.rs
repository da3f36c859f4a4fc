//! Flags of every command that gets its data from nodes: what is claimed, and where data is.

use crate::files;
use crate::values::hash;
use alloy_primitives::B256;
use rebut_host::{
    ChainIds, Host, HostConfig, LocalValues, PayloadForm, l1_chain_id,
    source::{NodeUrl, Policy},
    store::{DataFormat, DataLocation},
};
use rebut_preimage::LOCAL_VALUE_LIMIT_BYTES;
use rebut_program::{Boot, config};
use std::path::{Path, PathBuf};

/// What is claimed, about which chain. All of it is needed, unless a command has it from elsewhere.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ClaimArguments {
    /// Hash of the last L1 block whose data counts.
    #[arg(long, env = "L1_HEAD", value_name = "HASH", value_parser = hash)]
    pub l1_head: Option<B256>,
    /// Hash of the L2 block of the agreed output root.
    #[arg(long, visible_alias = "l2-head", env = "AGREED_L2_HEAD_HASH", value_name = "HASH", value_parser = hash)]
    pub agreed_l2_head_hash: Option<B256>,
    /// The output root that both sides agree on.
    #[arg(
        long,
        visible_alias = "l2-output-root",
        env = "AGREED_L2_OUTPUT_ROOT",
        value_name = "ROOT", value_parser = hash)]
    pub agreed_l2_output_root: Option<B256>,
    /// The output root in dispute.
    #[arg(long, visible_alias = "l2-claim", env = "CLAIMED_L2_OUTPUT_ROOT", value_name = "ROOT", value_parser = hash)]
    pub claimed_l2_output_root: Option<B256>,
    /// The number of the L2 block that the claim is about.
    #[arg(
        long,
        visible_alias = "l2-block-number",
        env = "CLAIMED_L2_BLOCK_NUMBER",
        value_name = "N"
    )]
    pub claimed_l2_block_number: Option<u64>,
    #[command(flatten)]
    pub chain: ChainArguments,
}

/// Which chain.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ChainArguments {
    /// Id of an L2 chain whose parameters the program knows.
    #[arg(long, env = "L2_CHAIN_ID", value_name = "ID", conflicts_with = "rollup_config_path")]
    pub l2_chain_id: Option<u64>,
    /// The L2 chain's parameters, as op-node writes them.
    #[arg(long, visible_alias = "rollup-cfg", env = "ROLLUP_CONFIG_PATH", value_name = "FILE")]
    pub rollup_config_path: Option<PathBuf>,
    /// The L1 chain's parameters, as in a geth genesis.
    #[arg(long, visible_alias = "l1-cfg", env = "L1_CONFIG_PATH", value_name = "FILE")]
    pub l1_config_path: Option<PathBuf>,
}

/// Where data comes from, and where it is kept.
#[derive(Clone, Debug, clap::Args)]
pub struct SourceArguments {
    /// Execution nodes of L2, the preferred one first. They need the debug namespace, and the state by
    /// hash.
    #[arg(
        long,
        visible_alias = "l2",
        env = "L2_NODE_ADDRESS",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub l2_node_address: Vec<NodeUrl>,
    /// Execution nodes of L1, the preferred one first.
    #[arg(
        long,
        visible_alias = "l1",
        env = "L1_NODE_ADDRESS",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub l1_node_address: Vec<NodeUrl>,
    /// Beacon nodes of L1, the preferred one first.
    #[arg(
        long,
        visible_alias = "beacon",
        env = "L1_BEACON_ADDRESS",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub l1_beacon_address: Vec<NodeUrl>,
    /// Keep preimages in this directory; without it, in memory.
    #[arg(long, visible_alias = "db", env = "DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What lies in a new data directory: directory, file, or redb.
    #[arg(long, env = "DATA_FORMAT", value_name = "FORMAT", default_value = "directory")]
    pub data_format: DataFormat,
}

impl SourceArguments {
    /// Neither nodes nor a store.
    fn are_absent(&self) -> bool {
        let nodes = [&self.l1_node_address, &self.l1_beacon_address, &self.l2_node_address];
        self.data_dir.is_none() && nodes.iter().all(|nodes| nodes.is_empty())
    }

    /// Where preimages are kept.
    pub fn location(&self) -> DataLocation {
        match &self.data_dir {
            None => DataLocation::Memory,
            Some(path) => DataLocation::Disk { path: path.clone(), format: self.data_format },
        }
    }
}

/// What the program is told of the chain.
struct ChainFiles {
    l2_chain_id: u64,
    /// Where it is known: the nodes' own word has to do otherwise.
    l1_chain_id: Option<u64>,
    rollup_config: Option<Vec<u8>>,
    l1_config: Option<Vec<u8>>,
}

impl ChainArguments {
    /// Reads the files. `None` when no chain is named.
    fn read(&self) -> anyhow::Result<Option<ChainFiles>> {
        let l1_config = self.l1_config_path.as_deref().map(read).transpose()?;
        if let Some(path) = &self.rollup_config_path {
            let rollup_config = read(path)?;
            let ids = ChainIds::read(&rollup_config, l1_config.as_deref())?;
            let (l2_chain_id, l1_chain_id) = (ids.l2, Some(ids.l1));
            let rollup_config = Some(rollup_config);
            return Ok(Some(ChainFiles { l2_chain_id, l1_chain_id, rollup_config, l1_config }));
        }
        let Some(l2_chain_id) = self.l2_chain_id else { return Ok(None) };
        let l1_chain_id = match &l1_config {
            Some(text) => Some(l1_chain_id(text)?),
            None => config::find(&[], l2_chain_id).ok().map(|config| config.l1.chain_id),
        };
        Ok(Some(ChainFiles { l2_chain_id, l1_chain_id, rollup_config: None, l1_config }))
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(files::read_raw(path, LOCAL_VALUE_LIMIT_BYTES as u64)?)
}

/// Flags that a command cannot do without.
#[derive(Debug, thiserror::Error)]
#[error("missing {}", .0.join(", "))]
pub struct MissingFlags(Vec<&'static str>);

/// There is nowhere to get a preimage from.
#[derive(Debug, thiserror::Error)]
#[error(
    "no source of data: give --l1-node-address, --l1-beacon-address and --l2-node-address, or a --data-dir that holds the preimages"
)]
pub struct NoData;

impl ClaimArguments {
    /// A host for the claim. Does not connect.
    ///
    /// # Errors
    /// [`MissingFlags`], [`NoData`]; a file or the store cannot be read, or the files are of different chains.
    pub fn host(&self, sources: &SourceArguments) -> anyhow::Result<Host> {
        let (
            Some(l1_head),
            Some(agreed_l2_head),
            Some(agreed_output),
            Some(claimed_output),
            Some(claimed_number),
            Some(chain),
        ) = (
            self.l1_head,
            self.agreed_l2_head_hash,
            self.agreed_l2_output_root,
            self.claimed_l2_output_root,
            self.claimed_l2_block_number,
            self.chain.read()?,
        )
        else {
            return Err(self.missing().into());
        };
        if sources.are_absent() {
            return Err(NoData.into());
        }
        let ChainFiles { l2_chain_id: chain_id, l1_chain_id, rollup_config, l1_config } = chain;
        let boot = Boot { l1_head, agreed_output, claimed_output, claimed_number, chain_id };
        let config = HostConfig {
            local: LocalValues { boot, rollup_config, l1_config },
            agreed_l2_head,
            l1: sources.l1_node_address.clone(),
            l1_beacon: sources.l1_beacon_address.clone(),
            l2: sources.l2_node_address.clone(),
            l1_chain_id,
            payload_form: PayloadForm::WithGas,
            policy: Policy::default(),
        };
        Ok(Host::new(config, sources.location().open()?))
    }

    fn missing(&self) -> MissingFlags {
        let chain = &self.chain;
        let flags = [
            ("--l1-head", self.l1_head.is_some()),
            ("--agreed-l2-head-hash", self.agreed_l2_head_hash.is_some()),
            ("--agreed-l2-output-root", self.agreed_l2_output_root.is_some()),
            ("--claimed-l2-output-root", self.claimed_l2_output_root.is_some()),
            ("--claimed-l2-block-number", self.claimed_l2_block_number.is_some()),
            (
                "--l2-chain-id or --rollup-config-path",
                chain.l2_chain_id.is_some() || chain.rollup_config_path.is_some(),
            ),
        ];
        MissingFlags(flags.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect())
    }
}
