//! `cargo xtask upgrades`: the deposits that upgrade the contracts of L2 at the start of a fork, as the
//! derivation embeds them: one RLP list of EIP-2718 forms for each fork.
//!
//! The table below is the specification's, page by page; the code that is deployed and Karst's bundle
//! come from files that the specification publishes, found among the recorded data.

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, hex, keccak256};
use op_alloy_consensus::TxDeposit;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the files could not be made, or that they are out of date.
#[derive(Debug, Error)]
pub enum UpgradesError {
    /// There is nothing to make them from.
    #[error("no recorded upgrade transactions; REBUT_DATA names their folder")]
    NoData,
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {what}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The committed file is not what the recorded data gives.
    #[error("{path} is out of date; run `cargo xtask upgrades` and commit the result")]
    Stale {
        /// The file.
        path: PathBuf,
    },
}

const ZERO: Address = Address::ZERO;
const DEPOSITOR: Address = address!("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001");
const L1_BLOCK: Address = address!("0x4200000000000000000000000000000000000015");
const GAS_PRICE_ORACLE: Address = address!("0x420000000000000000000000000000000000000f");
const OPERATOR_FEE_VAULT: Address = address!("0x420000000000000000000000000000000000001b");

/// The accounts that deploy, one for each contract, each with its first transaction.
const DEPLOYER: [Address; 8] = [
    address!("0x4210000000000000000000000000000000000000"),
    address!("0x4210000000000000000000000000000000000001"),
    address!("0x4210000000000000000000000000000000000002"),
    address!("0x4210000000000000000000000000000000000003"),
    address!("0x4210000000000000000000000000000000000004"),
    address!("0x4210000000000000000000000000000000000005"),
    address!("0x4210000000000000000000000000000000000006"),
    address!("0x4210000000000000000000000000000000000007"),
];
const EIP_4788_DEPLOYER: Address = address!("0x0b799c86a49deeb90402691f1041aa3af2d3c875");
const EIP_2935_DEPLOYER: Address = address!("0x3462413af4609098e1e27a490f554f260213d685");

/// The init code of the contract of beacon roots (EIP-4788).
const EIP_4788_CODE: &[u8] = &hex!(
    "60618060095f395ff33373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd"
    "5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff"
    "42064281555f359062001fff015500"
);
/// The init code of the contract of block hashes (EIP-2935).
const EIP_2935_CODE: &[u8] = &hex!(
    "60538060095f395ff33373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f3560"
    "0143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
);
/// `upgradeTo(address)`.
const UPGRADE_TO: [u8; 4] = hex!("3659cfe6");

