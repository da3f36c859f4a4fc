//! Flags that several agents share.

use super::factories;
use crate::values::address;
use alloy_primitives::{Address, U256, utils::parse_units};
use anyhow::{Context, bail};
use rebut_challenger::chain::{Factory, Lens, Node};
use rebut_challenger::health::{self, Health};
use rebut_challenger::sender::{FeeLimits, KeySource, Policy, RemoteSigner, Sender, Signer};
use rebut_dispute::GameType;
use rebut_host::source::{self, NodeUrl, UrlError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The L1 node.
#[derive(Clone, Debug, clap::Args)]
pub struct L1Arguments {
    /// Execution node of L1, http or https.
    #[arg(long, value_name = "URL", value_parser = node_url)]
    pub l1_eth_rpc: String,
    /// The longest wait for an answer of a node.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub network_timeout: Duration,
}

impl L1Arguments {
    /// A node at an address, as patient as this one.
    pub fn node(&self, url: &str) -> anyhow::Result<Node> {
        Ok(Node::new(url, self.network_timeout)?)
    }

    /// How patiently rollup nodes are asked: every look asks anew.
    pub fn policy(&self) -> source::Policy {
        let request_timeout = self.network_timeout;
        source::Policy { request_timeout, rounds: 3, ..source::Policy::default() }
    }

    /// Reads of L1.
    pub fn lens(&self) -> anyhow::Result<Lens> {
        Ok(Lens::new(self.node(&self.l1_eth_rpc)?))
    }
}

/// The factory.
#[derive(Clone, Debug, clap::Args)]
pub struct FactoryArguments {
    /// The DisputeGameFactory.
    #[arg(long, value_name = "ADDRESS", visible_alias = "game-factory", value_parser = address)]
    pub game_factory_address: Option<Address>,
    /// A chain of the superchain registry, as op-mainnet: its factory, unless --game-factory-address is given.
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
}

impl FactoryArguments {
    /// The factory's address.
    pub fn address(&self) -> anyhow::Result<Address> {
        match (self.game_factory_address, &self.network) {
            (Some(address), _) => Ok(address),
            (None, Some(name)) => factories::of(name),
            (None, None) => bail!("give --game-factory-address, or --network"),
        }
    }

    /// The factory's address, where one stands there.
    pub async fn find(&self, lens: &Lens) -> anyhow::Result<Address> {
        let address = self.address()?;
        let block = lens.node().head().await?;
        let Factory { version, games } = Factory::find(lens, address, &block).await?;
        tracing::info!(factory = %address, version, %games, "found the factory");
        Ok(address)
    }
}

/// Who signs.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Transactions")]
pub struct KeyArguments {
    /// Private key, in hexadecimal. Better in the variable, in a file or at a remote signer: others see the flags of
    /// a process.
    #[arg(long, value_name = "HEX", hide_env_values = true)]
    private_key: Option<String>,
    /// File with the private key, in hexadecimal.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// Words of a BIP-39 mnemonic.
    #[arg(long, value_name = "WORDS", hide_env_values = true)]
    mnemonic: Option<String>,
    /// Derivation path of the mnemonic's key [default: m/44'/60'/0'/0/0].
    #[arg(long, value_name = "PATH", alias = "l2-output-hd-path")]
    hd_path: Option<String>,
    /// Remote signer, a server that signs transactions.
    #[arg(long = "signer.endpoint", value_name = "URL", requires = "signer_address")]
    signer_endpoint: Option<String>,
    /// Account for which the remote signer signs.
    #[arg(long = "signer.address", value_name = "ADDRESS", requires = "signer_endpoint", value_parser = address)]
    signer_address: Option<Address>,
    /// HTTP headers of requests to the remote signer.
    #[arg(long = "signer.header", value_name = "NAME=VALUE", value_delimiter = ',')]
    signer_header: Vec<String>,
    /// Certificate authority of the remote signer, PEM.
    #[arg(long = "signer.tls.ca", value_name = "FILE")]
    signer_tls_ca: Option<PathBuf>,
    /// Client certificate for the remote signer, PEM.
    #[arg(long = "signer.tls.cert", value_name = "FILE")]
    signer_tls_cert: Option<PathBuf>,
    /// Key of the client certificate, PEM.
    #[arg(long = "signer.tls.key", value_name = "FILE")]
    signer_tls_key: Option<PathBuf>,
}

/// Who signs, and how transactions are sent. Times are those of the challenger where the agents differ.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Transactions")]
pub struct SenderArguments {
    #[command(flatten)]
    keys: KeyArguments,
    /// Confirmations after which a transaction counts as done, in L1 blocks [default: 3, of the proposer 10].
    #[arg(long, value_name = "N")]
    num_confirmations: Option<u64>,
    /// Give up a transaction when its nonce has turned out to be taken so often.
    #[arg(long, value_name = "N", default_value_t = 3)]
    safe_abort_nonce_too_low_count: u32,
    /// Fees of a transaction are raised to at most this many times what the network suggests, where that is above the
    /// threshold.
    #[arg(long, value_name = "N", default_value_t = 5)]
    fee_limit_multiplier: u64,
    /// Fees up to this threshold are never limited, in gwei.
    #[arg(long = "txmgr.fee-limit-threshold", value_name = "GWEI", default_value = "100", value_parser = gwei)]
    fee_limit_threshold: u128,
    /// Least priority fee (tip) per gas, in gwei.
    #[arg(long = "txmgr.min-tip-cap", value_name = "GWEI", default_value = "1", value_parser = gwei)]
    min_tip_cap: u128,
    /// Largest priority fee (tip) per gas, in gwei.
    #[arg(long = "txmgr.max-tip-cap", value_name = "GWEI", value_parser = gwei)]
    max_tip_cap: Option<u128>,
    /// Least base fee to count with, in gwei; not below the least priority fee.
    #[arg(long = "txmgr.min-basefee", value_name = "GWEI", default_value = "1", value_parser = gwei)]
    min_basefee: u128,
    /// Largest base fee to count with, in gwei.
    #[arg(long = "txmgr.max-basefee", value_name = "GWEI", value_parser = gwei)]
    max_basefee: Option<u128>,
    /// Replace a transaction that is not in a block by one with higher fees after this time [default: 24s, of the
    /// proposer 48s].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    resubmission_timeout: Option<Duration>,
    /// Give up a transaction that is not in a block after this time, and cancel it [default: 2m, of the proposer 10m].
    #[arg(long = "txmgr.send-timeout", value_name = "DURATION", value_parser = duration)]
    send_timeout: Option<Duration>,
    /// Time between two looks for a transaction's receipt.
    #[arg(long = "txmgr.receipt-query-interval", value_name = "DURATION", default_value = "12s", value_parser = duration)]
    receipt_query_interval: Duration,
    /// Spend at most this, bonds and gas together, in ETH. What is spent is kept in a file, so a restart does not make
    /// it more; delete the file to begin anew.
    #[arg(long, value_name = "ETH", value_parser = ether)]
    spending_cap: Option<U256>,
    /// The file in which the sum is kept. In the data directory where a command has one, else without it the cap counts
    /// from the start of the process.
    #[arg(long, value_name = "FILE", requires = "spending_cap")]
    spending_ledger: Option<PathBuf>,
    /// Simulate transactions and say what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What differs between the agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderDefaults {
    /// In metrics.
    pub name: &'static str,
    /// Depth at which a transaction counts.
    pub confirmations: u64,
    /// Until the first better offer.
    pub resubmission: Duration,
    /// Until the sender gives up.
    pub send: Duration,
}

/// Of the challenger, and of commands by hand.
pub const CHALLENGER_DEFAULTS: SenderDefaults = SenderDefaults {
    name: "op_challenger",
    confirmations: 3,
    resubmission: Duration::from_secs(24),
    send: Duration::from_secs(120),
};

/// Of the proposer.
pub const PROPOSER_DEFAULTS: SenderDefaults = SenderDefaults {
    name: "op_proposer_default",
    confirmations: 10,
    resubmission: Duration::from_secs(48),
    send: Duration::from_secs(600),
};

impl KeyArguments {
    /// The account.
    pub fn open(&self) -> anyhow::Result<Signer> {
        let remote = self.signer_endpoint.as_ref().map(|endpoint| RemoteSigner {
            endpoint: endpoint.clone(),
            address: self.signer_address.unwrap_or_default(),
            headers: self.signer_header.clone(),
            tls_ca: self.signer_tls_ca.clone(),
            tls_cert: self.signer_tls_cert.clone(),
            tls_key: self.signer_tls_key.clone(),
        });
        let source = KeySource {
            private_key: self.private_key.clone(),
            private_key_file: self.private_key_file.clone(),
            mnemonic: self.mnemonic.clone(),
            hd_path: self.hd_path.clone(),
            remote,
        };
        Ok(source.open(Duration::from_secs(10))?)
    }
}

impl SenderArguments {
    /// The account, where a key is named.
    pub fn account(&self) -> anyhow::Result<Option<Address>> {
        let keys = &self.keys;
        let named = [&keys.private_key, &keys.mnemonic, &keys.signer_endpoint];
        let is_named = keys.private_key_file.is_some() || named.iter().any(|key| key.is_some());
        is_named.then(|| self.address()).transpose()
    }

    /// The account.
    pub fn address(&self) -> anyhow::Result<Address> {
        Ok(self.keys.open()?.address())
    }

    /// A sender on the chain of `node`. What it spends is kept in `folder`, unless a flag says where.
    pub async fn open(
        &self,
        node: Node,
        defaults: SenderDefaults,
        max_pending: usize,
        folder: Option<&Path>,
    ) -> anyhow::Result<Arc<Sender>> {
        if self.min_basefee < self.min_tip_cap {
            bail!("the least base fee must not be below the least tip");
        }
        let policy = Policy {
            confirmations: self.num_confirmations.unwrap_or(defaults.confirmations),
            resubmission_timeout: self.resubmission_timeout.unwrap_or(defaults.resubmission),
            send_timeout: self.send_timeout.unwrap_or(defaults.send),
            receipt_interval: self.receipt_query_interval,
            fees: FeeLimits {
                multiplier: self.fee_limit_multiplier,
                threshold: self.fee_limit_threshold,
                min_tip: self.min_tip_cap,
                max_tip: self.max_tip_cap,
                min_base_fee: self.min_basefee,
                max_base_fee: self.max_basefee,
            },
            max_pending,
            nonce_too_low_limit: self.safe_abort_nonce_too_low_count,
            spending_cap: self.spending_cap,
            dry_run: self.dry_run,
        };
        let signer = self.keys.open()?;
        signer.check().await?;
        let sender = Sender::new(node, signer, policy).await?.named(defaults.name);
        let ledger = self.spending_ledger.clone().or_else(|| {
            let name = format!("spending-{}-{}.json", sender.chain_id(), sender.address());
            Some(folder?.join(name))
        });
        let sender = match (self.spending_cap, ledger) {
            (None, _) => sender,
            (Some(_), Some(file)) => {
                file.parent().map(std::fs::create_dir_all).transpose().ok();
                let sender = sender.keep_spending(&file)?;
                tracing::info!(spent = %sender.spent(), file = %file.display(), "spending cap");
                sender
            }
            (Some(_), None) => {
                tracing::warn!(
                    "the spending cap counts from now on; give --spending-ledger to keep the sum"
                );
                sender
            }
        };
        Ok(Arc::new(sender))
    }
}

/// What the outside sees.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Metrics")]
pub struct ServerArguments {
    /// Serve Prometheus metrics.
    #[arg(long = "metrics.enabled", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    metrics_enabled: bool,
    /// Address at which /metrics and /healthz are served.
    #[arg(long = "metrics.addr", value_name = "IP", default_value = "0.0.0.0")]
    metrics_addr: IpAddr,
    /// Port at which /metrics and /healthz are served.
    #[arg(long = "metrics.port", value_name = "PORT", default_value_t = 7300)]
    metrics_port: u16,
}

impl ServerArguments {
    /// Answers from now on. Unhealthy when L1 was not seen for ten polls.
    pub async fn start(
        &self,
        poll_interval: Duration,
        info: &'static str,
    ) -> anyhow::Result<Arc<Health>> {
        let limit = poll_interval.saturating_mul(10).max(Duration::from_secs(30));
        let health = Arc::new(Health::new(limit));
        if self.metrics_enabled {
            let handle = health::collect()?;
            metrics::gauge!(info, "version" => env!("CARGO_PKG_VERSION")).set(1);
            let address = SocketAddr::new(self.metrics_addr, self.metrics_port);
            let bound = health::serve(address, Arc::clone(&health), Some(handle)).await?;
            tracing::info!(%bound, "metrics and health");
        }
        Ok(health)
    }
}

/// A length of time as Go writes it: `12s`, `1h30m`, `672h`, `0`.
pub fn duration(text: &str) -> anyhow::Result<Duration> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .context("a time needs a unit, as in 12s, 1h30m or 672h")?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => bail!("`{unit}` is no unit of time; known are h, m, s, ms, us and ns"),
        };
        let number: f64 = number.parse().ok().context("a time needs a number before its unit")?;
        let part = Duration::try_from_secs_f64(number * seconds).ok().context("too long a time")?;
        total = total.checked_add(part).context("too long a time")?;
        rest = tail;
    }
    if text.is_empty() {
        bail!("an empty time");
    }
    Ok(total)
}

