//! Who signs: a key of this process, or a remote signer.

use crate::chain::{cause, shortened};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_json_rpc::RpcError;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, U64, U128};
use alloy_rpc_client::RpcClient;
use alloy_signer_local::{MnemonicBuilder, PrivateKeySigner};
use alloy_transport::TransportErrorKind;
use alloy_transport_http::reqwest::{self, Certificate, Identity, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Where the key is. At most one kind may be given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeySource {
    /// 32 bytes in hex.
    pub private_key: Option<String>,
    /// A file that holds them.
    pub private_key_file: Option<PathBuf>,
    /// BIP-39 words.
    pub mnemonic: Option<String>,
    /// Which of the mnemonic's keys.
    pub hd_path: Option<String>,
    /// A server that signs.
    pub remote: Option<RemoteSigner>,
}

/// A server that answers `eth_signTransaction`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteSigner {
    /// Its HTTP address.
    pub endpoint: String,
    /// Whose key it uses.
    pub address: Address,
    /// Headers of every request, as `name=value`.
    pub headers: Vec<String>,
    /// The authority that its certificate is of.
    pub tls_ca: Option<PathBuf>,
    /// The certificate to show, PEM.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    pub tls_key: Option<PathBuf>,
}

/// Why there is no signature. No message holds any part of a key.
#[derive(Debug, Error)]
pub enum SignerError {
    /// No key is given.
    #[error("no key: give a private key, a mnemonic, or a remote signer")]
    None,
    /// More than one is given.
    #[error("more than one of private key, mnemonic and remote signer")]
    Ambiguous,
    /// The text is no key.
    #[error("the private key is not 32 bytes in hex")]
    Key,
    /// The words are no mnemonic, or the path is none.
    #[error("the mnemonic or its path is not valid")]
    Mnemonic,
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The remote signer's address, headers or certificates are not usable.
    #[error("the remote signer's {0} is not valid")]
    Remote(&'static str),
    /// The remote signer did not sign.
    #[error("the remote signer: {0}")]
    Refused(String),
    /// What it gave is not the transaction that it was asked to sign, signed.
    #[error("the remote signer signed another transaction than it was asked to, or none")]
    Forged,
    /// It signed with another key.
    #[error("the remote signer signs for {found}, not for {expected}: check --signer.address")]
    OtherKey {
        /// Whose signature it is.
        found: Address,
        /// Whose it should be.
        expected: Address,
    },
    /// Signing failed.
    #[error("cannot sign: {0}")]
    Local(#[from] alloy_signer::Error),
}

/// An account that can sign.
#[derive(Debug)]
pub enum Signer {
    /// With a key of this process.
    Local(PrivateKeySigner),
    /// By a server.
    Remote {
        /// The account.
        address: Address,
        /// The server.
        client: RpcClient,
    },
}

impl KeySource {
    /// Finds the key.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn open(&self, timeout: Duration) -> Result<Signer, SignerError> {
        let Self { private_key, private_key_file, mnemonic, hd_path, remote } = self;
        let given = [
            private_key.is_some(),
            private_key_file.is_some(),
            mnemonic.is_some(),
            remote.is_some(),
        ];
        match given.iter().filter(|given| **given).count() {
            0 => return Err(SignerError::None),
            1 => {}
            _ => return Err(SignerError::Ambiguous),
        }
        if let Some(remote) = remote {
            return remote.connect(timeout);
        }
        if let Some(words) = mnemonic {
            let mut builder = MnemonicBuilder::from_phrase(words.trim());
            if let Some(path) = hd_path {
                builder = builder.derivation_path(path).map_err(|_| SignerError::Mnemonic)?;
            }
            return builder.build().map(Signer::Local).map_err(|_| SignerError::Mnemonic);
        }
        let text = match (private_key, private_key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|source| SignerError::File { path: path.clone(), source })?,
            (None, None) => return Err(SignerError::None),
        };
        let key: B256 = text.trim().parse().map_err(|_| SignerError::Key)?;
        PrivateKeySigner::from_bytes(&key).map(Signer::Local).map_err(|_| SignerError::Key)
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySource")
    }
}

