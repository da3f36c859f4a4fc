//! The L1 chain's file: the `config` object of a geth genesis.
//!
//! ```text
//!   { "chainId": …, "pragueTime": …, "osakaTime": …, "bpo1Time": …,
//!     "blobSchedule": { "prague": { "target": …, "max": …, "baseFeeUpdateFraction": … }, … } }
//! ```
//!
//! Of all that it says, the blob base fee depends on the update fractions and their times alone
//! (EIP-7840, EIP-7892). Other members are passed over.

use super::{Document, JsonError, Number, bounded};
use crate::config::l1::{CANCUN_FRACTION, PRAGUE_FRACTION};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use rebut_derivation::{BlobFeeSchedule, L1Config};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Every upgrade that may change blob parameters, oldest first: its name in `blobSchedule`, the member
/// with its time, and the fraction that the protocol gives it where the file does not.
const UPGRADES: [(&str, &str, Option<u64>); 9] = [
    ("cancun", "cancunTime", Some(CANCUN_FRACTION)),
    ("prague", "pragueTime", Some(PRAGUE_FRACTION)),
    ("osaka", "osakaTime", Some(PRAGUE_FRACTION)),
    ("bpo1", "bpo1Time", None),
    ("bpo2", "bpo2Time", None),
    ("bpo3", "bpo3Time", None),
    ("bpo4", "bpo4Time", None),
    ("bpo5", "bpo5Time", None),
    ("amsterdam", "amsterdamTime", None),
];

#[derive(Deserialize)]
struct BlobParameters {
    #[serde(rename = "baseFeeUpdateFraction")]
    update_fraction: Number,
}

/// Reads the file.
pub(super) fn parse(json: &[u8]) -> Result<L1Config, JsonError> {
    let mut members: BTreeMap<String, Value> =
        serde_json::from_slice(bounded(Document::L1, json)?).map_err(malformed)?;
    if let Some(config) = take(&mut members, "config")? {
        members = config;
    }
    let Number(chain_id) = take(&mut members, "chainId")?
        .ok_or(JsonError::Missing { document: Document::L1, member: "chainId" })?;
    let schedules: BTreeMap<String, BlobParameters> =
        take(&mut members, "blobSchedule")?.unwrap_or_default();

    let mut blob_fees: Vec<BlobFeeSchedule> = Vec::new();
    let mut latest = 0;
    for (fork, member, default) in UPGRADES {
        let Some(Number(time)) = take(&mut members, member)? else { continue };
        if time < latest {
            return Err(JsonError::ForkOrder { fork });
        }
        latest = time;
        let given = schedules.get(fork).map(|schedule| schedule.update_fraction.0);
        let update_fraction = given.or(default).ok_or(JsonError::NoSchedule { fork })?;
        // Of several upgrades at one time the last one counts.
        blob_fees.retain(|entry| entry.time != time);
        if blob_fees.last().map_or(CANCUN_FRACTION, |entry| entry.update_fraction)
            != update_fraction
        {
            blob_fees.push(BlobFeeSchedule { time, update_fraction });
        }
    }
    Ok(L1Config { chain_id, blob_fees })
}

/// A member, unless it is absent or null.
fn take<T: DeserializeOwned>(
    members: &mut BTreeMap<String, Value>,
    member: &str,
) -> Result<Option<T>, JsonError> {
    let value = members.remove(member).unwrap_or_default();
    serde_json::from_value(value).map_err(malformed)
}

const fn malformed(source: serde_json::Error) -> JsonError {
    JsonError::Malformed { document: Document::L1, source }
}
