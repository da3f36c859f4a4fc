//! The members of a rollup configuration that execution needs, in every spelling that files use.
//!
//! ```text
//!   fork times        regolith_time … karst_time       absent or null: not scheduled
//!   base fee, older   base_fee_params, canyon_base_fee_params
//!                       { max_change_denominator, elasticity_multiplier }
//!   base fee, newer   chain_op_config
//!                       { eip1559Elasticity, eip1559Denominator, eip1559DenominatorCanyon }
//! ```

use super::Number;
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};
use serde::{Deserialize, Serialize};

/// The parameters of OP Mainnet, for files that give none.
const STANDARD: BaseFeeDefaults =
    BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 };

/// A parameter that no chain can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value} is impossible, {rule}")]
pub struct ParameterError {
    /// The member, from the rollup configuration on.
    pub field: &'static str,
    /// What it says.
    pub value: u64,
    /// What it breaks.
    pub rule: &'static str,
}

/// The members of a rollup configuration that execution needs, and those that it must not have. Others
/// are passed over: a recorded block depends on no more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionMembers {
    l2_chain_id: Option<Number>,
    regolith_time: Option<Number>,
    canyon_time: Option<Number>,
    ecotone_time: Option<Number>,
    fjord_time: Option<Number>,
    granite_time: Option<Number>,
    holocene_time: Option<Number>,
    isthmus_time: Option<Number>,
    jovian_time: Option<Number>,
    karst_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lagoon_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interop_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_fee_params: Option<BaseFeeParams>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canyon_base_fee_params: Option<BaseFeeParams>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_op_config: Option<ChainOpConfig>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BaseFeeParams {
    max_change_denominator: Number,
    elasticity_multiplier: Number,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ChainOpConfig {
    #[serde(rename = "eip1559Elasticity", alias = "eip1559_elasticity")]
    elasticity: Number,
    #[serde(rename = "eip1559Denominator", alias = "eip1559_denominator")]
    denominator: Number,
    #[serde(rename = "eip1559DenominatorCanyon", alias = "eip1559_denominator_canyon")]
    denominator_canyon: Number,
}

impl ExecutionMembers {
    /// The chain's parameters.
    ///
    /// # Errors
    /// [`ParameterError`] names the member.
    pub fn parameters(&self) -> Result<ChainParameters, ParameterError> {
        let missing = ParameterError { field: "l2_chain_id", value: 0, rule: "it is missing" };
        for (field, time) in
            [("lagoon_time", self.lagoon_time), ("interop_time", self.interop_time)]
        {
            if let Some(Number(value)) = time {
                let rule = "interop (Lagoon) is not implemented";
                return Err(ParameterError { field, value, rule });
            }
        }
        let mut forks = ForkTimes::default();
        for (fork, time) in self.times() {
            forks = forks.with(fork, time.map(|time| time.0));
        }
        Ok(ChainParameters {
            chain_id: self.l2_chain_id.ok_or(missing)?.0,
            forks,
            base_fee: self.base_fee()?,
        })
    }

    const fn times(&self) -> [(Fork, Option<Number>); 9] {
        [
            (Fork::Regolith, self.regolith_time),
            (Fork::Canyon, self.canyon_time),
            (Fork::Ecotone, self.ecotone_time),
            (Fork::Fjord, self.fjord_time),
            (Fork::Granite, self.granite_time),
            (Fork::Holocene, self.holocene_time),
            (Fork::Isthmus, self.isthmus_time),
            (Fork::Jovian, self.jovian_time),
            (Fork::Karst, self.karst_time),
        ]
    }

    /// The newer spelling is preferred where a file has both.
    fn base_fee(&self) -> Result<BaseFeeDefaults, ParameterError> {
        if let Some(config) = self.chain_op_config {
            return Ok(BaseFeeDefaults {
                elasticity: narrow("chain_op_config.eip1559Elasticity", config.elasticity)?,
                denominator: narrow("chain_op_config.eip1559Denominator", config.denominator)?,
                denominator_canyon: narrow(
                    "chain_op_config.eip1559DenominatorCanyon",
                    config.denominator_canyon,
                )?,
            });
        }
        let mut defaults = STANDARD;
        if let Some(params) = self.base_fee_params {
            let field = "base_fee_params.elasticity_multiplier";
            defaults.elasticity = narrow(field, params.elasticity_multiplier)?;
            let field = "base_fee_params.max_change_denominator";
            defaults.denominator = narrow(field, params.max_change_denominator)?;
        }
        if let Some(params) = self.canyon_base_fee_params {
            let field = "canyon_base_fee_params.elasticity_multiplier";
            if narrow(field, params.elasticity_multiplier)? != defaults.elasticity {
                let rule = "it differs from the one before Canyon, which no upgrade changed";
                return Err(ParameterError { field, value: params.elasticity_multiplier.0, rule });
            }
            let field = "canyon_base_fee_params.max_change_denominator";
            defaults.denominator_canyon = narrow(field, params.max_change_denominator)?;
        }
        Ok(defaults)
    }
}

fn narrow(field: &'static str, Number(value): Number) -> Result<u32, ParameterError> {
    u32::try_from(value).map_err(|_| ParameterError { field, value, rule: "it exceeds 32 bits" })
}

/// In the newer spelling.
impl From<&ChainParameters> for ExecutionMembers {
    fn from(chain: &ChainParameters) -> Self {
        let time = |fork| chain.forks.time(fork).map(Number);
        Self {
            l2_chain_id: Some(Number(chain.chain_id)),
            regolith_time: time(Fork::Regolith),
            canyon_time: time(Fork::Canyon),
            ecotone_time: time(Fork::Ecotone),
            fjord_time: time(Fork::Fjord),
            granite_time: time(Fork::Granite),
            holocene_time: time(Fork::Holocene),
            isthmus_time: time(Fork::Isthmus),
            jovian_time: time(Fork::Jovian),
            karst_time: time(Fork::Karst),
            lagoon_time: None,
            interop_time: None,
            base_fee_params: None,
            canyon_base_fee_params: None,
            chain_op_config: Some(ChainOpConfig {
                elasticity: Number(chain.base_fee.elasticity.into()),
                denominator: Number(chain.base_fee.denominator.into()),
                denominator_canyon: Number(chain.base_fee.denominator_canyon.into()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn parse(json: &str) -> Result<ChainParameters, ParameterError> {
        serde_json::from_str::<ExecutionMembers>(json).unwrap().parameters()
    }

    fn check_base_fee(members: &str, expected: [u32; 3]) {
        let chain = parse(&format!(r#"{{"l2_chain_id": 10, {members}}}"#)).unwrap();
        let [elasticity, denominator, denominator_canyon] = expected;
        let expected = BaseFeeDefaults { elasticity, denominator, denominator_canyon };
        assert_eq!(chain.base_fee, expected, "{members}");
    }

    #[test]
    fn base_fee_parameters_in_every_spelling() {
        check_base_fee(r#""note": "none""#, [6, 50, 250]);
        let older = r#""base_fee_params":
                {"max_change_denominator": "0x32", "elasticity_multiplier": "0xa"},
            "canyon_base_fee_params":
                {"max_change_denominator": "0xfb", "elasticity_multiplier": "0xa"}"#;
        check_base_fee(older, [10, 50, 251]);
        let newer = r#""chain_op_config": {"eip1559Elasticity": "0x7",
            "eip1559Denominator": "0x33", "eip1559DenominatorCanyon": "0xfa"}"#;
        check_base_fee(newer, [7, 51, 250]);
        let numbers = r#""chain_op_config": {"eip1559Elasticity": 7,
            "eip1559Denominator": 51, "eip1559DenominatorCanyon": 250}"#;
        check_base_fee(numbers, [7, 51, 250]);
        check_base_fee(&format!("{older}, {newer}"), [7, 51, 250]);
    }

    #[test]
    fn fork_times_may_be_absent_or_null() {
        let chain = parse(
            r#"{"l2_chain_id": 10, "canyon_time": 5, "delta_time": 6, "ecotone_time": "0x7",
                "jovian_time": null, "interop_time": null, "pectra_blob_schedule_time": 8}"#,
        )
        .unwrap();
        let expected =
            ForkTimes::default().with(Fork::Canyon, Some(5)).with(Fork::Ecotone, Some(7));
        assert_eq!(chain.forks, expected);
        assert_eq!(chain.chain_id, 10);
    }

    #[test]
    fn parameters_that_no_chain_has() {
        let check = |json: &str, field: &str| match parse(json) {
            Err(error) => assert_eq!(error.field, field, "{json}"),
            Ok(chain) => panic!("{json}: {chain:?}"),
        };
        check(r#"{"l2_chain_id": 10, "lagoon_time": 0}"#, "lagoon_time");
        check(r#"{"l2_chain_id": 10, "interop_time": "0x5"}"#, "interop_time");
        check("{}", "l2_chain_id");
        check(
            r#"{"l2_chain_id": 1, "base_fee_params":
                {"max_change_denominator": "0x100000000", "elasticity_multiplier": 6}}"#,
            "base_fee_params.max_change_denominator",
        );
        check(
            r#"{"l2_chain_id": 1, "canyon_base_fee_params":
                {"max_change_denominator": 250, "elasticity_multiplier": 7}}"#,
            "canyon_base_fee_params.elasticity_multiplier",
        );
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let mut forks = ForkTimes::default();
        for (time, fork) in Fork::TIMED.into_iter().enumerate().skip(1) {
            forks = forks.with(fork, Some(100 + time as u64));
        }
        let base_fee = BaseFeeDefaults { elasticity: 2, denominator: 8, denominator_canyon: 9 };
        let chain = ChainParameters { chain_id: 7, forks, base_fee };
        let json = serde_json::to_string(&ExecutionMembers::from(&chain)).unwrap();
        assert_eq!(parse(&json).unwrap(), chain);
    }
}
