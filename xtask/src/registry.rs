//! `cargo xtask registry`: the chains of the superchain registry as the table that the program carries.
//!
//! Source: the chain configurations of the registry, `superchain/configs/<superchain>/<chain>.toml`.
//! Fork times are in the file of each chain. A chain that joined its superchain's upgrades at
//! `superchain_time` takes from `superchain.toml` those later ones that its own file leaves out.

use alloy_primitives::{Address, B256};
use anyhow::{Context, ensure};
use rebut_derivation::{BlockId, Genesis, RollupConfig, SystemConfig};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};
use rebut_program::config::{Chain, Feature, Parameters, Table, l1};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where the table lies in the workspace.
const FILE: &str = "crates/program/assets/registry.bin";
/// Where the factories of dispute games lie: a line for each chain that has one, its name and the address.
const FACTORIES: &str = "crates/cli/assets/factories.txt";

/// L1 blocks within which a channel must be complete: the registry has no field for them, all its
/// chains have the same.
const CHANNEL_TIMEOUT: u64 = 300;
/// The same from Granite on.
const GRANITE_CHANNEL_TIMEOUT: u64 = 50;

/// Options of `cargo xtask registry`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Compare with what is there instead of writing.
    #[arg(long)]
    check: bool,
    /// The registry's folder; `registry` in the recorded data unless given.
    #[arg(long)]
    registry: Option<PathBuf>,
}

