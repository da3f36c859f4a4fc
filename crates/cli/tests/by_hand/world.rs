//! An L1 in a process of its own, the contracts that `rebut deploy` puts there, and commands on it.

pub use crate::l1::L1;
use alloy_primitives::{Address, B256, U64, U256, address};
use flate2::read::GzDecoder;
use rebut_devnet::keys::{DEV_KEYS, Key};
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Whose key is whose. Whoever acts for somebody else pays the gas alone, so that balances stay exact.
pub const DEPLOYER: B256 = DEV_KEYS[0];
pub const GUARDIAN: B256 = DEV_KEYS[1];
pub const PROPOSER: B256 = DEV_KEYS[2];
pub const CHALLENGER: B256 = DEV_KEYS[3];
pub const NOBODY: B256 = DEV_KEYS[4];

/// Owns the contracts in the end; it has no part in any test.
const OWNER: Address = address!("00000000000000000000000000000000000004e1");
/// The clock of the fast preset.
pub const CLOCK: u64 = 300;
/// Its delay of finality.
pub const FINALITY: u64 = 6;
/// Its delay of bonds.
pub const DELAY: u64 = 10;

pub fn account(key: B256) -> Address {
    Key::new(key).unwrap().address()
}

/// How a command ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// It failed with exit code 1, printed nothing, and says why in one line with these words.
    #[track_caller]
    pub fn fails(self, words: &[&str]) {
        let Self { code, stdout, stderr } = self;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{stderr}");
        assert_eq!(stderr.lines().last(), errors.first().copied(), "{stderr}");
        for word in words {
            assert!(errors[0].contains(word), "no {word:?} in {:?}", errors[0]);
        }
    }
}

/// The command with these arguments, separated by spaces.
pub fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebut"));
    command.args(arguments.split_whitespace()).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

pub fn rebut(arguments: &str) -> Ended {
    Ended::of(command(arguments).output().unwrap())
}

impl L1 {
    /// One in which each transaction is a block.
    pub fn start(options: &str) -> Self {
        let l1 = Self::spawn(options);
        l1.ask("evm_setAutomine", json!([true]));
        l1
    }

    pub fn ask(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = ureq::post(&self.url).send(body.to_string()).unwrap();
        let answer = answer.body_mut().read_to_string().unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        self.ask("evm_increaseTime", json!([seconds]));
        self.mine();
    }

    pub fn mine(&self) {
        self.ask("evm_mine", json!([]));
    }

    /// From now on blocks are mined when they are asked for.
    pub fn mine_by_hand(&self) {
        self.ask("evm_setAutomine", json!([false]));
    }

    pub fn balance(&self, account: Address) -> U256 {
        self.ask("eth_getBalance", json!([account, "latest"])).as_str().unwrap().parse().unwrap()
    }

