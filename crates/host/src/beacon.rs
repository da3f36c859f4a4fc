//! A beacon node: blobs of a slot, in both generations of its API.
//!
//! ```text
//!   new   /eth/v1/beacon/blobs/{slot}?versioned_hashes=…   { "data": ["0x…", …] }
//!   old   /eth/v1/beacon/blob_sidecars/{slot}              { "data": [{ "blob": "0x…", … }, …] }
//! ```
//!
//! Nothing an answer says about a blob is believed: the commitment is computed from the blob.

use crate::{
    blob::{self, Commitment},
    source::{Failure, Failures, Fault, Http, NodeUrl, Policy, first_of, parse_json},
};
use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, de::DeserializeOwned};
use std::sync::OnceLock;

const GENESIS: &str = "/eth/v1/beacon/genesis";
const SPEC: &str = "/eth/v1/config/spec";
const BLOBS: &str = "/eth/v1/beacon/blobs";
const SIDECARS: &str = "/eth/v1/beacon/blob_sidecars";

/// How a beacon node counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    genesis: u64,
    slot_seconds: u64,
}

impl Clock {
    fn slot(self, timestamp: u64) -> Result<u64, Fault> {
        let Self { genesis, slot_seconds } = self;
        timestamp
            .checked_sub(genesis)
            .and_then(|since| since.checked_div(slot_seconds))
            .ok_or(Fault::Slot { timestamp, genesis, slot_seconds })
    }
}

/// One beacon node.
#[derive(Debug)]
pub(crate) struct BeaconNode {
    http: Http,
    clock: OnceLock<Clock>,
}

/// A blob and the commitment computed from it.
#[derive(Debug)]
pub(crate) struct VerifiedBlob {
    pub(crate) commitment: Commitment,
    pub(crate) blob: Bytes,
}

impl BeaconNode {
    /// A node at `url`. Does not connect.
    pub(crate) fn new(url: NodeUrl, policy: &Policy) -> Self {
        let http = Http::new(url, policy, policy.beacon_limit_bytes);
        Self { http, clock: OnceLock::new() }
    }

    /// The blob with this versioned hash, carried by the L1 block of this time.
    pub(crate) fn blob(&self, hash: B256, timestamp: u64) -> Result<VerifiedBlob, Failures> {
        let slot =
            self.clock()?.slot(timestamp).map_err(|fault| Failure { method: SPEC, fault })?;
        first_of(&[
            &|| {
                let query = format!("versioned_hashes={hash}");
                let blobs: Vec<Bytes> = self.get(BLOBS, &format!("{BLOBS}/{slot}"), &query)?;
                pick(BLOBS, slot, hash, blobs)
            },
            &|| {
                let path = format!("{SIDECARS}/{slot}");
                let sidecars: Vec<Sidecar> = self.get(SIDECARS, &path, "")?;
                // What a sidecar says of its commitment only saves work.
                let claims = |sidecar: &Sidecar| {
                    let commitment = Commitment::try_from(sidecar.kzg_commitment.as_ref());
                    commitment.is_ok_and(|commitment| blob::versioned_hash(&commitment) == hash)
                };
                let blobs: Vec<Bytes> =
                    sidecars.into_iter().filter(claims).map(|sidecar| sidecar.blob).collect();
                pick(SIDECARS, slot, hash, blobs)
            },
        ])
    }

    fn clock(&self) -> Result<Clock, Failure> {
        if let Some(clock) = self.clock.get() {
            return Ok(*clock);
        }
        let genesis: Genesis = self.get(GENESIS, GENESIS, "")?;
        let spec: Spec = self.get(SPEC, SPEC, "")?;
        let clock = Clock { genesis: genesis.genesis_time.0, slot_seconds: spec.seconds.0 };
        Ok(*self.clock.get_or_init(|| clock))
    }

    fn get<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: &str,
        query: &str,
    ) -> Result<T, Failure> {
        let get = || {
            let answer = self.http.get(path, query)?;
            match answer.status {
                200 => Ok(parse_json::<Data<T>>(&answer.body)?.data),
                // No such block, no such blob, or no such path: the next way will tell.
                404 => Err(Fault::Absent),
                400 | 405 | 501 => Err(Fault::Unsupported),
                status => Err(Fault::Status(status)),
            }
        };
        get().map_err(|fault| Failure { method, fault })
    }
}

/// The blob with this hash among `blobs`.
fn pick(
    method: &'static str,
    slot: u64,
    hash: B256,
    blobs: Vec<Bytes>,
) -> Result<VerifiedBlob, Failure> {
    let count = blobs.len();
    blobs
        .into_iter()
        .find_map(|blob| {
            let commitment = blob::commitment(&blob)?;
            (blob::versioned_hash(&commitment) == hash).then_some(VerifiedBlob { commitment, blob })
        })
        .ok_or_else(|| {
            let fault = if count == 0 { Fault::Absent } else { Fault::Blob { slot, count } };
            Failure { method, fault }
        })
}

impl crate::source::Node for BeaconNode {
    fn url(&self) -> &NodeUrl {
        self.http.url()
    }

    fn greet(&self) -> Result<String, Failures> {
        let Clock { genesis, slot_seconds } = self.clock()?;
        Ok(format!("genesis at {genesis}, {slot_seconds} s a slot"))
    }
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Genesis {
    genesis_time: Decimal,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "SECONDS_PER_SLOT")]
    seconds: Decimal,
}

#[derive(Deserialize)]
struct Sidecar {
    blob: Bytes,
    kzg_commitment: Bytes,
}

/// The beacon API writes numbers as decimal text.
#[derive(Clone, Copy)]
struct Decimal(u64);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_time() {
        let clock = Clock { genesis: 1_606_824_023, slot_seconds: 12 };
        assert!(matches!(clock.slot(1_606_824_023), Ok(0)));
        assert!(matches!(clock.slot(1_606_824_035), Ok(1)));
        assert!(matches!(clock.slot(1_710_338_135), Ok(8_626_176)));
        assert!(matches!(clock.slot(1_606_824_022), Err(Fault::Slot { .. })));
        let still = Clock { genesis: 0, slot_seconds: 0 };
        assert!(matches!(still.slot(12), Err(Fault::Slot { .. })));
    }
}