/// Writes the table, or compares it with what is there.
pub fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let folder = arguments.registry.clone().unwrap_or_else(|| {
        let data = env::var_os("REBUT_DATA").map(PathBuf::from);
        data.unwrap_or_else(|| root.join("../shared/data")).join("registry")
    });
    if arguments.check && !folder.is_dir() && env::var_os("CI").is_none() {
        println!("registry: not compared, there is no registry in {}", folder.display());
        return Ok(());
    }
    let Registry { chains, factories } = read(&folder)?;
    let table = Table::encode(&chains)?;
    for (file, content) in [(FILE, table.as_slice()), (FACTORIES, factories.as_bytes())] {
        let path = root.join(file);
        if arguments.check {
            let there =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let same = there == content;
            ensure!(same, "{file} is not what the registry says; run `cargo xtask registry`");
        } else {
            fs::write(&path, content)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let usable = |chain: &&Chain| matches!(chain.parameters, Parameters::Supported(_));
    println!(
        "registry: {} chains, {} of them supported, {} bytes",
        chains.len(),
        chains.iter().filter(usable).count(),
        table.len()
    );
    Ok(())
}

/// What is taken from the registry.
struct Registry {
    chains: Vec<Chain>,
    factories: String,
}

/// All chains of all superchains. The name of a chain, where it is one of a kind, is that of its file and of its
/// superchain, as `op-mainnet`.
fn read(registry: &Path) -> anyhow::Result<Registry> {
    let (mut chains, mut factories) = (Vec::new(), String::new());
    for folder in entries(&registry.join("superchain/configs"))? {
        let superchain: SuperchainFile = parse(&folder.join("superchain.toml"))?;
        for path in entries(&folder)? {
            if path.file_name().is_none_or(|name| name == "superchain.toml") {
                continue;
            }
            let file: ChainFile = parse(&path)?;
            if let Some(factory) = file.addresses.dispute_game_factory {
                let [name, superchain] = [&path, &folder].map(|path| path.file_stem());
                let [name, superchain] = [name, superchain].map(|name| name.unwrap_or_default());
                factories.push_str(&format!(
                    "{}-{} {factory}\n",
                    name.display(),
                    superchain.display()
                ));
            }
            let chain = chain(file, &superchain);
            chains.push(chain.with_context(|| path.display().to_string())?);
        }
    }
    Ok(Registry { chains, factories })
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = list.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn parse<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is malformed", path.display()))
}

/// A chain of the table.
fn chain(mut file: ChainFile, superchain: &SuperchainFile) -> anyhow::Result<Chain> {
    if let Some(since) = file.superchain_time {
        file.hardforks.inherit(&superchain.hardforks, since);
    }
    let (chain_id, name) = (file.chain_id, file.name.clone());
    Ok(match file.missing()? {
        Some(feature) => Chain { chain_id, name, parameters: Parameters::Unsupported(feature) },
        None => Chain::new(name, config(&file, superchain.l1.chain_id)?),
    })
}

fn config(file: &ChainFile, l1_chain_id: u64) -> anyhow::Result<RollupConfig> {
    let ChainFile { hardforks, optimism, genesis, addresses, .. } = file;
    let system_config = &genesis.system_config;
    Ok(RollupConfig {
        chain: ChainParameters {
            chain_id: file.chain_id,
            forks: hardforks.times(),
            base_fee: BaseFeeDefaults {
                elasticity: optimism.eip1559_elasticity,
                denominator: optimism.eip1559_denominator,
                denominator_canyon: optimism.eip1559_denominator_canyon,
            },
        },
        genesis: Genesis {
            l1: genesis.l1.id(),
            l2: genesis.l2.id(),
            l2_time: genesis.l2_time,
            system_config: SystemConfig {
                batcher: system_config.batcher,
                overhead: system_config.overhead.into(),
                scalar: system_config.scalar.into(),
                gas_limit: system_config.gas_limit,
                ..SystemConfig::default()
            },
        },
        block_time: file.block_time,
        max_sequencer_drift: file.max_sequencer_drift,
        seq_window_size: file.seq_window_size,
        channel_timeout: CHANNEL_TIMEOUT,
        granite_channel_timeout: GRANITE_CHANNEL_TIMEOUT,
        delta_time: hardforks.delta_time,
        pectra_blob_schedule_time: hardforks.pectra_blob_schedule_time,
        batch_inbox: file.batch_inbox_addr,
        deposit_contract: addresses.portal,
        l1_system_config: addresses.system_config,
        keep_karst_upgrade_gas: hardforks.keep_karst_upgrade_gas,
        l1: l1::known(l1_chain_id)
            .with_context(|| format!("L1 chain {l1_chain_id} is not known"))?,
    })
}

/// `superchain.toml`.
#[derive(Debug, Deserialize)]
struct SuperchainFile {
    hardforks: Hardforks,
    l1: L1Chain,
}

#[derive(Debug, Deserialize)]
struct L1Chain {
    chain_id: u64,
}

/// The file of a chain, as far as it concerns derivation and execution.
#[derive(Debug, Deserialize)]
struct ChainFile {
    name: String,
    chain_id: u64,
    superchain_time: Option<u64>,
    data_availability_type: String,
    alt_da: Option<toml::Table>,
    gas_paying_token: Option<Address>,
    batch_inbox_addr: Address,
    block_time: u64,
    seq_window_size: u64,
    max_sequencer_drift: u64,
    hardforks: Hardforks,
    optimism: BaseFee,
    genesis: GenesisFile,
    addresses: Addresses,
}

impl ChainFile {
    /// What the chain uses that is not implemented.
    fn missing(&self) -> anyhow::Result<Option<Feature>> {
        let kind = self.data_availability_type.as_str();
        ensure!(matches!(kind, "eth-da" | "alt-da"), "data availability {kind:?} is not known");
        Ok(if kind == "alt-da" || self.alt_da.is_some() {
            Some(Feature::AltDa)
        } else if self.gas_paying_token.is_some() {
            Some(Feature::CustomGasToken)
        } else {
            self.hardforks.interop_time.map(|_| Feature::Interop)
        })
    }
}

/// A fork that is not named here must be learned before its chains can be carried: it is refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hardforks {
    canyon_time: Option<u64>,
    delta_time: Option<u64>,
    ecotone_time: Option<u64>,
    fjord_time: Option<u64>,
    granite_time: Option<u64>,
    holocene_time: Option<u64>,
    pectra_blob_schedule_time: Option<u64>,
    isthmus_time: Option<u64>,
    jovian_time: Option<u64>,
    karst_time: Option<u64>,
    #[serde(alias = "lagoon_time")]
    interop_time: Option<u64>,
    #[serde(default)]
    keep_karst_upgrade_gas: bool,
}