    /// The account's next nonce, after the newest block or after what waits to be in one.
    pub fn nonce(&self, account: Address, at: &str) -> u64 {
        let nonce = self.ask("eth_getTransactionCount", json!([account, at]));
        serde_json::from_value::<U64>(nonce).unwrap().to()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A configuration of small games over the fast preset, with further lines at its head.
pub fn configuration(head: &str, prestate: &str) -> String {
    format!(
        "preset = \"fast\"\nl1_chain_id = 900\nl2_chain_id = 901\nowner = \"{OWNER}\"\nguardian = \"{}\"\n{head}\n\
         [anchor]\noutput_root = \"{}\"\nl2_block_number = 5\n\
         [[games]]\nabsolute_prestate = \"{prestate}\"\nmax_depth = 5\nsplit_depth = 2\n",
        account(GUARDIAN),
        B256::repeat_byte(0x11),
    )
}

/// An L1 with contracts, and a folder for files.
pub struct World {
    pub l1: L1,
    pub folder: TempDir,
    at: Value,
}

impl World {
    /// With a machine whose first state is that of a program that says hello: `state.bin`.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let guest =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/prebuilt/mips64/hello.elf.gz");
        let mut elf = Vec::new();
        GzDecoder::new(fs::File::open(guest).unwrap()).read_to_end(&mut elf).unwrap();
        let (state, meta, program) = (file("state.bin"), file("meta.json"), file("hello.elf"));
        fs::write(&program, elf).unwrap();
        let load = format!("--path {program} --out {state} --meta {meta}");
        rebut(&format!("cannon load-elf --type multithreaded64-5 {load}")).ok();
        let witness = rebut(&format!("cannon witness --input {state}")).json();
        let prestate = witness["witnessHash"].as_str().unwrap();

        let config = file("chain.toml");
        fs::write(&config, configuration("", prestate)).unwrap();
        let l1 = L1::start("");
        let deployed = deploy(&l1.url, &config, "").json();
        assert_eq!(deployed["ok"], true, "{deployed}");
        Self { l1, folder, at: deployed["addresses"].clone() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of a contract, by its name in the deployment's report.
    pub fn at(&self, contract: &str) -> &str {
        self.at[contract].as_str().unwrap()
    }

    /// A command that only reads.
    pub fn look(&self, arguments: &str) -> Ended {
        rebut(&format!("{arguments} --l1-eth-rpc {}", self.l1.url))
    }

    /// A command that sends a transaction of this account.
    pub fn act(&self, key: B256, arguments: &str) -> Ended {
        let patience = "--num-confirmations 1 --txmgr.receipt-query-interval 10ms";
        self.look(&format!("{arguments} --private-key {key} {patience}"))
    }

    /// The proposer creates a game about L2 block `block`.
    pub fn create(&self, block: u64) -> Address {
        let factory = self.at("dispute_game_factory");
        let root = B256::repeat_byte(0x22);
        let create = format!("game create --game-factory-address {factory} --output-root {root}");
        let created = self.act(PROPOSER, &format!("{create} --l2-block-num {block} --json")).json();
        assert!(created["gasUsed"].as_u64().unwrap() > 100_000, "{created}");
        let list = format!("game list --game-factory-address {factory} --sort-order desc --json");
        let games = self.look(&list).json();
        assert_eq!(games[0]["l2SequenceNumber"], json!(U256::from(block)), "{games}");
        games[0]["game"].as_str().unwrap().parse().unwrap()
    }

    /// Resolves claims from the last one down, and the game.
    pub fn resolve(&self, game: Address, claims: u32) {
        for claim in (0..claims).rev() {
            self.act(NOBODY, &format!("game resolve-claim {game} --claim {claim}")).ok();
        }
        self.act(NOBODY, &format!("game resolve {game}")).ok();
    }

    /// What `game show --json` says of whether a game counts.
    pub fn standing(&self, game: Address) -> Value {
        self.look(&format!("game show {game} --json")).json()["standing"].take()
    }

    /// The line of `game show` under this name.
    pub fn shown(&self, game: Address, name: &str) -> String {
        let text = self.look(&format!("game show {game}")).ok();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
    }

    /// Somebody has an account's credit unlocked, and after the delay paid out. What it got, which must be what the
    /// credits said.
    pub fn pay(&self, game: Address, recipient: Address) -> U256 {
        let claim = format!("game claim-credit {game} --recipient {recipient}");
        let line = || {
            let credits = self.look(&format!("game credits {game} --json")).json();
            let accounts = credits["accounts"].as_array().unwrap();
            let own = |line: &&Value| line["account"] == json!(recipient);
            accounts.iter().find(own).unwrap().clone()
        };
        assert_eq!(line()["unlocked"], false);
        let before = self.l1.balance(recipient);
        self.act(NOBODY, &claim).ok();
        let unlocked = line();
        assert_eq!(unlocked["unlocked"], true);
        assert_eq!(unlocked["withdrawal"], unlocked["credit"]);
        assert_eq!(self.l1.balance(recipient), before, "not yet");
        self.act(NOBODY, &claim).fails(&["the contract refuses"]);
        self.l1.pass(DELAY + 1);
        if unlocked["credit"] == json!(U256::ZERO) {
            self.act(NOBODY, &claim).fails(&["NoCreditToClaim()"]);
        } else {
            self.act(NOBODY, &claim).ok();
        }
        let paid = self.l1.balance(recipient) - before;
        assert_eq!(json!(paid), unlocked["credit"]);
        assert_eq!(line()["credit"], json!(U256::ZERO));
        paid
    }
}

/// `rebut deploy` by the deployer, with a JSON report.
pub fn deploy(url: &str, config: &str, more: &str) -> Ended {
    rebut(&deployment(url, config, &format!("--json {more}")))
}

/// The arguments of `rebut deploy` by the deployer.
pub fn deployment(url: &str, config: &str, more: &str) -> String {
    let key = format!("--private-key {DEPLOYER} --receipt-query-interval-ms 5");
    format!("deploy --config {config} --rpc-url {url} {key} {more}")
}
