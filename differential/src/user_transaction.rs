//! Transactions of L2's users: in their EIP-2718 form, and in the parts that a span batch groups.
//! Signatures are random: derivation checks none.

use crate::{parameters::L2_CHAIN_ID, random::Random, rlp};
use alloy_primitives::{Address, U256};

/// In the data of a transaction these bytes make its block invalid.
pub const POISON: [u8; 4] = [0xba, 0xdb, 0x10, 0xc0];

/// What kind of transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before EIP-155.
    Unprotected,
    /// With a chain id in its signature.
    Legacy,
    /// With an access list.
    Eip2930,
    /// With a priority fee.
    Eip1559,
    /// With authorizations.
    Eip7702,
}

impl Kind {
    fn type_byte(self) -> Option<u8> {
        match self {
            Self::Unprotected | Self::Legacy => None,
            Self::Eip2930 => Some(1),
            Self::Eip1559 => Some(2),
            Self::Eip7702 => Some(4),
        }
    }
}

/// A transaction by its fields.
#[derive(Clone, Debug)]
pub struct UserTransaction {
    /// What kind it is.
    pub kind: Kind,
    /// Of the sender.
    pub nonce: u64,
    /// Gas limit.
    pub gas: u64,
    /// `None` creates a contract.
    pub to: Option<Address>,
    value: U256,
    fees: [u64; 2],
    data: Vec<u8>,
    /// Lists in their encoded form.
    access_list: Vec<u8>,
    authorizations: Vec<u8>,
    /// Signature.
    pub r: U256,
    /// Signature.
    pub s: U256,
    /// Signature.
    pub parity: bool,
}

impl UserTransaction {
    /// A transaction that is valid in every respect derivation looks at.
    pub fn random(random: &mut Random, with_type_4: bool) -> Self {
        let kinds = [Kind::Unprotected, Kind::Legacy, Kind::Eip2930, Kind::Eip1559, Kind::Eip7702];
        let kind = kinds[random.index(if with_type_4 { 5 } else { 4 })];
        let to = random.address();
        let to = (kind == Kind::Eip7702 || !random.chance(20)).then_some(to);
        let length = random.index(60);
        let entry = rlp::list(&[
            rlp::value(random.address()),
            rlp::list(&[rlp::value(random.hash()), rlp::value(random.hash())]),
        ]);
        let access_list = rlp::list(&vec![entry; random.index(2)]);
        let authorization = rlp::list(&[
            rlp::value(L2_CHAIN_ID),
            rlp::value(random.address()),
            rlp::value(random.below(9)),
            rlp::value(random.below(2)),
            rlp::value(U256::from(random.word())),
            rlp::value(U256::from(random.word())),
        ]);
        Self {
            kind,
            nonce: random.word() >> random.between(1, 63),
            gas: random.word() >> random.between(1, 63),
            to,
            value: U256::from_be_bytes(random.hash().0) >> random.between(0, 255) as usize,
            fees: [random.below(1 << 40), random.below(1 << 40)],
            data: random.bytes(length),
            access_list,
            authorizations: rlp::list(&vec![authorization; 1 + random.index(2)]),
            r: U256::from_be_bytes(random.hash().0) >> random.between(0, 20) as usize,
            s: U256::from_be_bytes(random.hash().0) >> random.between(1, 20) as usize,
            parity: random.chance(50),
        }
    }

    /// The same transaction as one that makes its block invalid.
    #[must_use]
    pub fn poisoned(mut self) -> Self {
        self.data.extend(POISON);
        self
    }

    /// The EIP-2718 form.
    pub fn encode(&self) -> Vec<u8> {
        let to = self.to.map_or_else(|| rlp::string(&[]), rlp::value);
        let common = |fees: &[u64]| {
            let mut fields = vec![rlp::value(self.nonce)];
            fields.extend(fees.iter().map(rlp::value));
            let rest = [rlp::value(self.gas), to.clone(), rlp::value(self.value)];
            fields.extend(rest);
            fields.push(rlp::string(&self.data));
            fields
        };
        let [priority, fee] = self.fees;
        let parity = u64::from(self.parity);
        let mut fields = match self.kind {
            Kind::Unprotected | Kind::Legacy => common(&[fee]),
            Kind::Eip2930 => [vec![rlp::value(L2_CHAIN_ID)], common(&[fee])].concat(),
            Kind::Eip1559 | Kind::Eip7702 => {
                [vec![rlp::value(L2_CHAIN_ID)], common(&[priority, fee])].concat()
            }
        };
        let v = match self.kind {
            Kind::Unprotected => 27 + parity,
            Kind::Legacy => 35 + 2 * L2_CHAIN_ID + parity,
            _ => parity,
        };
        if self.kind.type_byte().is_some() {
            fields.push(self.access_list.clone());
        }
        if self.kind == Kind::Eip7702 {
            fields.push(self.authorizations.clone());
        }
        fields.extend([rlp::value(v), rlp::value(self.r), rlp::value(self.s)]);
        let mut out: Vec<u8> = self.kind.type_byte().into_iter().collect();
        out.extend(rlp::list(&fields));
        out
    }

    /// The `tx_datas` part of a span batch.
    pub fn span_data(&self) -> Vec<u8> {
        let [priority, fee] = self.fees;
        let mut fields = vec![rlp::value(self.value)];
        if matches!(self.kind, Kind::Eip1559 | Kind::Eip7702) {
            fields.push(rlp::value(priority));
        }
        fields.push(rlp::value(fee));
        fields.push(rlp::string(&self.data));
        if self.kind.type_byte().is_some() {
            fields.push(self.access_list.clone());
        }
        if self.kind == Kind::Eip7702 {
            fields.push(self.authorizations.clone());
        }
        let mut out: Vec<u8> = self.kind.type_byte().into_iter().collect();
        out.extend(rlp::list(&fields));
        out
    }
}