/// What a transaction carries.
enum Data {
    /// The code in this file.
    Code(&'static str),
    Bytes(&'static [u8]),
    /// The proxy is to use what this account deployed.
    UpgradeTo(Address),
}

/// One upgrade transaction.
struct Row {
    from: Address,
    /// `None` deploys.
    to: Option<Address>,
    gas: u64,
    data: Data,
    intent: &'static str,
}

const fn deploy(from: Address, gas: u64, file: &'static str, intent: &'static str) -> Row {
    Row { from, to: None, gas, data: Data::Code(file), intent }
}

const fn upgrade(proxy: Address, deployer: Address, intent: &'static str) -> Row {
    Row { from: ZERO, to: Some(proxy), gas: 50_000, data: Data::UpgradeTo(deployer), intent }
}

const fn enable(gas: u64, selector: &'static [u8], intent: &'static str) -> Row {
    let data = Data::Bytes(selector);
    Row { from: DEPOSITOR, to: Some(GAS_PRICE_ORACLE), gas, data, intent }
}

const fn contract(from: Address, code: &'static [u8], intent: &'static str) -> Row {
    Row { from, to: None, gas: 250_000, data: Data::Bytes(code), intent }
}

const ECOTONE: &[Row] = &[
    deploy(DEPLOYER[0], 375_000, "ecotone-l1-block", "Ecotone: L1 Block Deployment"),
    deploy(
        DEPLOYER[1],
        1_000_000,
        "ecotone-gas-price-oracle",
        "Ecotone: Gas Price Oracle Deployment",
    ),
    upgrade(L1_BLOCK, DEPLOYER[0], "Ecotone: L1 Block Proxy Update"),
    upgrade(GAS_PRICE_ORACLE, DEPLOYER[1], "Ecotone: Gas Price Oracle Proxy Update"),
    enable(80_000, &hex!("22b90ab3"), "Ecotone: Gas Price Oracle Set Ecotone"),
    contract(EIP_4788_DEPLOYER, EIP_4788_CODE, "Ecotone: beacon block roots contract deployment"),
];
const FJORD: &[Row] = &[
    deploy(DEPLOYER[2], 1_450_000, "fjord-gas-price-oracle", "Fjord: Gas Price Oracle Deployment"),
    upgrade(GAS_PRICE_ORACLE, DEPLOYER[2], "Fjord: Gas Price Oracle Proxy Update"),
    enable(90_000, &hex!("8e98b106"), "Fjord: Gas Price Oracle Set Fjord"),
];
const ISTHMUS: &[Row] = &[
    deploy(DEPLOYER[3], 425_000, "isthmus-l1-block", "Isthmus: L1 Block Deployment"),
    deploy(
        DEPLOYER[4],
        1_625_000,
        "isthmus-gas-price-oracle",
        "Isthmus: Gas Price Oracle Deployment",
    ),
    deploy(DEPLOYER[5], 500_000, "isthmus-operator-fee", "Isthmus: Operator Fee Vault Deployment"),
    upgrade(L1_BLOCK, DEPLOYER[3], "Isthmus: L1 Block Proxy Update"),
    upgrade(GAS_PRICE_ORACLE, DEPLOYER[4], "Isthmus: Gas Price Oracle Proxy Update"),
    upgrade(OPERATOR_FEE_VAULT, DEPLOYER[5], "Isthmus: Operator Fee Vault Proxy Update"),
    enable(90_000, &hex!("291b0383"), "Isthmus: Gas Price Oracle Set Isthmus"),
    contract(EIP_2935_DEPLOYER, EIP_2935_CODE, "Isthmus: EIP-2935 Contract Deployment"),
];
const JOVIAN: &[Row] = &[
    deploy(DEPLOYER[6], 447_315, "jovian-l1-block", "Jovian: L1 Block Deployment"),
    upgrade(L1_BLOCK, DEPLOYER[6], "Jovian: L1 Block Proxy Update"),
    deploy(
        DEPLOYER[7],
        1_750_714,
        "jovian-gas-price-oracle",
        "Jovian: Gas Price Oracle Deployment",
    ),
    upgrade(GAS_PRICE_ORACLE, DEPLOYER[7], "Jovian: Gas Price Oracle Proxy Update"),
    enable(90_000, &hex!("b3d72079"), "Jovian: Gas Price Oracle Set Jovian"),
];

const KARST_BUNDLE: &str = "karst_nut_bundle.json";
const KARST_SHA256: [u8; 32] =
    hex!("08f5df36f7ff29a9421ab84beebe96684a7455df9a5d234a2468613a4008ad91");

/// A published list of upgrade transactions.
#[derive(Deserialize)]
struct Bundle {
    metadata: Metadata,
    transactions: Vec<BundleTransaction>,
}

#[derive(Deserialize)]
struct Metadata {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleTransaction {
    intent: String,
    from: Address,
    to: Option<Address>,
    data: Bytes,
    gas_limit: u64,
}

/// Makes the files. `root` is the workspace's folder.
pub fn write(root: &Path) -> Result<(), UpgradesError> {
    for (path, list) in generate(root)?.ok_or(UpgradesError::NoData)? {
        std::fs::write(&path, list).map_err(|source| UpgradesError::File { path, source })?;
    }
    Ok(())
}

/// Makes the files and compares them with the committed ones. False where there is nothing to make
/// them from.
pub fn check(root: &Path) -> Result<bool, UpgradesError> {
    let Some(files) = generate(root)? else { return Ok(false) };
    for (path, list) in files {
        if read(&path)? != list {
            return Err(UpgradesError::Stale { path });
        }
    }
    Ok(true)
}

/// A file's path and what it is to hold.
type File = (PathBuf, Vec<u8>);

/// The files as they should be, `None` where there is nothing to make them from.
fn generate(root: &Path) -> Result<Option<Vec<File>>, UpgradesError> {
    let Some(data) = rebut_recordings::path("upgrades") else { return Ok(None) };
    let file = |fork: &str| root.join(format!("crates/derivation/assets/upgrades/{fork}.rlp"));
    let mut files = Vec::new();
    for (fork, rows) in
        [("ecotone", ECOTONE), ("fjord", FJORD), ("isthmus", ISTHMUS), ("jovian", JOVIAN)]
    {
        let deposits = rows.iter().map(|row| deposit(row, &data)).collect::<Result<Vec<_>, _>>()?;
        files.push((file(fork), list(&deposits)));
    }
    files.push((file("karst"), list(&karst(&data)?)));
    Ok(Some(files))
}

fn deposit(row: &Row, data: &Path) -> Result<TxDeposit, UpgradesError> {
    let input = match row.data {
        Data::Code(file) => code(&data.join(format!("{file}-deployment.txt")))?,
        Data::Bytes(bytes) => Bytes::from_static(bytes),
        Data::UpgradeTo(deployer) => {
            [UPGRADE_TO.as_slice(), deployer.create(0).into_word().as_slice()].concat().into()
        }
    };
    Ok(transaction(row.intent, row.from, row.to, row.gas, input))
}

fn karst(data: &Path) -> Result<Vec<TxDeposit>, UpgradesError> {
    let path = data.join(KARST_BUNDLE);
    let text = read(&path)?;
    let format = |what: String| UpgradesError::Format { path: path.clone(), what };
    if Sha256::digest(&text)[..] != KARST_SHA256 {
        return Err(format("its SHA-256 is not that of the bundle".into()));
    }
    let bundle: Bundle =
        serde_json::from_slice(&text).map_err(|error| format(error.to_string()))?;
    if bundle.metadata.version != "1.0.0" {
        return Err(format(format!("version {} is unknown", bundle.metadata.version)));
    }
    let deposit = |(index, row): (usize, BundleTransaction)| {
        let intent = format!("Karst {index}: {}", row.intent);
        transaction(&intent, row.from, row.to, row.gas_limit, row.data)
    };
    Ok(bundle.transactions.into_iter().enumerate().map(deposit).collect())
}

fn transaction(
    intent: &str,
    from: Address,
    to: Option<Address>,
    gas_limit: u64,
    input: Bytes,
) -> TxDeposit {
    TxDeposit {
        // The domain of upgrades, then what the transaction is for.
        source_hash: keccak256([B256::with_last_byte(2), keccak256(intent)].concat()),
        from,
        to: to.map_or(TxKind::Create, TxKind::Call),
        mint: 0,
        value: U256::ZERO,
        gas_limit,
        is_system_transaction: false,
        input,
    }
}

fn list(deposits: &[TxDeposit]) -> Vec<u8> {
    let forms =
        deposits.iter().map(|deposit| deposit.encoded_2718().into()).collect::<Vec<Bytes>>();
    alloy_rlp::encode(forms)
}

fn code(path: &Path) -> Result<Bytes, UpgradesError> {
    let format = |what: String| UpgradesError::Format { path: path.to_owned(), what };
    let text = String::from_utf8(read(path)?).map_err(|error| format(error.to_string()))?;
    let code = hex::decode(text.trim()).map_err(|error| format(error.to_string()))?;
    Ok(code.into())
}

fn read(path: &Path) -> Result<Vec<u8>, UpgradesError> {
    std::fs::read(path).map_err(|source| UpgradesError::File { path: path.to_owned(), source })
}