/// The address of a node, as it was given.
pub fn node_url(text: &str) -> Result<String, UrlError> {
    text.parse::<NodeUrl>().map(|url| url.full())
}

/// A game type by its name or its number.
pub fn any_game_type(text: &str) -> anyhow::Result<u32> {
    let numbered = || text.parse().ok().map(GameType);
    let kind = GameType::named(text).or_else(numbered);
    kind.map(|kind| kind.0)
        .with_context(|| format!("{text:?} is neither the name nor the number of a game type"))
}

fn gwei(text: &str) -> anyhow::Result<u128> {
    amount(text, "gwei").and_then(|wei| u128::try_from(wei).ok()).context("no amount in gwei")
}

fn ether(text: &str) -> anyhow::Result<U256> {
    amount(text, "ether").context("no amount in ETH")
}

/// Wei of a decimal number of a unit. Neither nothing nor less than nothing is an amount.
fn amount(text: &str, unit: &str) -> Option<U256> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    is_number.then(|| parse_units(text, unit).ok())?.map(|wei| wei.get_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_writes_them() {
        let check = |text, want: Option<u64>| {
            assert_eq!(duration(text).ok(), want.map(Duration::from_millis), "{text}");
        };
        check("12s", Some(12_000));
        check("672h", Some(672 * 3_600_000));
        check("1h30m", Some(5_400_000));
        check("1.5s", Some(1500));
        check("250ms", Some(250));
        check("0", Some(0));
        for bad in ["", "12", "s", "-1s", "1d", "1e400h", "9999999999999999999h", "1..2s"] {
            check(bad, None);
        }
    }

    #[test]
    fn amounts_have_a_unit_of_their_own() {
        assert_eq!(gwei("1.5").unwrap(), 1_500_000_000);
        assert_eq!(ether("0.08").unwrap(), U256::from(80_000_000_000_000_000_u64));
        for bad in ["", "x", "-1"] {
            assert!(gwei(bad).is_err() && ether(bad).is_err(), "{bad}");
        }
    }
}
