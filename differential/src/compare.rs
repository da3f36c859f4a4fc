//! Two runs side by side.

use crate::{
    l2::{self, Attributes},
    parameters::Upgrade,
    run::{Run, Step},
};
use std::fmt::Write;

/// Where two runs over the same world part, in words. `None` if they do not.
pub fn difference(ours: &Run, theirs: &Run) -> Option<String> {
    let length = ours.steps.len().max(theirs.steps.len());
    let parted = (0..length).find(|index| ours.steps.get(*index) != theirs.steps.get(*index));
    let ended = ours.halt.is_some() != theirs.halt.is_some();
    if parted.is_none() && !ended {
        return None;
    }
    let mut out = String::new();
    let world = ours.world.lock();
    let genesis_time = world.parameters.genesis_time;
    for upgrade in Upgrade::ALL {
        if let Some(time) = world.parameters.upgrades[upgrade as usize] {
            let _ = write!(out, "{upgrade:?} {} ", time.saturating_sub(genesis_time));
        }
    }
    let first_l1 = world.parameters.genesis_l1.0;
    let _ = writeln!(
        out,
        "(seconds after genesis); L1 {} to {}",
        first_l1,
        world.l1.tip().header.number
    );
    for (name, run) in [("ours", ours), ("theirs", theirs)] {
        let _ = write!(out, "{name}: {} steps", run.steps.len());
        let _ = run.halt.as_ref().map(|halt| write!(out, ", then a {halt}"));
        out.push('\n');
    }
    if let Some(index) = parted {
        if let Some(before) = index.checked_sub(1).and_then(|index| ours.steps.get(index)) {
            let _ = writeln!(out, "step {} of both: {}", index - 1, describe(before, genesis_time));
        }
        let (ours, theirs) = (ours.steps.get(index), theirs.steps.get(index));
        for (name, step) in [("ours", ours), ("theirs", theirs)] {
            let words = step.map_or("nothing".into(), |step| describe(step, genesis_time));
            let _ = writeln!(out, "step {index} of {name}: {words}");
        }
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            fields(&mut out, &ours.attributes, &theirs.attributes);
        }
    }
    Some(out)
}

fn describe(step: &Step, genesis_time: u64) -> String {
    let attributes = &step.attributes;
    let place = attributes.transactions.first().map(l2::place);
    format!(
        "time {}, origin {}, sequence number {}, {} transactions ({} of users), built {:?}",
        attributes.timestamp.saturating_sub(genesis_time),
        place.map_or(0, |place| place.origin_number),
        place.map_or(0, |place| place.sequence_number),
        attributes.transactions.len(),
        l2::user_transactions(&attributes.transactions).count(),
        step.built,
    )
}

fn fields(out: &mut String, ours: &Attributes, theirs: &Attributes) {
    let mut field = |name: &str, ours: String, theirs: String| {
        if ours != theirs {
            let _ = writeln!(out, "  {name}\n    ours   {ours}\n    theirs {theirs}");
        }
    };
    field("timestamp", ours.timestamp.to_string(), theirs.timestamp.to_string());
    field("prevRandao", ours.prev_randao.to_string(), theirs.prev_randao.to_string());
    field("fee recipient", ours.fee_recipient.to_string(), theirs.fee_recipient.to_string());
    field("gas limit", ours.gas_limit.to_string(), theirs.gas_limit.to_string());
    field(
        "parent beacon block root",
        format!("{:?}", ours.parent_beacon_block_root),
        format!("{:?}", theirs.parent_beacon_block_root),
    );
    field(
        "EIP-1559 parameters",
        format!("{:?}", ours.eip_1559_params),
        format!("{:?}", theirs.eip_1559_params),
    );
    for index in 0..ours.transactions.len().max(theirs.transactions.len()) {
        let text = |list: &[alloy_primitives::Bytes]| {
            list.get(index).map_or("none".into(), ToString::to_string)
        };
        field(
            &format!("transaction {index}"),
            text(&ours.transactions),
            text(&theirs.transactions),
        );
    }
}
