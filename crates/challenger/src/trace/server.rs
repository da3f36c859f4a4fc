//! The preimage servers that an external machine starts: their commands, as the deployed challenger writes them.
//!
//! Source: the deployed challenger's calls of `op-program` and of `kona-host`.

use super::ChainNodes;
use super::vm::{RunInputs, ServerCommand};
use rebut_host::source::NodeUrl;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whose flags a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerForm {
    /// Those of `op-program`.
    OpProgram,
    /// Those of `kona-host single`.
    Kona,
}

/// A server, and what it is told of the chain.
#[derive(Clone, Debug)]
pub struct PreimageServer {
    /// The program.
    pub program: PathBuf,
    /// Its flags.
    pub form: ServerForm,
    /// The nodes.
    pub nodes: ChainNodes,
    /// A chain that the server knows by name; only `op-program` has names.
    pub network: Option<String>,
    /// The rollup configuration's file.
    pub rollup_config: Option<PathBuf>,
    /// The L2 chain's genesis file; only `op-program` reads one.
    pub l2_genesis: Option<PathBuf>,
    /// The L1 chain's genesis file.
    pub l1_config: Option<PathBuf>,
}

/// Collects flags and values.
struct Line(Vec<OsString>);

impl Line {
    fn with(&mut self, flag: &str, value: impl Into<OsString>) {
        self.0.extend([flag.into(), value.into()]);
    }

    fn maybe(&mut self, flag: &str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.with(flag, value);
        }
    }
}

fn first(urls: &[NodeUrl]) -> Option<String> {
    urls.first().map(NodeUrl::full)
}

impl PreimageServer {
    /// The command for a trace, over the store in a folder.
    pub fn command(&self, inputs: &RunInputs, store: &Path) -> Vec<OsString> {
        let mut line = Line(vec![self.program.clone().into()]);
        match self.form {
            ServerForm::OpProgram => self.op_program(inputs, store, &mut line),
            ServerForm::Kona => self.kona(inputs, store, &mut line),
        }
        line.0
    }

    /// The command as engines take it.
    pub fn into_command(self) -> ServerCommand {
        Arc::new(move |inputs, store| self.command(inputs, store))
    }

    fn op_program(&self, inputs: &RunInputs, store: &Path, line: &mut Line) {
        let (boot, nodes) = (&inputs.boot, &self.nodes);
        line.0.push("--server".into());
        line.maybe("--l1", first(&nodes.l1));
        line.maybe("--l1.beacon", first(&nodes.l1_beacon));
        let l2: Vec<String> = nodes.l2.iter().map(NodeUrl::full).collect();
        line.with("--l2", l2.join(","));
        line.with("--datadir", store);
        line.with("--l1.head", boot.l1_head.to_string());
        line.with("--l2.claim", boot.claimed_output.to_string());
        line.with("--l2.blocknumber", boot.claimed_number.to_string());
        line.with("--l2.head", inputs.agreed_l2_head.to_string());
        line.with("--l2.outputroot", boot.agreed_output.to_string());
        line.maybe("--network", self.network.as_ref());
        line.maybe("--rollup.config", self.rollup_config.as_ref());
        line.maybe("--l2.genesis", self.l2_genesis.as_ref());
        line.maybe("--l1.chainconfig", self.l1_config.as_ref());
    }

    fn kona(&self, inputs: &RunInputs, store: &Path, line: &mut Line) {
        let (boot, nodes) = (&inputs.boot, &self.nodes);
        line.0.push("single".into());
        line.maybe("--l1-node-address", first(&nodes.l1));
        line.maybe("--l1-beacon-address", first(&nodes.l1_beacon));
        line.maybe("--l2-node-address", first(&nodes.l2));
        line.with("--l1-head", boot.l1_head.to_string());
        line.with("--agreed-l2-head-hash", inputs.agreed_l2_head.to_string());
        line.with("--agreed-l2-output-root", boot.agreed_output.to_string());
        line.with("--claimed-l2-output-root", boot.claimed_output.to_string());
        line.with("--claimed-l2-block-number", boot.claimed_number.to_string());
        line.0.push("--server".into());
        line.with("--data-dir", store);
        match &self.rollup_config {
            Some(path) => line.with("--rollup-config-path", path),
            None => line.with("--l2-chain-id", boot.chain_id.to_string()),
        }
        line.maybe("--l1-config-path", self.l1_config.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use rebut_program::Boot;

    fn server(form: ServerForm, rollup_config: Option<&str>) -> PreimageServer {
        let url = |text: &str| vec![text.parse().expect("a URL")];
        let nodes = ChainNodes {
            l1: url("http://l1/key"),
            l1_beacon: url("http://beacon"),
            l2: url("http://l2/key"),
            ..ChainNodes::default()
        };
        PreimageServer {
            program: "server".into(),
            form,
            nodes,
            network: rollup_config.is_none().then(|| "op-mainnet".into()),
            rollup_config: rollup_config.map(PathBuf::from),
            l2_genesis: rollup_config.map(|_| "genesis.json".into()),
            l1_config: rollup_config.map(|_| "l1.json".into()),
        }
    }

    /// Expected: the flags in the order in which the deployed challenger gives them.
    #[test]
    fn commands_are_those_of_the_deployed_challenger() {
        let [head, agreed, claimed, l2] = [1, 2, 3, 4].map(B256::repeat_byte);
        let inputs = RunInputs {
            boot: Boot {
                l1_head: head,
                agreed_output: agreed,
                claimed_output: claimed,
                claimed_number: 77,
                chain_id: 10,
            },
            agreed_l2_head: l2,
            context: B256::ZERO,
        };
        let check = |server: PreimageServer, want: String| {
            let command = server.command(&inputs, Path::new("/store"));
            let command: Vec<String> =
                command.into_iter().map(|part| part.into_string().expect("text")).collect();
            assert_eq!(command.join(" "), want);
        };
        let op_program = format!(
            "server --server --l1 http://l1/key --l1.beacon http://beacon/ --l2 http://l2/key --datadir /store \
             --l1.head {head} --l2.claim {claimed} --l2.blocknumber 77 --l2.head {l2} --l2.outputroot {agreed}"
        );
        check(server(ServerForm::OpProgram, None), format!("{op_program} --network op-mainnet"));
        check(
            server(ServerForm::OpProgram, Some("rollup.json")),
            format!(
                "{op_program} --rollup.config rollup.json --l2.genesis genesis.json --l1.chainconfig l1.json"
            ),
        );
        let kona = format!(
            "server single --l1-node-address http://l1/key --l1-beacon-address http://beacon/ \
             --l2-node-address http://l2/key --l1-head {head} --agreed-l2-head-hash {l2} \
             --agreed-l2-output-root {agreed} --claimed-l2-output-root {claimed} --claimed-l2-block-number 77 \
             --server --data-dir /store"
        );
        check(server(ServerForm::Kona, None), format!("{kona} --l2-chain-id 10"));
        check(
            server(ServerForm::Kona, Some("rollup.json")),
            format!("{kona} --rollup-config-path rollup.json --l1-config-path l1.json"),
        );
    }
}
