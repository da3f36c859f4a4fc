//! Recorded blocks of real chains, as inputs and expectations.

use alloy_consensus::{Header, Sealable, Sealed};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use rebut_execution::{
    BaseFeeDefaults, ChainParameters, Fork, ForkTimes, PayloadAttributes, StateOracle,
};
use revm::precompile::{PrecompileSpecId, Precompiles};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// One recorded block.
pub struct Recording {
    pub name: String,
    pub chain: ChainParameters,
    pub parent: Sealed<Header>,
    pub attributes: PayloadAttributes,
    pub expected: B256,
    /// Where the recording has it.
    pub expected_header: Option<Header>,
    pub preimages: BTreeMap<B256, Vec<u8>>,
}

impl Recording {
    /// An oracle with everything the block needs.
    pub fn oracle(&self) -> RecordedOracle<'_> {
        RecordedOracle { preimages: &self.preimages, removed: None, used: BTreeSet::new() }
    }
}

/// All recordings, or `None` where they are absent.
pub fn all() -> Option<Vec<Recording>> {
    let folder = rebut_recordings::path("blocks")?;
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "zst"));
    paths.sort();
    assert_eq!(paths.len(), 8, "recorded blocks in {}", folder.display());
    Some(paths.iter().map(|path| read(path)).collect())
}

fn read(path: &std::path::Path) -> Recording {
    let bytes = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let fixture = &json["fixture"];
    let header = |name: &str| serde_json::from_value::<Header>(fixture[name].clone());
    let preimages = json["preimages"].as_object().unwrap().iter().map(|(key, value)| {
        (key.parse().unwrap(), value.as_str().unwrap().parse::<Bytes>().unwrap().to_vec())
    });
    Recording {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        chain: chain(&fixture["rollup_config"]),
        parent: header("parent_header").unwrap().seal_slow(),
        attributes: attributes(&fixture["executing_payload"]),
        expected: hex(&fixture["expected_block_hash"]),
        expected_header: header("expected_header").ok(),
        preimages: preimages.collect(),
    }
}

/// Reads a number that is written as such or in hexadecimal.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => Some(u64::from_str_radix(text.strip_prefix("0x")?, 16).unwrap()),
        other => other.as_u64(),
    }
}

fn hex<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

fn chain(config: &Value) -> ChainParameters {
    let names = [
        (Fork::Regolith, "regolith_time"),
        (Fork::Canyon, "canyon_time"),
        (Fork::Ecotone, "ecotone_time"),
        (Fork::Fjord, "fjord_time"),
        (Fork::Granite, "granite_time"),
        (Fork::Holocene, "holocene_time"),
        (Fork::Isthmus, "isthmus_time"),
    ];
    let forks = names
        .into_iter()
        .fold(ForkTimes::default(), |forks, (fork, name)| forks.with(fork, number(&config[name])));
    // The parameters stand in one of two places, or, for OP Mainnet's, in a note in prose.
    let op = &config["chain_op_config"];
    let or = |a: &Value, b: &Value, note: u32| {
        number(a).or(number(b)).map_or(note, |n| u32::try_from(n).unwrap())
    };
    let (old, new) = (&config["base_fee_params"], &config["canyon_base_fee_params"]);
    ChainParameters {
        chain_id: number(&config["l2_chain_id"]).unwrap(),
        forks,
        base_fee: BaseFeeDefaults {
            elasticity: or(&op["eip1559Elasticity"], &old["elasticity_multiplier"], 6),
            denominator: or(&op["eip1559Denominator"], &old["max_change_denominator"], 50),
            denominator_canyon: or(
                &op["eip1559DenominatorCanyon"],
                &new["max_change_denominator"],
                250,
            ),
        },
    }
}

fn attributes(payload: &Value) -> PayloadAttributes {
    let params = payload["eip1559Params"].as_str().map(|text| text.parse::<Bytes>().unwrap());
    PayloadAttributes {
        timestamp: number(&payload["timestamp"]).unwrap(),
        prev_randao: hex(&payload["prevRandao"]),
        suggested_fee_recipient: hex(&payload["suggestedFeeRecipient"]),
        gas_limit: number(&payload["gasLimit"]).unwrap(),
        parent_beacon_block_root: payload["parentBeaconBlockRoot"]
            .as_str()
            .map(|text| text.parse().unwrap()),
        eip_1559_params: params.map(|bytes| bytes.as_ref().try_into().unwrap()),
        min_base_fee: number(&payload["minBaseFee"]),
        transactions: payload["transactions"].as_array().unwrap().iter().map(hex).collect(),
    }
}

/// Serves a recording, and computes precompiles itself.
pub struct RecordedOracle<'a> {
    preimages: &'a BTreeMap<B256, Vec<u8>>,
    /// A key that is treated as absent.
    pub removed: Option<B256>,
    /// Every key asked for.
    pub used: BTreeSet<B256>,
}

/// A key that is not in the recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no preimage for {0}")]
pub struct Missing(pub B256);

impl RecordedOracle<'_> {
    fn get(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.used.insert(hash);
        let value = self.preimages.get(&hash).filter(|_| self.removed != Some(hash));
        let value = value.ok_or(Missing(hash))?;
        assert_eq!(keccak256(value), hash);
        Ok(value.clone())
    }
}

impl StateOracle for RecordedOracle<'_> {
    type Error = Missing;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.get(hash)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.get(hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.get(hash)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, Missing> {
        let precompiles = Precompiles::new(PrecompileSpecId::PRAGUE);
        let precompile = precompiles.get(&address).unwrap();
        let output = precompile.execute(input, gas, 0).unwrap();
        Ok(output.status.is_success().then(|| output.bytes.to_vec()))
    }
}