impl Hardforks {
    /// Takes the superchain's times from `since` on where there is none.
    fn inherit(&mut self, superchain: &Self, since: u64) {
        let shared = superchain.clone().all().map(|time| *time);
        for (own, shared) in self.all().into_iter().zip(shared) {
            *own = own.or(shared.filter(|time| *time >= since));
        }
    }

    const fn all(&mut self) -> [&mut Option<u64>; 11] {
        [
            &mut self.canyon_time,
            &mut self.delta_time,
            &mut self.ecotone_time,
            &mut self.fjord_time,
            &mut self.granite_time,
            &mut self.holocene_time,
            &mut self.pectra_blob_schedule_time,
            &mut self.isthmus_time,
            &mut self.jovian_time,
            &mut self.karst_time,
            &mut self.interop_time,
        ]
    }

    /// The registry began with Regolith: all its chains have it from their first block.
    fn times(&self) -> ForkTimes {
        ForkTimes::default()
            .with(Fork::Regolith, Some(0))
            .with(Fork::Canyon, self.canyon_time)
            .with(Fork::Ecotone, self.ecotone_time)
            .with(Fork::Fjord, self.fjord_time)
            .with(Fork::Granite, self.granite_time)
            .with(Fork::Holocene, self.holocene_time)
            .with(Fork::Isthmus, self.isthmus_time)
            .with(Fork::Jovian, self.jovian_time)
            .with(Fork::Karst, self.karst_time)
    }
}

#[derive(Debug, Deserialize)]
struct BaseFee {
    eip1559_elasticity: u32,
    eip1559_denominator: u32,
    eip1559_denominator_canyon: u32,
}

#[derive(Debug, Deserialize)]
struct GenesisFile {
    l1: BlockFile,
    l2: BlockFile,
    l2_time: u64,
    system_config: SystemConfigFile,
}

#[derive(Debug, Deserialize)]
struct BlockFile {
    hash: B256,
    number: u64,
}

impl BlockFile {
    const fn id(&self) -> BlockId {
        BlockId { hash: self.hash, number: self.number }
    }
}

/// A member that is not named here could change how the chain begins: it is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemConfigFile {
    #[serde(rename = "batcherAddress")]
    batcher: Address,
    overhead: B256,
    scalar: B256,
    #[serde(rename = "gasLimit")]
    gas_limit: u64,
}

#[derive(Debug, Deserialize)]
struct Addresses {
    #[serde(rename = "OptimismPortalProxy")]
    portal: Address,
    #[serde(rename = "SystemConfigProxy")]
    system_config: Address,
    #[serde(rename = "DisputeGameFactoryProxy")]
    dispute_game_factory: Option<Address>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_upgrades_of_the_superchain_are_inherited() {
        let superchain = Hardforks {
            canyon_time: Some(100),
            fjord_time: Some(200),
            granite_time: Some(300),
            holocene_time: Some(400),
            keep_karst_upgrade_gas: true,
            ..Hardforks::default()
        };
        let mut chain = Hardforks { granite_time: Some(7), ..Hardforks::default() };
        chain.inherit(&superchain, 200);
        let expected = Hardforks {
            fjord_time: Some(200),
            granite_time: Some(7),
            holocene_time: Some(400),
            ..Hardforks::default()
        };
        assert_eq!(format!("{chain:?}"), format!("{expected:?}"));
    }

    #[test]
    fn an_upgrade_that_nobody_knows_is_refused() {
        let error = toml::from_str::<Hardforks>("karst_time = 1\nbasalt_time = 2").unwrap_err();
        assert!(error.to_string().contains("basalt_time"), "{error}");
    }
}