impl RemoteSigner {
    fn connect(&self, timeout: Duration) -> Result<Signer, SignerError> {
        let url = self.endpoint.parse().map_err(|_| SignerError::Remote("endpoint"))?;
        let mut headers = header::HeaderMap::new();
        for text in &self.headers {
            let (name, value) = text.split_once('=').ok_or(SignerError::Remote("header"))?;
            let name = header::HeaderName::from_bytes(name.trim().as_bytes());
            let value = header::HeaderValue::from_str(value.trim());
            match (name, value) {
                (Ok(name), Ok(value)) => headers.insert(name, value),
                _ => return Err(SignerError::Remote("header")),
            };
        }
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|source| SignerError::File { path: path.clone(), source })
        };
        let mut builder = reqwest::Client::builder().default_headers(headers).timeout(timeout);
        if let Some(path) = &self.tls_ca {
            let certificate = Certificate::from_pem(&read(path)?)
                .map_err(|_| SignerError::Remote("authority"))?;
            builder = builder.add_root_certificate(certificate);
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                let pem = [read(certificate)?, b"\n".to_vec(), read(key)?].concat();
                let identity =
                    Identity::from_pem(&pem).map_err(|_| SignerError::Remote("certificate"))?;
                builder = builder.identity(identity);
            }
            (None, None) => {}
            _ => return Err(SignerError::Remote("certificate without its key, or key without it")),
        }
        let client = builder.build().map_err(|_| SignerError::Remote("connection"))?;
        let client = RpcClient::new_http_with_client(client, url);
        Ok(Signer::Remote { address: self.address, client })
    }
}

/// What signers answer: the bytes alone, or in an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Signed {
    Raw(Bytes),
    Object { raw: Bytes },
}

impl Signer {
    /// The account.
    pub const fn address(&self) -> Address {
        match self {
            Self::Local(key) => key.address(),
            Self::Remote { address, .. } => *address,
        }
    }

