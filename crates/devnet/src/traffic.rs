//! Users: signed transactions of every kind, by seed.
//!
//! ```text
//!   L2   transfers, calls that store, log, create, destroy and revert, precompiles, large calldata,
//!        withdrawals, deployments; in every type of transaction that the fork has
//!   L1   deposits that mint, call, create and fail; updates of the system config
//! ```
//!
//! What a user sends may fail, but it is always a transaction that a node takes.

use crate::{
    keys::{Key, KeyError},
    l2::genesis::TRAFFIC,
    random::Random,
};
use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{
    FeeVault, L2ToL1MessagePasser, OptimismPortal, SystemConfig, Traffic as Contract,
};
use rebut_execution::Fork;

/// What a user on L2 pays at most for each gas, in wei.
const MAX_FEE: u128 = 1_000_000_000_000;
/// Of it, to the sequencer.
const TIP: u128 = 1_000_000;
/// Fee vaults.
const VAULTS: [Address; 3] = [
    address!("4200000000000000000000000000000000000011"),
    address!("4200000000000000000000000000000000000019"),
    address!("420000000000000000000000000000000000001A"),
];
const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// How many users there are.
pub const USERS: u64 = 6;

/// How large things get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of calldata.
    pub data_bytes: u64,
    /// The most slots that one call writes.
    pub slots: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { data_bytes: 20_000, slots: 12 }
    }
}

/// The users of one devnet.
#[derive(Clone, Debug)]
pub struct Users {
    keys: Vec<Key>,
    random: Random,
    limits: Limits,
}

/// What a transaction is to do.
struct Intent {
    to: TxKind,
    value: U256,
    data: Bytes,
    gas_limit: u64,
}

impl Intent {
    fn call(to: Address, data: impl Into<Bytes>, gas_limit: u64) -> Self {
        Self { to: TxKind::Call(to), value: U256::ZERO, data: data.into(), gas_limit }
    }

    fn with_value(self, wei: u64) -> Self {
        Self { value: U256::from(wei), ..self }
    }
}

impl Users {
    /// The users of this seed. They always have the same keys.
    pub fn new(seed: u64, limits: Limits) -> Self {
        let keys = (0..USERS).map(|number| Key::named(&format!("user {number}"))).collect();
        Self { keys, random: Random::new(seed), limits }
    }

    /// Everybody's account.
    pub fn addresses() -> impl Iterator<Item = Address> {
        (0..USERS).map(|number| Key::named(&format!("user {number}")).address())
    }

    /// A transaction on L2 of somebody, whose nonce `nonce` tells, under the rules of `fork`. Whose it is
    /// comes with it.
    ///
    /// # Errors
    /// [`KeyError`] where a key does not sign, or the error of `nonce`.
    pub fn transaction<E: From<KeyError>>(
        &mut self,
        chain_id: u64,
        fork: Fork,
        nonce: impl FnOnce(Address) -> Result<u64, E>,
    ) -> Result<(Address, Bytes), E> {
        let user = self.random.below(self.keys.len() as u64) as usize;
        let sender = self.keys[user].address();
        let nonce = nonce(sender)?;
        let intent = self.intent(fork);
        Ok((sender, self.signed(user, chain_id, nonce, fork, intent)?))
    }

    fn intent(&mut self, fork: Fork) -> Intent {
        let seed = U256::from(self.random.next());
        let call = |data: Vec<u8>, gas| Intent::call(TRAFFIC, data, gas);
        match self.random.below(16) {
            0 | 1 => {
                let to = *self.random.pick(&self.keys.iter().map(Key::address).collect::<Vec<_>>());
                Intent::call(to, Bytes::new(), 21_000).with_value(self.random.below(1 << 40))
            }
            // Somebody new.
            2 => Intent::call(Address::from_word(self.random.word()), Bytes::new(), 21_000)
                .with_value(self.random.below(1 << 40)),
            3..=5 => {
                let count = self.random.between(1, self.limits.slots);
                let data = Contract::storeCall { seed, count: U256::from(count) }.abi_encode();
                call(data, 80_000 + 25_000 * count)
            }
            6 | 7 => {
                let (target, gas, input) = self.precompile(fork);
                let words = input.len() as u64 / 32;
                let data = Contract::precompileCall {
                    target,
                    gasLimit: U256::from(gas),
                    input: input.into(),
                };
                call(data.abi_encode(), gas + 150_000 + 1_700 * words)
            }
            8 => call(Contract::createCall { salt: seed }.abi_encode(), 400_000)
                .with_value(self.random.below(1_000)),
            9 => call(Contract::lookCall { back: seed }.abi_encode(), 120_000),
            10 => {
                let length = self.random.below(self.limits.data_bytes) as usize;
                let data = self.random.bytes(length);
                let gas = 120_000 + 45 * length as u64;
                call(Contract::noteCall { data: data.into() }.abi_encode(), gas)
            }
            11 => call(Contract::failCall { seed }.abi_encode(), 90_000),
            12 => {
                let length = self.random.below(300) as usize;
                let target = Address::from_word(self.random.word());
                let data = L2ToL1MessagePasser::initiateWithdrawalCall {
                    target,
                    gasLimit: U256::from(100_000),
                    data: self.random.bytes(length).into(),
                };
                Intent::call(MESSAGE_PASSER, data.abi_encode(), 250_000)
                    .with_value(self.random.below(1 << 50))
            }
            13 => match self.random.below(3) {
                0 => Intent::call(
                    MESSAGE_PASSER,
                    L2ToL1MessagePasser::burnCall {}.abi_encode(),
                    250_000,
                ),
                _ => {
                    let vault = *self.random.pick(&VAULTS);
                    Intent::call(vault, FeeVault::withdrawCall {}.abi_encode(), 250_000)
                }
            },
            // A contract that returns what it is made of, or does not begin.
            14 => {
                let code: &[u8] = match self.random.below(2) {
                    0 => &[0x60, 0x20, 0x60, 0x00, 0xf3],
                    _ => &[0xfe, 0x01],
                };
                let (value, data) = (U256::ZERO, Bytes::copy_from_slice(code));
                Intent { to: TxKind::Create, value, data, gas_limit: 120_000 }
            }
            // Too little gas to get far.
            _ => {
                let data = Contract::storeCall { seed, count: U256::from(20) }.abi_encode();
                call(data, 60_000)
            }
        }
    }

