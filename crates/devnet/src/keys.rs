//! Keys of the accounts that a devnet funds. They are published in every Ethereum tool, so that the same
//! accounts are known everywhere; nothing of value belongs to them on any network.

use alloy_consensus::{SignableTransaction, Signed};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, b256, keccak256};
use k256::ecdsa::SigningKey;

/// The first accounts of the mnemonic "test test test test test test test test test test test junk".
pub const DEV_KEYS: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// Bytes that are no private key: 0, or not below the order of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a private key")]
pub struct KeyError;

/// A private key.
#[derive(Clone)]
pub struct Key(SigningKey);

impl Key {
    /// The key with these bytes.
    ///
    /// # Errors
    /// [`KeyError`] when there is none.
    pub fn new(bytes: B256) -> Result<Self, KeyError> {
        SigningKey::from_slice(bytes.as_slice()).map(Self).map_err(|_| KeyError)
    }

    /// A key that everyone can know who knows the name.
    pub fn named(name: &str) -> Self {
        let mut seed = keccak256(["rebut devnet: ", name].concat());
        loop {
            // Nearly every hash is a key.
            match Self::new(seed) {
                Ok(key) => return key,
                Err(KeyError) => seed = keccak256(seed),
            }
        }
    }

    /// The account.
    pub fn address(&self) -> Address {
        Address::from_public_key(self.0.verifying_key())
    }

    /// The private key itself.
    pub fn secret(&self) -> B256 {
        B256::from_slice(&self.0.to_bytes())
    }

    /// Signs a transaction.
    ///
    /// # Errors
    /// [`KeyError`] where ECDSA has no signature, which no known input leads to.
    pub fn sign<T: SignableTransaction<Signature>>(
        &self,
        transaction: T,
    ) -> Result<Signed<T>, KeyError> {
        let signature = self.sign_hash(transaction.signature_hash())?;
        Ok(transaction.into_signed(signature))
    }

    /// Signs a hash.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_hash(&self, hash: B256) -> Result<Signature, KeyError> {
        let signature = self.0.sign_prehash_recoverable(hash.as_slice());
        signature.map(Into::into).map_err(|_| KeyError)
    }

    /// Signs a transaction and encodes it as it is sent.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_encoded<T>(&self, transaction: T) -> Result<Bytes, KeyError>
    where
        T: SignableTransaction<Signature>,
        Signed<T>: Encodable2718,
    {
        Ok(self.sign(transaction)?.encoded_2718().into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.address()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    /// The accounts as other tools print them.
    #[test]
    fn dev_keys_have_their_accounts() {
        let check = |index: usize, expected: Address| {
            assert_eq!(Key::new(DEV_KEYS[index]).unwrap().address(), expected);
        };
        check(0, address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        check(1, address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"));
        check(2, address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"));
        check(3, address!("90F79bf6EB2c4f870365E785982E1f101E93b906"));
        check(4, address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"));
        check(5, address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"));
        check(6, address!("976EA74026E726554dB657fA54763abd0C3a0aa9"));
        check(7, address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"));
        check(8, address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"));
        check(9, address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"));
    }

    #[test]
    fn no_keys() {
        assert_eq!(Key::new(B256::ZERO).unwrap_err(), KeyError);
        assert_eq!(Key::new(B256::repeat_byte(0xff)).unwrap_err(), KeyError);
    }
}
