//! The configuration file of a deployment: TOML over a preset.

use crate::files::{self, FileError};
use rebut_contracts::deployment::DeploymentConfig;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::de::DeTable;
use toml::{Table, Value};

/// Most bytes of a configuration.
const LIMIT_BYTES: u64 = 1 << 20;

/// What a configuration goes out from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The parameters of OP Mainnet
    Mainnet,
    /// Games that are over in minutes, for demonstrations and tests
    Fast,
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is no text.
    #[error("{} is no text: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Where it stops being one.
        source: std::str::Utf8Error,
    },
    /// The file is no configuration.
    #[error("{}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ContentError,
    },
}

/// Why a text is no configuration.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// A line is no TOML, or none that a configuration has.
    #[error("line {line}: {why}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing goes out from a chain that is not named.
    #[error("`l2_chain_id` is missing")]
    NoChain,
}

impl ContentError {
    /// The error of a parser in one line, with the place that it is about.
    fn of(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Self::Line { line, why: error.message().trim().replace('\n', ", ") }
    }
}

/// Reads a configuration over a preset.
///
/// # Errors
/// [`ConfigurationError`].
pub fn read(path: &Path, preset: Option<Preset>) -> Result<DeploymentConfig, ConfigurationError> {
    let bytes = files::read(path, LIMIT_BYTES)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|source| ConfigurationError::Text { path: path.to_owned(), source })?;
    over_preset(text, preset)
        .map_err(|source| ConfigurationError::Content { path: path.to_owned(), source })
}

fn over_preset(text: &str, preset: Option<Preset>) -> Result<DeploymentConfig, ContentError> {
    let wrong = |error: toml::de::Error| ContentError::of(text, &error);
    // As it stands, so that what is wrong has a line. The preset is no part of a configuration.
    let mut whole = DeTable::parse(text).map_err(wrong)?;
    let named = whole.get_mut().remove("preset");
    let named = named
        .map(|name| Preset::deserialize(name.into_deserializer()))
        .transpose()
        .map_err(wrong)?;
    DeploymentConfig::deserialize(toml::Deserializer::from(whole)).map_err(wrong)?;

    let base = match preset.or(named).unwrap_or(Preset::Mainnet) {
        Preset::Mainnet => DeploymentConfig::default(),
        Preset::Fast => DeploymentConfig::fast(),
    };
    let mut given: Table = text.parse().map_err(wrong)?;
    given.remove("preset");
    let config = laid_over(base, given).map_err(wrong)?;
    if config.l2_chain_id == 0 {
        return Err(ContentError::NoChain);
    }
    Ok(config)
}

/// Puts what a file gives over a configuration.
fn laid_over(
    base: DeploymentConfig,
    mut given: Table,
) -> Result<DeploymentConfig, toml::de::Error> {
    use serde::de::Error;
    let mut table = Table::try_from(base).map_err(toml::de::Error::custom)?;
    // Each game goes out from the preset's one.
    let game = table.get("games").and_then(|games| games.get(0)).cloned();
    if let (Some(Value::Table(game)), Some(Value::Array(games))) = (game, given.get_mut("games")) {
        for one in games {
            if let Value::Table(one) = one {
                let mut whole = game.clone();
                overlay(&mut whole, std::mem::take(one));
                *one = whole;
            }
        }
    }
    overlay(&mut table, given);
    table.try_into()
}

/// Puts the values of one table over those of another.
fn overlay(under: &mut Table, over: Table) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_goes_out_from_a_preset() {
        let check = |text: &str, preset, want: (u64, u64, u64, u64)| {
            let config = over_preset(text, preset).unwrap();
            let game = &config.games[0];
            let found = (
                config.weth_delay_seconds,
                config.finality_delay_seconds,
                game.max_depth,
                game.max_clock_duration_seconds,
            );
            assert_eq!(found, want, "{text}");
        };
        check("l2_chain_id = 1", None, (604_800, 302_400, 73, 302_400));
        check("l2_chain_id = 1", Some(Preset::Fast), (10, 6, 73, 300));
        check("l2_chain_id = 1\npreset = \"fast\"", None, (10, 6, 73, 300));
        check(
            "l2_chain_id = 1\npreset = \"fast\"",
            Some(Preset::Mainnet),
            (604_800, 302_400, 73, 302_400),
        );
        let text = "l2_chain_id = 1\nweth_delay_seconds = 7\n[[games]]\nmax_depth = 50\n";
        check(text, Some(Preset::Fast), (7, 6, 50, 300));
    }

    #[test]
    fn a_chain_may_be_named() {
        let config = over_preset("l1_chain_id = 11155111\nl2_chain_id = 1", None).unwrap();
        assert_eq!(config.l1_chain_id, Some(11_155_111));
        assert_eq!(over_preset("l2_chain_id = 1", None).unwrap().l1_chain_id, None);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let check = |text: &str, want: &str| {
            let error = over_preset(text, None).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        };
        check("", "`l2_chain_id` is missing");
        check("\npreset = \"slow\"", "line 2: unknown variant `slow`");
        check("l2_chain_id = 1\nweth_delay = 3", "line 2: unknown field `weth_delay`");
        check("l2_chain_id = \"x\"", "line 1: invalid type: string \"x\", expected u64");
        check("l2_chain_id = 1\n[[games", "line 2: ");
        check("l2_chain_id = 1\n[[games]]\nvm = \"z80\"", "line 3: unknown variant `z80`");
        check("l2_chain_id = 1\n[[games]]\n[[games]]\nmax_depth = -1", "line 4: invalid value");
        check("l2_chain_id = 1\n[anchor]\noutput_root = \"0x12\"", "line 3: ");
        check(
            "l2_chain_id = 1\n[anchor]\nl2_block_number = 1",
            "line 2: missing field `output_root`",
        );
        check("l2_chain_id = 1\nl2_chain_id = 2", "line 2: ");
    }
}
