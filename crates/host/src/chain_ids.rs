//! Which chains configuration files are of.
//!
//! A host serves programs of all kinds, so what the rest of the files means is for the program to say.
//! Interop alone is refused here, since the host does not serve what its programs ask for.

use rebut_program::config::json::Number;
use serde::{Deserialize, de::DeserializeOwned};

/// Why files do not say which chains they are of.
#[derive(Debug, thiserror::Error)]
pub enum ChainIdError {
    /// Not JSON, or without the member.
    #[error("the {file} does not say which chain it is of: {source}")]
    Json {
        /// Which file.
        file: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The chain will need an interop program.
    #[error("the rollup configuration sets {member}: interop (Lagoon) is not implemented")]
    Interop {
        /// What says so.
        member: &'static str,
    },
    /// Two files of two L1 chains.
    #[error("the rollup configuration is of L1 chain {rollup}, the L1 configuration of {l1}")]
    Differ {
        /// By the rollup configuration.
        rollup: u64,
        /// By the L1 configuration.
        l1: u64,
    },
}

/// The chains that a rollup configuration connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIds {
    /// The rollup.
    pub l2: u64,
    /// The chain below.
    pub l1: u64,
}

#[derive(Deserialize)]
struct Rollup {
    l1_chain_id: Number,
    l2_chain_id: Number,
    lagoon_time: Option<Number>,
    interop_time: Option<Number>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum L1 {
    Genesis { config: ChainConfig },
    Config(ChainConfig),
}

#[derive(Deserialize)]
struct ChainConfig {
    #[serde(rename = "chainId")]
    chain_id: Number,
}

impl ChainIds {
    /// Reads them from a rollup configuration, and compares with an L1 chain's configuration.
    ///
    /// # Errors
    /// [`ChainIdError`] says which file and why.
    pub fn read(rollup: &[u8], l1: Option<&[u8]>) -> Result<Self, ChainIdError> {
        let rollup: Rollup = parse("rollup configuration", rollup)?;
        let times = [("lagoon_time", rollup.lagoon_time), ("interop_time", rollup.interop_time)];
        if let Some((member, _)) = times.into_iter().find(|(_, time)| time.is_some()) {
            return Err(ChainIdError::Interop { member });
        }
        let (Number(rollup), Number(l2)) = (rollup.l1_chain_id, rollup.l2_chain_id);
        if let Some(l1) = l1.map(l1_chain_id).transpose()?
            && l1 != rollup
        {
            return Err(ChainIdError::Differ { rollup, l1 });
        }
        Ok(Self { l2, l1: rollup })
    }
}

/// The chain that an L1 configuration is of.
///
/// # Errors
/// [`ChainIdError::Json`].
pub fn l1_chain_id(l1: &[u8]) -> Result<u64, ChainIdError> {
    let (L1::Genesis { config } | L1::Config(config)) = parse("L1 configuration", l1)?;
    Ok(config.chain_id.0)
}

fn parse<T: DeserializeOwned>(file: &'static str, text: &[u8]) -> Result<T, ChainIdError> {
    serde_json::from_slice(text).map_err(|source| ChainIdError::Json { file, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLUP: &[u8] = br#"{"l1_chain_id": 900, "l2_chain_id": "0x385", "else": [1]}"#;

    #[test]
    fn both_files_are_of_the_same_l1_chain() {
        let expected = ChainIds { l2: 901, l1: 900 };
        for l1 in
            [None, Some(&br#"{"chainId": 900}"#[..]), Some(br#"{"config": {"chainId": 900}}"#)]
        {
            assert_eq!(ChainIds::read(ROLLUP, l1).unwrap(), expected);
        }
        let error = ChainIds::read(ROLLUP, Some(br#"{"chainId": 1}"#)).unwrap_err();
        assert!(matches!(error, ChainIdError::Differ { rollup: 900, l1: 1 }), "{error}");
    }

    #[test]
    fn interop_is_refused() {
        let read = |member: &str| {
            let rollup = format!(r#"{{"l1_chain_id": 900, "l2_chain_id": 901, {member}}}"#);
            ChainIds::read(rollup.as_bytes(), None).map_err(|error| error.to_string())
        };
        for member in ["lagoon_time", "interop_time"] {
            assert_eq!(read(&format!(r#""{member}": null"#)), Ok(ChainIds { l2: 901, l1: 900 }));
            let error = read(&format!(r#""{member}": 0"#)).unwrap_err();
            assert!(error.contains(&format!("sets {member}: interop")), "{error}");
        }
    }

    #[test]
    fn files_that_do_not_say() {
        for text in ["", "{}", "[]", r#"{"l1_chain_id": 1}"#] {
            let error = ChainIds::read(text.as_bytes(), None).unwrap_err();
            assert!(error.to_string().contains("rollup configuration"), "{error}");
        }
        let error = ChainIds::read(ROLLUP, Some(b"{}")).unwrap_err();
        assert!(error.to_string().contains("L1 configuration"), "{error}");
    }
}