    /// Fails where a remote signer does not answer. One that has no such method is there, too.
    ///
    /// # Errors
    /// [`SignerError::Refused`].
    pub async fn check(&self) -> Result<(), SignerError> {
        let Self::Remote { client, .. } = self else { return Ok(()) };
        match client.request::<_, Value>("health_status", ()).await {
            Ok(_) | Err(RpcError::ErrorResp(_)) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Signs. Gives the transaction as it is published, and its hash.
    ///
    /// # Errors
    /// [`SignerError`].
    pub async fn sign(&self, mut transaction: TxEip1559) -> Result<(Bytes, B256), SignerError> {
        match self {
            Self::Local(key) => {
                let signature = key.sign_transaction_sync(&mut transaction)?;
                let signed = TxEnvelope::from(transaction.into_signed(signature));
                Ok((signed.encoded_2718().into(), *signed.tx_hash()))
            }
            Self::Remote { address, client } => {
                let asked = json!([arguments(*address, &transaction)]);
                let asked = client.request::<Value, Signed>("eth_signTransaction", asked);
                let answer = asked.await.map_err(refused)?;
                let (Signed::Raw(raw) | Signed::Object { raw }) = answer;
                verified(raw, *address, &transaction)
            }
        }
    }
}

/// What a remote signer says instead of signing, without its address, which may hold a key.
fn refused(error: RpcError<TransportErrorKind>) -> SignerError {
    SignerError::Refused(match error {
        RpcError::ErrorResp(payload) => shortened(&payload.message),
        other => shortened(&cause(&other)),
    })
}

/// The transaction in the form of `eth_signTransaction`.
fn arguments(from: Address, transaction: &TxEip1559) -> Value {
    json!({
        "from": from,
        "to": transaction.to.to(),
        "gas": U64::from(transaction.gas_limit),
        "maxFeePerGas": U128::from(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": U128::from(transaction.max_priority_fee_per_gas),
        "value": transaction.value,
        "nonce": U64::from(transaction.nonce),
        "input": transaction.input,
        "data": transaction.input,
        "chainId": U64::from(transaction.chain_id),
    })
}

/// Checks that what came back is what was asked for. Nothing else may be published.
fn verified(raw: Bytes, address: Address, asked: &TxEip1559) -> Result<(Bytes, B256), SignerError> {
    let mut rest = raw.as_ref();
    let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|_| SignerError::Forged)?;
    let same = matches!(&envelope, TxEnvelope::Eip1559(signed) if signed.tx() == asked);
    let signer = envelope.recover_signer().map_err(|_| SignerError::Forged)?;
    if !rest.is_empty() || !same {
        return Err(SignerError::Forged);
    }
    if signer != address {
        return Err(SignerError::OtherKey { found: signer, expected: address });
    }
    Ok((raw.clone(), *envelope.tx_hash()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, address};
    use std::io::Write;

    /// Keys of the test mnemonic that development nodes use, published with them.
    const WORDS: &str = "test test test test test test test test test test test junk";
    const FIRST_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const FIRST: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    const SECOND: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");

    fn open(source: &KeySource) -> Result<Address, SignerError> {
        source.open(Duration::from_secs(1)).map(|signer| signer.address())
    }

    #[test]
    fn a_key_comes_from_a_text_a_file_or_words() {
        let key = KeySource { private_key: Some(FIRST_KEY.into()), ..KeySource::default() };
        assert_eq!(open(&key).unwrap(), FIRST);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "0x{FIRST_KEY}").unwrap();
        let path = Some(file.path().to_owned());
        let key = KeySource { private_key_file: path, ..KeySource::default() };
        assert_eq!(open(&key).unwrap(), FIRST);
        let mut words = KeySource { mnemonic: Some(WORDS.into()), ..KeySource::default() };
        assert_eq!(open(&words).unwrap(), FIRST);
        words.hd_path = Some("m/44'/60'/0'/0/1".into());
        assert_eq!(open(&words).unwrap(), SECOND);
    }

    #[test]
    fn bad_keys_are_refused_and_not_repeated() {
        assert!(matches!(open(&KeySource::default()), Err(SignerError::None)));
        let key = |text: &str| KeySource { private_key: Some(text.into()), ..KeySource::default() };
        for text in ["", "0x12", &"0".repeat(64), &"f".repeat(64)] {
            let error = open(&key(text)).unwrap_err();
            assert!(matches!(error, SignerError::Key), "{text}");
        }
        assert!(!open(&key("secret")).unwrap_err().to_string().contains("secret"));
        let both = KeySource { mnemonic: Some(WORDS.into()), ..key(FIRST_KEY) };
        assert!(matches!(open(&both), Err(SignerError::Ambiguous)));
        let words = KeySource { mnemonic: Some("test junk".into()), ..KeySource::default() };
        assert!(matches!(open(&words), Err(SignerError::Mnemonic)));
    }

    #[tokio::test]
    async fn only_what_was_asked_for_is_accepted_from_a_remote_signer() {
        let source = KeySource { private_key: Some(FIRST_KEY.into()), ..KeySource::default() };
        let signer = source.open(Duration::from_secs(1)).unwrap();
        let asked = TxEip1559 {
            chain_id: 900,
            nonce: 3,
            gas_limit: 21_000,
            to: SECOND.into(),
            value: U256::from(5),
            ..TxEip1559::default()
        };
        let (raw, hash) = signer.sign(asked.clone()).await.unwrap();
        assert_eq!(verified(raw.clone(), FIRST, &asked).unwrap(), (raw.clone(), hash));
        let other = TxEip1559 { value: U256::from(6), ..asked.clone() };
        assert!(matches!(verified(raw.clone(), FIRST, &other), Err(SignerError::Forged)));
        let another = verified(raw.clone(), SECOND, &asked);
        assert!(matches!(another, Err(SignerError::OtherKey { found: FIRST, .. })));
        let longer = [raw.as_ref(), &[0]].concat().into();
        assert!(matches!(verified(longer, FIRST, &asked), Err(SignerError::Forged)));
        assert!(matches!(verified(Bytes::new(), FIRST, &asked), Err(SignerError::Forged)));
    }
}
