//! Names of environment variables: prefix, underscore, flag in upper snake case, with the exceptions that deployed
//! tooling has.

use clap::Command;

/// Flags whose variable is named otherwise.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("fee-limit-multiplier", "TXMGR_FEE_LIMIT_MULTIPLIER"),
    ("txmgr.send-timeout", "TXMGR_TX_SEND_TIMEOUT"),
    ("txmgr.not-in-mempool-timeout", "TXMGR_TX_NOT_IN_MEMPOOL_TIMEOUT"),
];

/// Lets every flag of `command`, and of its subcommands, be given by a variable with this prefix. A flag with other names
/// has their variables too: the first that is set counts.
pub fn with_variables(command: Command, prefix: &'static str) -> Command {
    let command = command.mut_args(|argument| {
        let Some(flag) = argument.get_long().map(ToOwned::to_owned) else { return argument };
        if ["help", "version", "json"].contains(&flag.as_str()) {
            return argument;
        }
        let aliases = argument.get_all_aliases().unwrap_or_default();
        let mut names = std::iter::once(flag.as_str())
            .chain(aliases)
            .map(|name| format!("{prefix}_{}", variable(name)))
            .collect::<Vec<_>>()
            .into_iter();
        let Some(first) = names.next() else { return argument };
        let name = match std::env::var_os(&first) {
            Some(_) => first,
            None => names.find(|name| std::env::var_os(name).is_some()).unwrap_or(first),
        };
        // Arguments are built once a process, and live as long.
        argument.env(&*Box::leak(name.into_boxed_str())).hide_env_values(true)
    });
    command.mut_subcommands(|subcommand| with_variables(subcommand, prefix))
}

fn variable(flag: &str) -> String {
    match EXCEPTIONS.iter().find(|(name, _)| *name == flag) {
        Some((_, variable)) => (*variable).to_owned(),
        None => flag.to_ascii_uppercase().replace(['-', '.'], "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_in_deployed_tooling() {
        let check = |flag, want| assert_eq!(variable(flag), want);
        check("l1-eth-rpc", "L1_ETH_RPC");
        check("signer.tls.ca", "SIGNER_TLS_CA");
        check("txmgr.min-tip-cap", "TXMGR_MIN_TIP_CAP");
        check("txmgr.send-timeout", "TXMGR_TX_SEND_TIMEOUT");
        check("fee-limit-multiplier", "TXMGR_FEE_LIMIT_MULTIPLIER");
        check("num-confirmations", "NUM_CONFIRMATIONS");
    }
}
