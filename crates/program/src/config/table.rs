//! A table of chains: an index to search without decoding, and one entry a chain.
//!
//! ```text
//!   ┌─────────┬───────────────────────────────┬───────────────┐
//!   │ count 2 │ count × [ chain id 8 | end 4 ] │ entries       │   integers big-endian
//!   └─────────┴───────────────────────────────┴───────────────┘
//!   entry: rlp [ name, feature, configuration ]
//! ```
//!
//! Chain ids ascend. `end` is where the entry ends, counted from the first one's beginning; it begins
//! where the one before ends. A feature of 0 means that the chain is supported; any other names what
//! it uses and leaves the configuration empty.
//!
//! Invariant: a table has one form; looking up a chain decodes that chain alone.

use super::{ConfigError, decode, encode};
use alloc::{boxed::Box, string::String, vec, vec::Vec};
use alloy_primitives::Bytes;
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use core::fmt;
use rebut_derivation::RollupConfig;

/// Bytes of the count.
const COUNT_BYTES: usize = 2;
/// Bytes of an item of the index.
const ITEM_BYTES: usize = 12;

/// Something that chains can be built on and this program does not implement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Batches that are kept elsewhere than on L1.
    AltDa,
    /// Gas that is paid in a token of the chain's own.
    CustomGasToken,
    /// Messages between chains (Lagoon, once called Interop).
    Interop,
}

impl Feature {
    const ALL: [Self; 3] = [Self::AltDa, Self::CustomGasToken, Self::Interop];

    const fn number(self) -> u8 {
        match self {
            Self::AltDa => 1,
            Self::CustomGasToken => 2,
            Self::Interop => 3,
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AltDa => "alt-DA",
            Self::CustomGasToken => "a custom gas token",
            Self::Interop => "interop (Lagoon)",
        })
    }
}

/// What a table says of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// All of it.
    Supported(Box<RollupConfig>),
    /// Why there is nothing to say.
    Unsupported(Feature),
}