    /// Address, gas and input of a call to a precompiled contract.
    fn precompile(&mut self, fork: Fork) -> (Address, u64, Vec<u8>) {
        let mut kinds = vec![1, 2, 3, 4, 5, 6, 7, 8, 9];
        if fork >= Fork::Ecotone {
            kinds.push(0x0a);
        }
        if fork >= Fork::Fjord {
            kinds.push(0x100);
        }
        if fork >= Fork::Isthmus {
            kinds.extend(0x0b..=0x11);
        }
        let number = *self.random.pick(&kinds);
        let word = |number: u64| U256::from(number).to_be_bytes::<32>();
        // The generator of the group on bn254.
        let point = [word(1), word(2)].concat();
        let length = self.random.below(400) as usize;
        let input = match number {
            _ if self.random.percent(25) => self.random.bytes(length),
            1 => self.signature(),
            5 => [word(3), word(2), word(2)].concat().into_iter().chain(*b"rebut!!").collect(),
            6 => [point.clone(), point].concat(),
            7 => [point, word(self.random.next()).to_vec()].concat(),
            8 => Vec::new(),
            9 => {
                let mut input = vec![0; 213];
                input[3] = self.random.below(20) as u8;
                input
            }
            0x0b => vec![0; 256],
            0x0c => vec![0; 160],
            0x0d => vec![0; 512],
            0x0e => vec![0; 288],
            0x0f => vec![0; 384],
            0x10 => vec![0; 64],
            0x11 => vec![0; 128],
            _ => self.random.bytes(length),
        };
        (Address::from_word(B256::from(word(number))), 250_000, input)
    }

    /// An input of `ecrecover` that somebody signed.
    fn signature(&mut self) -> Vec<u8> {
        let key = self.random.pick(&self.keys).clone();
        let tx = TxLegacy { nonce: self.random.next(), ..TxLegacy::default() };
        let hash = alloy_consensus::SignableTransaction::<Signature>::signature_hash(&tx);
        let Ok(signed) = key.sign(tx) else { return Vec::new() };
        let signature = signed.signature();
        let v = U256::from(27 + u8::from(signature.v()));
        [
            hash.0,
            v.to_be_bytes::<32>(),
            signature.r().to_be_bytes::<32>(),
            signature.s().to_be_bytes::<32>(),
        ]
        .concat()
    }

