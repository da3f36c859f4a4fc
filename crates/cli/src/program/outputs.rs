//! `rebut program outputs`: the output root of every block between two.

use super::{Arguments, Case};
use crate::Outcome;
use crate::block::{print, print_json};
use alloy_primitives::B256;
use rebut_derivation::L2BlockRef;
use rebut_program::claim::SafeChain;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Debug, Serialize)]
struct Row {
    block: u64,
    timestamp: u64,
    hash: B256,
    l1_origin: u64,
    output: B256,
    /// The batch of the block was invalid: it holds deposits only.
    deposits_only: bool,
}

impl Row {
    fn new(block: &L2BlockRef, output: B256, deposits_only: bool) -> Self {
        Self {
            block: block.id.number,
            timestamp: block.timestamp,
            hash: block.id.hash,
            l1_origin: block.l1_origin.number,
            output,
            deposits_only,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let Case { boot, config, mut oracle } = arguments.claim.open()?;
    let mut chain = SafeChain::start(&mut oracle, &config, &boot)?;
    let agreed = chain.output()?.root();
    let mut rows = vec![Row::new(chain.head(), agreed, false)];
    if !arguments.json {
        print(&format!(
            "{:>12}  {:>10}  {:66}  output root\n",
            "block", "L1 origin", "block hash"
        ))?;
        print_row(&rows[0])?;
    }
    let mut reached = chain.head().id.number >= boot.claimed_number;
    while !reached && let Some(blocks) = chain.extend(|number| number <= boot.claimed_number)? {
        for block in &blocks {
            // Blocks of a span beyond the claimed one have no output here.
            let Some(output) = block.output else { continue };
            let row = Row::new(&block.block, output.root(), block.deposits_only);
            if !arguments.json {
                print_row(&row)?;
            }
            rows.push(row);
        }
        reached = chain.head().id.number >= boot.claimed_number;
    }
    if arguments.json {
        print_json(&rows)?;
    } else if !reached {
        let last = chain.head().id.number;
        print(&format!("L1 data ends here: block {last} decides claims about later blocks\n"))?;
    }
    Ok(ExitCode::from(u8::from(!reached)))
}

fn print_row(row: &Row) -> anyhow::Result<()> {
    let Row { block, hash, l1_origin, output, .. } = row;
    let mark = if row.deposits_only { "  deposits only" } else { "" };
    print(&format!("{block:>12}  {l1_origin:>10}  {hash}  {output}{mark}\n"))
}
