//! Flags of the deployed tools that have nothing to set here. They are taken, so that an existing configuration starts,
//! and it is said that they have no effect.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// Flags with one reason.
struct Group {
    flags: &'static [&'static str],
    /// Whether they stand alone or with `=true`, as switches do, or in front of a value.
    are_switches: bool,
    /// Why they have no effect.
    why: &'static str,
}

const PROFILE: &str = "profile this process from outside";
const SENDS: &str = "transactions are followed and offered again in one way only";
const BLOBS: &str = "no agent sends blobs";
const SUPER: &str = "games about super roots are not played";
const CUSTOM: &str = "a chain's configuration is named by --rollup-config";

/// Of everybody who sends transactions.
const SENDER: &[Group] = &[
    Group {
        flags: &[
            "txmgr.not-in-mempool-timeout",
            "txmgr.rebroadcast-interval",
            "txmgr.retry-interval",
            "txmgr.max-retries",
            "txmgr.already-published-custom-errs",
        ],
        are_switches: false,
        why: SENDS,
    },
    Group {
        flags: &[
            "txmgr.cell-proof-time",
            "txmgr.blob-tip-cap-percentile",
            "txmgr.blob-tip-cap-range",
        ],
        are_switches: false,
        why: BLOBS,
    },
    Group { flags: &["txmgr.blob-tip-cap-dynamic"], are_switches: true, why: BLOBS },
];

/// Of the agents, which run for long.
const AGENT: &[Group] = &[
    Group { flags: &["pprof.enabled"], are_switches: true, why: PROFILE },
    Group {
        flags: &["pprof.addr", "pprof.port", "pprof.type", "pprof.path"],
        are_switches: false,
        why: PROFILE,
    },
];

const CHALLENGER: &[Group] = &[
    Group {
        flags: &["l1-rpc-kind"],
        are_switches: false,
        why: "receipts are read in the way that a node offers",
    },
    Group {
        flags: &["l2-experimental-eth-rpc"],
        are_switches: false,
        why: "the nodes of --l2-eth-rpc are asked for execution witnesses first",
    },
    Group {
        flags: &["cannon-kona-experimental-witness-endpoint"],
        are_switches: true,
        why: "the nodes of --l2-eth-rpc are asked for execution witnesses first",
    },
    Group {
        flags: &[
            "supernode-rpc",
            "depset-config",
            "cannon-depset-config",
            "cannon-kona-depset-config",
            "super-cannon-prestates-url",
            "super-cannon-kona-prestates-url",
            "super-cannon-rollup-config",
            "super-cannon-kona-rollup-config",
            "super-cannon-l1-genesis",
            "super-cannon-kona-l1-genesis",
            "super-cannon-l2-genesis",
            "super-cannon-kona-l2-genesis",
            "super-cannon-depset-config",
            "super-cannon-kona-depset-config",
        ],
        are_switches: false,
        why: SUPER,
    },
    Group {
        flags: &["cannon-l2-custom", "cannon-kona-l2-custom"],
        are_switches: true,
        why: CUSTOM,
    },
    Group {
        flags: &["unsafe-allow-invalid-prestate"],
        are_switches: true,
        why: "games with another prestate are never played",
    },
];

const PROPOSER: &[Group] = &[
    Group {
        flags: &["supervisor-rpcs"],
        are_switches: false,
        why: "games about super roots are not proposed",
    },
    Group {
        flags: &["active-sequencer-check-duration"],
        are_switches: false,
        why: "all rollup nodes are asked and must agree",
    },
    Group {
        flags: &["l2oo-address", "genesis-height"],
        are_switches: false,
        why: "proposals are dispute games",
    },
    Group {
        flags: &["rpc.addr", "rpc.port"],
        are_switches: false,
        why: "there is no RPC of the proposer's own",
    },
    Group {
        flags: &["rpc.enable-admin"],
        are_switches: true,
        why: "there is no RPC of the proposer's own",
    },
];

/// Who takes flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The challenger.
    Challenger,
    /// The proposer.
    Proposer,
    /// A command that sends one transaction, or none.
    ByHand,
}

impl Tool {
    fn groups(self) -> impl Iterator<Item = &'static Group> {
        let (own, long): (&[Group], &[Group]) = match self {
            Self::Challenger => (CHALLENGER, AGENT),
            Self::Proposer => (PROPOSER, AGENT),
            Self::ByHand => (&[], &[]),
        };
        SENDER.iter().chain(long).chain(own)
    }

    /// The command, taking these flags as well.
    pub fn add_to(self, mut command: Command) -> Command {
        for group in self.groups() {
            for flag in group.flags {
                let argument = Arg::new(*flag).long(*flag).hide(true);
                command = command.arg(match group.are_switches {
                    true => argument
                        .num_args(0..=1)
                        .require_equals(true)
                        .default_missing_value("true")
                        .value_parser(["true", "false"]),
                    false => argument,
                });
            }
        }
        command
    }

    /// Says which of them were given in vain.
    pub fn warn(self, matches: &ArgMatches) {
        for (flag, why) in self.given(matches) {
            tracing::warn!("--{flag} has no effect: {why}");
        }
    }

    fn given(self, matches: &ArgMatches) -> Vec<(&'static str, &'static str)> {
        let flags =
            self.groups().flat_map(|group| group.flags.iter().map(move |flag| (*flag, group)));
        let given = flags.filter(|(flag, group)| {
            let source = matches.try_contains_id(flag).is_ok().then(|| matches.value_source(flag));
            let is_set =
                matches!(source, Some(Some(ValueSource::CommandLine | ValueSource::EnvVariable)));
            let value = matches.try_get_one::<String>(flag).ok().flatten();
            is_set && !(group.are_switches && value.is_some_and(|value| value == "false"))
        });
        given.map(|(flag, group)| (flag, group.why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_effect_is_said() {
        let check = |tool: Tool, arguments: &str, want: &[&str]| {
            let command = tool.add_to(Command::new("agent"));
            let matches = command.try_get_matches_from(arguments.split(' ')).expect(arguments);
            let given: Vec<&str> = tool.given(&matches).iter().map(|(flag, _)| *flag).collect();
            assert_eq!(given, want, "{arguments}");
        };
        check(Tool::Challenger, "agent", &[]);
        check(
            Tool::Challenger,
            "agent --pprof.enabled --pprof.port 6060 --l1-rpc-kind=alchemy",
            &["pprof.enabled", "pprof.port", "l1-rpc-kind"],
        );
        check(Tool::Challenger, "agent --pprof.enabled=false", &[]);
        check(
            Tool::Proposer,
            "agent --rpc.port=8545 --rpc.enable-admin",
            &["rpc.port", "rpc.enable-admin"],
        );
        check(Tool::ByHand, "agent --txmgr.max-retries 3", &["txmgr.max-retries"]);
    }
}