    /// The intent as a transaction of any type that it can have.
    fn signed(
        &mut self,
        user: usize,
        chain_id: u64,
        nonce: u64,
        fork: Fork,
        intent: Intent,
    ) -> Result<Bytes, KeyError> {
        let Intent { to, value, data: input, gas_limit } = intent;
        let kind = self.random.below(8);
        let access_list = match self.random.below(2) {
            0 => AccessList::default(),
            _ => AccessList(vec![AccessListItem {
                address: TRAFFIC,
                storage_keys: vec![B256::ZERO, B256::with_last_byte(1)],
            }]),
        };
        let gas_limit =
            gas_limit + 2_400 * access_list.len() as u64 + 4_000 * access_list.len() as u64;
        let key = &self.keys[user];
        match (kind, to) {
            (0, _) => {
                // Before EIP-155 signatures were for any chain.
                let chain_id = nonce.is_multiple_of(2).then_some(chain_id);
                let gas_price = MAX_FEE;
                key.sign_encoded(TxLegacy {
                    chain_id,
                    nonce,
                    gas_price,
                    gas_limit,
                    to,
                    value,
                    input,
                })
            }
            (1, _) => {
                let gas_price = MAX_FEE;
                key.sign_encoded(TxEip2930 {
                    chain_id,
                    nonce,
                    gas_price,
                    gas_limit,
                    to,
                    value,
                    access_list,
                    input,
                })
            }
            (2, TxKind::Call(to)) if fork >= Fork::Isthmus => {
                let authorization_list = self.authorizations(chain_id)?;
                let gas_limit = gas_limit + 25_000 * authorization_list.len() as u64;
                self.keys[user].sign_encoded(TxEip7702 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: MAX_FEE,
                    max_priority_fee_per_gas: TIP,
                    to,
                    value,
                    access_list,
                    authorization_list,
                    input,
                })
            }
            _ => key.sign_encoded(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: MAX_FEE,
                max_priority_fee_per_gas: TIP,
                to,
                value,
                access_list,
                input,
            }),
        }
    }

    /// Authorizations of accounts that send nothing themselves, right and wrong ones.
    fn authorizations(&mut self, chain_id: u64) -> Result<Vec<SignedAuthorization>, KeyError> {
        (0..self.random.between(1, 3))
            .map(|_| {
                let key = Key::named(&format!("delegator {}", self.random.below(20)));
                let authorization = Authorization {
                    chain_id: U256::from(chain_id + u64::from(self.random.percent(10))),
                    address: TRAFFIC,
                    nonce: u64::from(self.random.percent(20)),
                };
                let signature = key.sign_hash(authorization.signature_hash())?;
                Ok(authorization.into_signed(signature))
            })
            .collect()
    }

    /// What somebody asks the portal for: the data of a call, and the wei to send along.
    pub fn deposit(&mut self) -> (Bytes, U256) {
        let mint = if self.random.percent(50) { self.random.below(1 << 60) } else { 0 };
        let seed = U256::from(self.random.next());
        let (to, gas, is_creation, data) = match self.random.below(6) {
            0 | 1 => (Address::from_word(self.random.word()), 100_000, false, Vec::new()),
            2 => {
                let data = Contract::storeCall { seed, count: U256::from(4) }.abi_encode();
                (TRAFFIC, 300_000, false, data)
            }
            3 => (TRAFFIC, 100_000, false, Contract::failCall { seed }.abi_encode()),
            4 => (Address::ZERO, 100_000, true, vec![0x60, 0x20, 0x60, 0x00, 0xf3]),
            // Too little to do anything.
            _ => (TRAFFIC, 30_000, false, Contract::lookCall { back: seed }.abi_encode()),
        };
        let call = OptimismPortal::depositTransactionCall {
            _to: to,
            _value: U256::from(mint),
            _gasLimit: gas,
            _isCreation: is_creation,
            _data: data.into(),
        };
        (call.abi_encode().into(), U256::from(mint))
    }

    /// An update of the system config, as the data of a call. The batcher stays.
    pub fn update(&mut self, fork: Fork) -> Bytes {
        let small = self.random.below(1 << 20) as u32;
        let mut updates = vec![
            SystemConfig::setGasLimitCall { _gasLimit: 20_000_000 + u64::from(small) }.abi_encode(),
            SystemConfig::setUnsafeBlockSignerCall {
                _unsafeBlockSigner: Address::from_word(self.random.word()),
            }
            .abi_encode(),
        ];
        if fork >= Fork::Ecotone {
            let call = SystemConfig::setGasConfigEcotoneCall {
                _basefeeScalar: small,
                _blobbasefeeScalar: small / 2,
            };
            updates.push(call.abi_encode());
        } else {
            let call = SystemConfig::setGasConfigCall {
                _overhead: U256::from(small % 5_000),
                _scalar: U256::from(small),
            };
            updates.push(call.abi_encode());
        }
        if fork >= Fork::Holocene {
            let call = SystemConfig::setEIP1559ParamsCall {
                _denominator: 50 + small % 300,
                _elasticity: 2 + small % 9,
            };
            updates.push(call.abi_encode());
        }
        if fork >= Fork::Isthmus {
            let call = SystemConfig::setOperatorFeeScalarsCall {
                _operatorFeeScalar: small % 1_000,
                _operatorFeeConstant: u64::from(small),
            };
            updates.push(call.abi_encode());
        }
        if fork >= Fork::Jovian {
            let call = SystemConfig::setMinBaseFeeCall { _minBaseFee: u64::from(small) };
            updates.push(call.abi_encode());
            let scalar = (small % 2_000) as u16;
            updates.push(
                SystemConfig::setDAFootprintGasScalarCall { _daFootprintGasScalar: scalar }
                    .abi_encode(),
            );
        }
        self.random.pick(&updates).clone().into()
    }
}
