//! The rollup's file: what `op-node` and `kona` call `rollup.json`.
//!
//! The members that execution needs are read by [`ExecutionMembers`], all others here. Both know the
//! whole list, so that a member that is new to them is noticed.

use super::{Document, ExecutionMembers, Feature, JsonError, Number, ParameterError, bounded};
use alloc::{collections::BTreeMap, string::String};
use alloy_primitives::{Address, B64, B256, U256};
use rebut_derivation::{
    BlockId, Eip1559Params, Genesis, L1Config, OperatorFee, RollupConfig, SystemConfig,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

/// In force from Granite on where the file does not say.
const GRANITE_CHANNEL_TIMEOUT: u64 = 50;
/// In force from Fjord on. Only a variant of `kona` has a member for it.
const FJORD_MAX_SEQUENCER_DRIFT: u64 = 1800;

/// Members that [`ExecutionMembers`] reads.
const EXECUTION: [&str; 13] = [
    "l2_chain_id",
    "regolith_time",
    "canyon_time",
    "ecotone_time",
    "fjord_time",
    "granite_time",
    "holocene_time",
    "isthmus_time",
    "jovian_time",
    "karst_time",
    "base_fee_params",
    "canyon_base_fee_params",
    "chain_op_config",
];

/// Members that [`Members`] reads.
const DERIVATION: [&str; 21] = [
    "genesis",
    "block_time",
    "max_sequencer_drift",
    "fjord_max_sequencer_drift",
    "seq_window_size",
    "channel_timeout",
    "granite_channel_timeout",
    "l1_chain_id",
    "delta_time",
    "pectra_blob_schedule_time",
    "batch_inbox_address",
    "deposit_contract_address",
    "l1_system_config_address",
    "keep_karst_upgrade_gas",
    "lagoon_time",
    "interop_time",
    "alt_da",
    "alt_da_config",
    "use_plasma",
    "da_challenge_address",
    "da_challenge_contract_address",
];

/// Members that deployed tools know and that nothing derived depends on. Windows and commitments of
/// alt-DA are among them: a chain that uses alt-DA is refused for the members that say so.
const PASSED_OVER: [&str; 8] = [
    "protocol_versions_address",
    "superchain_config_address",
    "blobs_data",
    "blobs_enabled_l1_timestamp",
    "interop_message_expiry_window",
    "da_challenge_window",
    "da_resolve_window",
    "da_commitment_type",
];

#[derive(Deserialize)]
struct Members {
    genesis: Option<GenesisMembers>,
    block_time: Option<Number>,
    /// Left out where it is 0, as for chains that begin with Fjord.
    max_sequencer_drift: Option<Number>,
    fjord_max_sequencer_drift: Option<Number>,
    seq_window_size: Option<Number>,
    channel_timeout: Option<Number>,
    granite_channel_timeout: Option<Number>,
    l1_chain_id: Option<Number>,
    delta_time: Option<Number>,
    pectra_blob_schedule_time: Option<Number>,
    batch_inbox_address: Option<Address>,
    deposit_contract_address: Option<Address>,
    l1_system_config_address: Option<Address>,
    keep_karst_upgrade_gas: Option<bool>,
    lagoon_time: Option<Number>,
    interop_time: Option<Number>,
    alt_da: Option<IgnoredAny>,
    alt_da_config: Option<IgnoredAny>,
    use_plasma: Option<bool>,
    da_challenge_address: Option<Address>,
    da_challenge_contract_address: Option<Address>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisMembers {
    l1: BlockMembers,
    l2: BlockMembers,
    l2_time: Number,
    system_config: SystemConfigMembers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockMembers {
    hash: B256,
    number: Number,
}

impl From<BlockMembers> for BlockId {
    fn from(BlockMembers { hash, number }: BlockMembers) -> Self {
        Self { hash, number: number.0 }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SystemConfigMembers {
    #[serde(alias = "batcherAddress")]
    batcher_addr: Address,
    overhead: U256,
    scalar: U256,
    gas_limit: Number,
    /// Already in the scalar.
    #[serde(rename = "baseFeeScalar")]
    _base_fee_scalar: Option<IgnoredAny>,
    /// Already in the scalar.
    #[serde(rename = "blobBaseFeeScalar")]
    _blob_base_fee_scalar: Option<IgnoredAny>,
    /// Denominator and elasticity, four bytes each; `op-node`'s spelling.
    #[serde(rename = "eip1559Params")]
    eip_1559_params: Option<B64>,
    #[serde(rename = "eip1559Denominator")]
    eip_1559_denominator: Option<u32>,
    #[serde(rename = "eip1559Elasticity")]
    eip_1559_elasticity: Option<u32>,
    /// Scalar and constant in the last four and eight bytes; `op-node`'s spelling.
    operator_fee_params: Option<B256>,
    operator_fee_scalar: Option<u32>,
    operator_fee_constant: Option<u64>,
    min_base_fee: Option<Number>,
    da_footprint_gas_scalar: Option<u16>,
}

/// Reads the file. Of the L1 chain it knows the id alone.
pub(super) fn parse(json: &[u8]) -> Result<RollupConfig, JsonError> {
    let json = bounded(Document::Rollup, json)?;
    refuse_unknown(json)?;
    let execution: ExecutionMembers = serde_json::from_slice(json).map_err(malformed)?;
    let members: Members = serde_json::from_slice(json).map_err(malformed)?;
    members.refuse_unsupported()?;
    let genesis = required("genesis", members.genesis)?;
    let number = |member, value| required(member, value).map(|Number(number)| number);
    Ok(RollupConfig {
        chain: execution.parameters()?,
        genesis: Genesis {
            l1: genesis.l1.into(),
            l2: genesis.l2.into(),
            l2_time: genesis.l2_time.0,
            system_config: genesis.system_config.read()?,
        },
        block_time: number("block_time", members.block_time)?,
        max_sequencer_drift: members.max_sequencer_drift.map_or(0, |drift| drift.0),
        seq_window_size: number("seq_window_size", members.seq_window_size)?,
        channel_timeout: number("channel_timeout", members.channel_timeout)?,
        granite_channel_timeout: members
            .granite_channel_timeout
            .map_or(GRANITE_CHANNEL_TIMEOUT, |timeout| timeout.0),
        delta_time: members.delta_time.map(|time| time.0),
        pectra_blob_schedule_time: members.pectra_blob_schedule_time.map(|time| time.0),
        batch_inbox: required("batch_inbox_address", members.batch_inbox_address)?,
        deposit_contract: required("deposit_contract_address", members.deposit_contract_address)?,
        l1_system_config: required("l1_system_config_address", members.l1_system_config_address)?,
        keep_karst_upgrade_gas: members.keep_karst_upgrade_gas.unwrap_or(false),
        l1: L1Config {
            chain_id: number("l1_chain_id", members.l1_chain_id)?,
            ..L1Config::default()
        },
    })
}

const fn malformed(source: serde_json::Error) -> JsonError {
    JsonError::Malformed { document: Document::Rollup, source }
}

fn required<T>(member: &'static str, value: Option<T>) -> Result<T, JsonError> {
    value.ok_or(JsonError::Missing { document: Document::Rollup, member })
}

fn refuse_unknown(json: &[u8]) -> Result<(), JsonError> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(json).map_err(malformed)?;
    let known = |member: &str| {
        [&EXECUTION[..], &DERIVATION, &PASSED_OVER].iter().any(|list| list.contains(&member))
    };
    match members.into_keys().find(|member| !known(member)) {
        Some(member) => Err(JsonError::Unknown { document: Document::Rollup, member }),
        None => Ok(()),
    }
}

impl Members {
    fn refuse_unsupported(&self) -> Result<(), JsonError> {
        let challenged = |address: Option<Address>| address.is_some_and(|at| !at.is_zero());
        let uses = [
            ("lagoon_time", self.lagoon_time.is_some(), Feature::Interop),
            ("interop_time", self.interop_time.is_some(), Feature::Interop),
            ("alt_da", self.alt_da.is_some(), Feature::AltDa),
            ("alt_da_config", self.alt_da_config.is_some(), Feature::AltDa),
            ("use_plasma", self.use_plasma == Some(true), Feature::AltDa),
            ("da_challenge_address", challenged(self.da_challenge_address), Feature::AltDa),
            (
                "da_challenge_contract_address",
                challenged(self.da_challenge_contract_address),
                Feature::AltDa,
            ),
        ];
        if let Some((member, _, feature)) = uses.into_iter().find(|(_, used, _)| *used) {
            return Err(JsonError::Unsupported { member, feature });
        }
        match self.fjord_max_sequencer_drift {
            Some(Number(value)) if value != FJORD_MAX_SEQUENCER_DRIFT => {
                let field = "fjord_max_sequencer_drift";
                let rule = "the protocol makes it 1800";
                Err(ParameterError { field, value, rule }.into())
            }
            _ => Ok(()),
        }
    }
}

impl SystemConfigMembers {
    fn read(self) -> Result<SystemConfig, JsonError> {
        let [denominator, elasticity] = match self.eip_1559_params {
            Some(params) => halves(params),
            None => {
                [self.eip_1559_denominator, self.eip_1559_elasticity].map(Option::unwrap_or_default)
            }
        };
        if (denominator == 0) != (elasticity == 0) {
            let field = "genesis.system_config.eip1559Params";
            let rule = "one of the two parameters is zero and the other is not";
            let value = u64::from(denominator.max(elasticity));
            return Err(ParameterError { field, value, rule }.into());
        }
        Ok(SystemConfig {
            batcher: self.batcher_addr,
            overhead: self.overhead,
            scalar: self.scalar,
            gas_limit: self.gas_limit.0,
            // Two zeros stand for parameters that were never set.
            eip_1559: (denominator != 0).then_some(Eip1559Params { denominator, elasticity }),
            operator_fee: match self.operator_fee_params {
                Some(params) => operator_fee(params),
                None => OperatorFee {
                    scalar: self.operator_fee_scalar.unwrap_or_default(),
                    constant: self.operator_fee_constant.unwrap_or_default(),
                },
            },
            min_base_fee: self.min_base_fee.map_or(0, |fee| fee.0),
            da_footprint_gas_scalar: self.da_footprint_gas_scalar.unwrap_or_default(),
        })
    }
}

const fn halves(params: B64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = params.0;
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

const fn operator_fee(params: B256) -> OperatorFee {
    let [.., s0, s1, s2, s3, c0, c1, c2, c3, c4, c5, c6, c7] = params.0;
    OperatorFee {
        scalar: u32::from_be_bytes([s0, s1, s2, s3]),
        constant: u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
    }
}

/// The file.
pub(super) fn write(config: &RollupConfig) -> Result<Value, serde_json::Error> {
    let Genesis { l1, l2, l2_time, system_config } = &config.genesis;
    let block = |id: &BlockId| json!({ "hash": id.hash, "number": id.number });
    let mut file = serde_json::to_value(ExecutionMembers::from(&config.chain))?;
    let others = json!({
        "genesis": {
            "l1": block(l1),
            "l2": block(l2),
            "l2_time": l2_time,
            "system_config": write_system_config(system_config),
        },
        "block_time": config.block_time,
        "max_sequencer_drift": config.max_sequencer_drift,
        "seq_window_size": config.seq_window_size,
        "channel_timeout": config.channel_timeout,
        "granite_channel_timeout": config.granite_channel_timeout,
        "l1_chain_id": config.l1.chain_id,
        "delta_time": config.delta_time,
        "pectra_blob_schedule_time": config.pectra_blob_schedule_time,
        "batch_inbox_address": config.batch_inbox,
        "deposit_contract_address": config.deposit_contract,
        "l1_system_config_address": config.l1_system_config,
        "keep_karst_upgrade_gas": config.keep_karst_upgrade_gas,
    });
    if let (Value::Object(file), Value::Object(others)) = (&mut file, others) {
        file.extend(others);
        // An upgrade that is not scheduled is left out.
        file.retain(|_, value| !value.is_null());
    }
    Ok(file)
}

fn write_system_config(config: &SystemConfig) -> Value {
    let Eip1559Params { denominator, elasticity } = config.eip_1559.unwrap_or_default();
    let params = u64::from(denominator) << 32 | u64::from(elasticity);
    let OperatorFee { scalar, constant } = config.operator_fee;
    let fee = U256::from(u128::from(scalar) << 64 | u128::from(constant));
    json!({
        "batcherAddr": config.batcher,
        "overhead": B256::from(config.overhead),
        "scalar": B256::from(config.scalar),
        "gasLimit": config.gas_limit,
        "eip1559Params": B64::from(params.to_be_bytes()),
        "operatorFeeParams": B256::from(fee),
        "minBaseFee": config.min_base_fee,
        "daFootprintGasScalar": config.da_footprint_gas_scalar,
    })
}