/// One chain of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The chain's id.
    pub chain_id: u64,
    /// Its name; empty for a chain that has none.
    pub name: String,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Chain {
    /// A chain with its configuration.
    pub fn new(name: impl Into<String>, config: RollupConfig) -> Self {
        let chain_id = config.chain.chain_id;
        Self { chain_id, name: name.into(), parameters: Parameters::Supported(Box::new(config)) }
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ConfigError::Unsupported`] names the chain and what it uses.
    pub fn supported(self) -> Result<RollupConfig, ConfigError> {
        match self.parameters {
            Parameters::Supported(config) => Ok(*config),
            Parameters::Unsupported(feature) => {
                let Self { chain_id, name, .. } = self;
                Err(ConfigError::Unsupported { chain_id, name, feature })
            }
        }
    }

    fn entry(&self) -> Vec<u8> {
        let (feature, config) = match &self.parameters {
            Parameters::Supported(config) => (0, encode(config)),
            Parameters::Unsupported(feature) => (feature.number(), Vec::new()),
        };
        let mut bytes = vec![];
        Entry { name: self.name.clone(), feature, config: config.into() }.encode(&mut bytes);
        bytes
    }

    fn decode(chain_id: u64, mut bytes: &[u8]) -> Result<Self, ConfigError> {
        let Entry { name, feature, config } =
            Entry::decode(&mut bytes).map_err(ConfigError::Rlp)?;
        if !bytes.is_empty() {
            return Err(ConfigError::Trailing(bytes.len()));
        }
        let parameters = if feature == 0 {
            Parameters::Supported(Box::new(decode(&config)?))
        } else {
            let feature = Feature::ALL.into_iter().find(|known| known.number() == feature);
            Parameters::Unsupported(feature.ok_or(ConfigError::Table("a feature is unknown"))?)
        };
        match &parameters {
            Parameters::Supported(config) if config.chain.chain_id != chain_id => {
                Err(ConfigError::Table("a configuration is that of another chain"))
            }
            Parameters::Unsupported(_) if !config.is_empty() => {
                Err(ConfigError::Table("a chain that is not supported has a configuration"))
            }
            _ => Ok(Self { chain_id, name, parameters }),
        }
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct Entry {
    name: String,
    feature: u8,
    config: Bytes,
}

/// An encoded table of chains, its index checked.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    index: &'a [[u8; ITEM_BYTES]],
    entries: &'a [u8],
}

impl<'a> Table<'a> {
    /// Reads the index of a table.
    ///
    /// # Errors
    /// [`ConfigError::Table`] when it contradicts itself or the length of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfigError> {
        let cut = ConfigError::Table("its index is cut");
        let (count, rest) = bytes.split_first_chunk::<COUNT_BYTES>().ok_or(cut.clone())?;
        let index_bytes = usize::from(u16::from_be_bytes(*count)) * ITEM_BYTES;
        let (index, entries) = rest.split_at_checked(index_bytes).ok_or(cut)?;
        let (index, _) = index.as_chunks::<ITEM_BYTES>();
        if !index.is_sorted_by(|a, b| chain_id(a) < chain_id(b)) {
            return Err(ConfigError::Table("its chain ids do not ascend"));
        }
        if !index.is_sorted_by_key(end) {
            return Err(ConfigError::Table("its entries overlap"));
        }
        if index.last().map_or(0, end) != entries.len() {
            return Err(ConfigError::Table("its length is not that of its entries"));
        }
        Ok(Self { index, entries })
    }

    /// Encodes chains, in any order.
    ///
    /// # Errors
    /// [`ConfigError`] for a chain that is there twice, a configuration that no chain can have, or
    /// more chains than a table holds.
    pub fn encode(chains: &[Chain]) -> Result<Vec<u8>, ConfigError> {
        let count = u16::try_from(chains.len())
            .map_err(|_| ConfigError::Table("it has more chains than can be counted"))?;
        let mut sorted: Vec<&Chain> = chains.iter().collect();
        sorted.sort_by_key(|chain| chain.chain_id);
        let mut bytes = count.to_be_bytes().to_vec();
        let mut entries = Vec::new();
        for chain in sorted {
            entries.extend(chain.entry());
            let end = u32::try_from(entries.len())
                .map_err(|_| ConfigError::Table("its entries are too long"))?;
            bytes.extend(chain.chain_id.to_be_bytes());
            bytes.extend(end.to_be_bytes());
        }
        bytes.extend(entries);
        // What was written must be readable: this finds ids that are there twice and false parameters.
        Table::parse(&bytes)?.chains().try_for_each(|chain| chain.map(drop))?;
        Ok(bytes)
    }

    /// The chain of that id.
    ///
    /// # Errors
    /// Its entry is no encoding of a chain.
    pub fn find(&self, wanted: u64) -> Result<Option<Chain>, ConfigError> {
        match self.index.binary_search_by_key(&wanted, chain_id) {
            Ok(place) => self.at(place).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// All chains, by ascending id.
    pub fn chains(self) -> impl Iterator<Item = Result<Chain, ConfigError>> {
        (0..self.index.len()).map(move |place| self.at(place))
    }

    fn at(&self, place: usize) -> Result<Chain, ConfigError> {
        let start = place.checked_sub(1).and_then(|before| self.index.get(before)).map_or(0, end);
        let item = self.index.get(place);
        // The ends ascend and the last one is the length, as `parse` has seen.
        let entry = item.and_then(|item| Some((item, self.entries.get(start..end(item))?)));
        let (item, entry) = entry.ok_or(ConfigError::Table("its index is cut"))?;
        Chain::decode(chain_id(item), entry)
    }
}

fn chain_id(item: &[u8; ITEM_BYTES]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *item;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn end(item: &[u8; ITEM_BYTES]) -> usize {
    let [.., a, b, c, d] = *item;
    u32::from_be_bytes([a, b, c, d]) as usize
}
