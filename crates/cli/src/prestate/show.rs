//! `rebut prestate show`: the chains in a prestate's memory.

use super::build::machine_in_words;
use super::carried::Carried;
use super::{PrestateError, ShowArguments};
use crate::Outcome;
use crate::block::{print_json, print_lines};
use crate::files::{self, StateOfAny};
use crate::guest::Builtin;
use alloy_primitives::B256;
use anyhow::Context;
use rebut_fpvm::State;
use rebut_program::config::{Chain, Parameters, json};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn show(arguments: &ShowArguments) -> Outcome {
    match files::read_state_of_any(&arguments.file)? {
        StateOfAny::Mips32(state) => show_of(arguments, state),
        StateOfAny::Mips64(state) => show_of(arguments, state),
        StateOfAny::Asterisc(state) => show_of(arguments, state),
    }
}

fn show_of<V: Builtin>(arguments: &ShowArguments, mut state: State<V>) -> Outcome {
    let carried = Carried::read(&state.memory)
        .map_err(|source| PrestateError::Section { path: arguments.file.clone(), source })?;
    let hash = state.hash();
    if arguments.json {
        print_json(&in_json::<V>(hash, state.version, &carried)?)?;
    } else {
        print_lines(&[
            ("prestate", hash.to_string()),
            ("machine", machine_in_words::<V>(state.version)),
            ("carries", in_words(&carried.chains)),
        ])?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(chains: &[Chain]) -> String {
    if chains.is_empty() {
        return "no chains: it knows those of its registry alone".into();
    }
    let words = chains.iter().map(|chain| format!("chain {}", chain.chain_id));
    words.collect::<Vec<_>>().join(", ")
}

fn in_json<V: Builtin>(
    hash: B256,
    version: V::Version,
    carried: &Carried,
) -> anyhow::Result<Value> {
    let chains = carried.chains.iter().map(chain_in_json).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(json!({
        "prestate": hash,
        "vm": V::VM,
        "type": V::type_name(version),
        "chains": chains,
        "table_bytes": carried.table.len(),
        "capacity_bytes": carried.capacity_bytes,
    }))
}

fn chain_in_json(chain: &Chain) -> anyhow::Result<Value> {
    let Parameters::Supported(config) = &chain.parameters else {
        return Ok(json!({ "chain_id": chain.chain_id, "supported": false }));
    };
    let fees = config.l1.blob_fees.iter();
    let fees: Vec<_> = fees
        .map(|entry| json!({ "time": entry.time, "update_fraction": entry.update_fraction }))
        .collect();
    Ok(json!({
        "chain_id": chain.chain_id,
        "supported": true,
        "rollup_config": json::write(config).context("the configuration cannot be written")?,
        "l1": { "chain_id": config.l1.chain_id, "blob_fees": fees },
    }))
}
