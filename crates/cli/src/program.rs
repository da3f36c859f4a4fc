//! `rebut program`: the fault proof program on a claim about an L2 output root.
//!
//! Exit codes of `run` and `vm`: 0 when the claim is valid, 1 when it is invalid. Anything else is no
//! verdict.

mod native;
mod outputs;
mod vm;

use crate::Outcome;
use crate::block::ended;
use crate::guest::VmName;
use crate::host::{ClaimArguments, MissingFlags, SourceArguments, greet};
use crate::values::hash;
use alloy_primitives::B256;
use anyhow::anyhow;
use rebut_derivation::RollupConfig;
use rebut_host::{ClaimWitness, Host, LocalValues};
use rebut_preimage::PreimageOracle;
use rebut_program::{
    Boot,
    config::{self, ConfigError, json},
};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub use native::decide;

/// The commands on a claim.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Decide a claim natively: derive and execute the L2 blocks, and compare the output root.
    ///
    /// Exit code: 0 valid, 1 invalid, anything else no verdict.
    Run(Arguments),
    /// Decide a claim in a virtual machine, with the guest program that this binary carries.
    ///
    /// Exit code: 0 valid, 1 invalid, anything else no verdict.
    Vm(VmArguments),
    /// Print the output root of every block from the agreed one to the claimed one.
    ///
    /// Exit code: 0 when the claimed block was reached, 1 when L1 data ends before it, 2 for errors.
    Outputs(Arguments),
}

/// A claim and where its data comes from.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    claim: Claim,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `vm` takes.
#[derive(Debug, clap::Args)]
pub struct VmArguments {
    /// The machine.
    #[arg(long, value_enum, default_value_t)]
    vm: VmName,
    #[command(flatten)]
    arguments: Arguments,
}

/// Flags that a recorded claim has no use for. What they say would be passed over in silence.
const NAMED: [&str; 12] = [
    "l1_head",
    "agreed_l2_head_hash",
    "agreed_l2_output_root",
    "claimed_l2_output_root",
    "claimed_l2_block_number",
    "l2_chain_id",
    "rollup_config_path",
    "l1_config_path",
    "l2_node_address",
    "l1_node_address",
    "l1_beacon_address",
    "data_dir",
];

/// A claim: recorded, or about a chain whose nodes are asked.
#[derive(Debug, clap::Args)]
struct Claim {
    /// A recorded claim with its preimages: JSON (packed with zstd where the name ends in .zst), or a
    /// `.kv.zst` with its `boot.json`. It needs none of the flags that name a claim, chain or node.
    #[arg(long, value_name = "FILE", conflicts_with_all = NAMED)]
    recorded: Option<PathBuf>,
    /// Claim this output root instead of the given one.
    #[arg(long, value_name = "ROOT", value_parser = hash)]
    claim: Option<B256>,
    /// Claim it for this L2 block instead of the given one.
    #[arg(long, value_name = "N")]
    block: Option<u64>,
    #[command(flatten)]
    online: ClaimArguments,
    #[command(flatten)]
    sources: SourceArguments,
}

/// A claim that is ready to be decided.
pub struct Case {
    boot: Boot,
    config: RollupConfig,
    oracle: Box<dyn PreimageOracle>,
}

/// Runs the command. Whatever goes wrong leaves no verdict.
pub fn run(command: Command) -> Outcome {
    Ok(ended(match command {
        Command::Run(arguments) => native::run(&arguments),
        Command::Vm(arguments) => vm::run(&arguments),
        Command::Outputs(arguments) => outputs::run(&arguments),
    }))
}

impl Claim {
    fn open(&self) -> anyhow::Result<Case> {
        match &self.recorded {
            Some(path) => self.recorded(path),
            None => {
                let mut claim = self.online.clone();
                claim.claimed_l2_output_root = self.claim.or(claim.claimed_l2_output_root);
                claim.claimed_l2_block_number = self.block.or(claim.claimed_l2_block_number);
                let host = claim.host(&self.sources).map_err(|error| {
                    match error.is::<MissingFlags>() {
                        true => {
                            error.context("a claim needs --recorded FILE, or flags that name it")
                        }
                        false => error,
                    }
                })?;
                Case::online(host)
            }
        }
    }

    fn recorded(&self, path: &Path) -> anyhow::Result<Case> {
        let mut witness = ClaimWitness::read(path)?;
        if let Some(root) = self.claim {
            witness.boot.claimed_output = root;
        }
        if let Some(number) = self.block {
            witness.boot.claimed_number = number;
        }
        let oracle = Box::new(witness.oracle());
        Ok(Case { boot: witness.boot, config: witness.config, oracle })
    }
}

impl Case {
    /// The claim that a host serves.
    ///
    /// # Errors
    /// The chain's parameters are not known, or the nodes are of other chains.
    pub fn online(host: Host) -> anyhow::Result<Self> {
        let LocalValues { boot, rollup_config, l1_config } = host.local();
        let config = match rollup_config {
            Some(rollup) => json::read(rollup, l1_config.as_deref())?,
            None => config::find(&[], boot.chain_id).map_err(unknown)?,
        };
        let boot = *boot;
        greet(&host)?;
        Ok(Self { boot, config, oracle: Box::new(host) })
    }
}

/// What to do about a chain that the registry does not have, where its configuration may be given.
fn unknown(error: ConfigError) -> anyhow::Error {
    match error {
        ConfigError::UnknownChain { chain_id } => anyhow!(
            "chain {chain_id} is not in the registry: give --rollup-config-path instead of --l2-chain-id, and --l1-config-path if its L1 is no public chain"
        ),
        error => error.into(),
    }
}

/// The parameters of a claim's chain, which is the only one that is asked for.
fn only(config: RollupConfig) -> impl FnOnce(u64) -> Result<RollupConfig, ConfigError> {
    move |chain_id| match chain_id == config.chain.chain_id {
        true => Ok(config),
        false => Err(ConfigError::UnknownChain { chain_id }),
    }
}

/// What is claimed, in reports.
#[derive(Clone, Copy, Debug, Serialize)]
struct ClaimId {
    chain: u64,
    l1_head: B256,
    agreed_output: B256,
    claimed_output: B256,
    claimed_block: u64,
}

impl From<&Boot> for ClaimId {
    fn from(boot: &Boot) -> Self {
        Self {
            chain: boot.chain_id,
            l1_head: boot.l1_head,
            agreed_output: boot.agreed_output,
            claimed_output: boot.claimed_output,
            claimed_block: boot.claimed_number,
        }
    }
}

impl ClaimId {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("chain", self.chain.to_string()),
            ("L1 head", self.l1_head.to_string()),
            ("agreed output", self.agreed_output.to_string()),
            ("claimed block", self.claimed_block.to_string()),
            ("claimed output", self.claimed_output.to_string()),
        ]
    }
}

/// A verdict in a word.
const fn in_words(valid: Option<bool>) -> &'static str {
    match valid {
        Some(true) => "valid",
        Some(false) => "invalid",
        None => "none",
    }
}
