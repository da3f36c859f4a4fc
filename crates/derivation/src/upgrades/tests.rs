//! The committed files against the tables of the specification, and what the code in them deploys.

use super::*;
use crate::fixtures::config;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, TxKind, U256, address, b256, hex, keccak256};
use op_alloy_consensus::TxDeposit;
use rebut_execution::ForkTimes;
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::TxEnv,
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
};

const ZERO: Address = Address::ZERO;
const D: Address = address!("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001");
const L1B: Address = address!("0x4200000000000000000000000000000000000015");
const GPO: Address = address!("0x420000000000000000000000000000000000000F");
const OFV: Address = address!("0x420000000000000000000000000000000000001B");

/// The account 0x4210...n.
fn deployer(n: u8) -> Address {
    let mut bytes = [0; 20];
    (bytes[0], bytes[1], bytes[19]) = (0x42, 0x10, n);
    bytes.into()
}

/// What a transaction is to do.
enum Effect {
    /// Deploy code with this hash at this address.
    Deploy(Address, B256),
    /// Call with this input.
    Call(Address, &'static [u8]),
    /// Let a proxy use this contract.
    Upgrade(Address, Address),
}
use Effect::{Call, Deploy, Upgrade};

/// Source hash, sender, gas and effect.
type Row = (B256, Address, u64, Effect);

/// The transactions of a chain that activates `fork` at 2000 and the ones before at 0.
fn first_block(fork: Fork) -> Vec<TxDeposit> {
    let earlier = Fork::TIMED.into_iter().filter(|timed| *timed < fork);
    let forks = earlier.fold(ForkTimes::default(), |times, timed| times.with(timed, Some(0)));
    let config = config(forks.with(fork, Some(2_000)));
    for other in [1_998, 2_002] {
        assert!(transactions(&config, other).is_empty(), "{fork:?}");
    }
    transactions(&config, 2_000).iter().map(decode).collect()
}

fn decode(bytes: &Bytes) -> TxDeposit {
    let mut rest = bytes.as_ref();
    let deposit = TxDeposit::decode_2718(&mut rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!((deposit.mint, deposit.value), (0, U256::ZERO));
    assert!(!deposit.is_system_transaction);
    deposit
}

/// Where the sender's first transaction deploys the code, and its hash.
fn deploy(deposit: &TxDeposit) -> (Address, B256) {
    let mut evm = Context::mainnet()
        .with_db(CacheDB::<EmptyDB>::default())
        .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(SpecId::CANCUN))
        .build_mainnet();
    let transaction = TxEnv {
        caller: deposit.from,
        gas_limit: deposit.gas_limit,
        kind: TxKind::Create,
        data: deposit.input.clone(),
        ..TxEnv::default()
    };
    let result = evm.transact(transaction).unwrap().result;
    assert!(result.is_success(), "{result:?}");
    let address = result.created_address().unwrap();
    (address, keccak256(result.into_output().unwrap()))
}

#[track_caller]
fn check(fork: Fork, rows: &[Row]) {
    let deposits = first_block(fork);
    assert_eq!(deposits.len(), rows.len());
    for (deposit, (source_hash, from, gas, effect)) in deposits.iter().zip(rows) {
        assert_eq!(deposit.source_hash, *source_hash);
        assert_eq!((deposit.from, deposit.gas_limit), (*from, *gas), "{source_hash}");
        match effect {
            Deploy(address, code_hash) => {
                assert_eq!(deposit.to, TxKind::Create);
                assert_eq!(deploy(deposit), (*address, *code_hash), "{source_hash}");
            }
            Call(to, input) => {
                assert_eq!((deposit.to, deposit.input.as_ref()), (TxKind::Call(*to), *input));
            }
            Upgrade(proxy, implementation) => {
                assert_eq!(deposit.to, TxKind::Call(*proxy));
                let input =
                    [&hex!("3659cfe6" "000000000000000000000000")[..], implementation.as_slice()];
                assert_eq!(hex::encode(&deposit.input), hex::encode(input.concat()));
            }
        }
    }
}

#[test]
fn ecotone() {
    const L1_BLOCK: Address = address!("0x07dbe8500fc591d1852B76feE44d5a05e13097Ff");
    const ORACLE: Address = address!("0xb528D11cC114E026F138fE568744c6D45ce6Da7A");
    let rows = [
        (
            b256!("0x877a6077205782ea15a6dc8699fa5ebcec5e0f4389f09cb8eda09488231346f8"),
            deployer(0),
            375_000,
            Deploy(
                L1_BLOCK,
                b256!("0xc88a313aa75dc4fbf0b6850d9f9ae41e04243b7008cf3eadb29256d4a71c1dfd"),
            ),
        ),
        (
            b256!("0xa312b4510adf943510f05fcc8f15f86995a5066bd83ce11384688ae20e6ecf42"),
            deployer(1),
            1_000_000,
            Deploy(
                ORACLE,
                b256!("0x8b71360ea773b4cfaf1ae6d2bd15464a4e1e2e360f786e475f63aeaed8da0ae5"),
            ),
        ),
        (
            b256!("0x18acb38c5ff1c238a7460ebc1b421fa49ec4874bdf1e0a530d234104e5e67dbc"),
            ZERO,
            50_000,
            Upgrade(L1B, L1_BLOCK),
        ),
        (
            b256!("0xee4f9385eceef498af0be7ec5862229f426dec41c8d42397c7257a5117d9230a"),
            ZERO,
            50_000,
            Upgrade(GPO, ORACLE),
        ),
        (
            b256!("0x0c1cb38e99dbc9cbfab3bb80863380b0905290b37eb3d6ab18dc01c1f3e75f93"),
            D,
            80_000,
            Call(GPO, &hex!("22b90ab3")),
        ),
        (
            b256!("0x69b763c48478b9dc2f65ada09b3d92133ec592ea715ec65ad6e7f3dc519dc00c"),
            address!("0x0B799C86a49DEeb90402691F1041aa3AF2d3C875"),
            250_000,
            // The contract's code is what follows 9 bytes of init code.
            Deploy(
                address!("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02"),
                keccak256(hex!(
                    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f3580"
                    "1560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001f"
                    "ff42064281555f359062001fff015500"
                )),
            ),
        ),
    ];
    check(Fork::Ecotone, &rows);
}

#[test]
fn fjord() {
    const ORACLE: Address = address!("0xa919894851548179A0750865e7974DA599C0Fac7");
    let rows = [
        (
            b256!("0x86122c533fdcb89b16d8713174625e44578a89751d96c098ec19ab40a51a8ea3"),
            deployer(2),
            1_450_000,
            Deploy(
                ORACLE,
                b256!("0xa88fa50a2745b15e6794247614b5298483070661adacb8d32d716434ed24c6b2"),
            ),
        ),
        (
            b256!("0x1e6bb0c28bfab3dc9b36ffb0f721f00d6937f33577606325692db0965a7d58c6"),
            ZERO,
            50_000,
            Upgrade(GPO, ORACLE),
        ),
        (
            b256!("0xbac7bb0d5961cad209a345408b0280a0d4686b1b20665e1b0f9cdafd73b19b6b"),
            D,
            90_000,
            Call(GPO, &hex!("8e98b106")),
        ),
    ];
    check(Fork::Fjord, &rows);
}

#[test]
fn isthmus() {
    const L1_BLOCK: Address = address!("0xFf256497D61dcd71a9e9Ff43967C13fdE1F72D12");
    const ORACLE: Address = address!("0x93e57A196454CB919193fa9946f14943cf733845");
    const VAULT: Address = address!("0x4fa2Be8cd41504037F1838BcE3bCC93bC68Ff537");
    let rows = [
        (
            b256!("0x3b2d0821ca2411ad5cd3595804d1213d15737188ae4cbd58aa19c821a6c211bf"),
            deployer(3),
            425_000,
            Deploy(
                L1_BLOCK,
                b256!("0x8e3fe7a416d3e5f3b7be74ddd4e7e58e516fa3f80b67c6d930e3cd7297da4a4b"),
            ),
        ),
        (
            b256!("0xfc70b48424763fa3fab9844253b4f8d508f91eb1f7cb11a247c9baec0afb8035"),
            deployer(4),
            1_625_000,
            Deploy(
                ORACLE,
                b256!("0x4d195a9d7caf9fb6d4beaf80de252c626c853afd5868c4f4f8d19c9d301c2679"),
            ),
        ),
        (
            b256!("0x107a570d3db75e6110817eb024f09f3172657e920634111ce9875d08a16daa96"),
            deployer(5),
            500_000,
            Deploy(
                VAULT,
                b256!("0x57dc55c9c09ca456fa728f253fe7b895d3e6aae0706104935fe87c7721001971"),
            ),
        ),
        (
            b256!("0xebe8b5cb10ca47e0d8bda8f5355f2d66711a54ddeb0ef1d30e29418c9bf17a0e"),
            ZERO,
            50_000,
            Upgrade(L1B, L1_BLOCK),
        ),
        (
            b256!("0xecf2d9161d26c54eda6b7bfdd9142719b1e1199a6e5641468d1bf705bc531ab0"),
            ZERO,
            50_000,
            Upgrade(GPO, ORACLE),
        ),
        (
            b256!("0xad74e1adb877ccbe176b8fa1cc559388a16e090ddbe8b512f5b37d07d887a927"),
            ZERO,
            50_000,
            Upgrade(OFV, VAULT),
        ),
        (
            b256!("0x3ddf4b1302548dd92939826e970f260ba36167f4c25f18390a5e8b194b295319"),
            D,
            90_000,
            Call(GPO, &hex!("291b0383")),
        ),
        (
            b256!("0xbfb734dae514c5974ddf803e54c1bc43d5cdb4a48ae27e1d9b875a5a150b553a"),
            address!("0x3462413Af4609098e1E27A490f554f260213D685"),
            250_000,
            Deploy(
                address!("0x0000F90827F1C53a10cb7A02335B175320002935"),
                b256!("0x6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d"),
            ),
        ),
    ];
    check(Fork::Isthmus, &rows);
}

#[test]
fn jovian() {
    const L1_BLOCK: Address = address!("0x3Ba4007f5C922FBb33C454B41ea7a1f11E83df2C");
    const ORACLE: Address = address!("0x4f1db3c6AbD250ba86E0928471A8F7DB3AFd88F1");
    let rows = [
        (
            b256!("0xbb1a656f65401240fac3db12e7a79ebb954b11e62f7626eb11691539b798d3bf"),
            deployer(6),
            447_315,
            Deploy(
                L1_BLOCK,
                b256!("0x5f885ca815d2cf27a203123e50b8ae204fdca910b6995d90b2d7700cbb9240d1"),
            ),
        ),
        (
            b256!("0xf3275f829340521028f9ad5bce4ecb1c64a45d448794effa2a77674627338e76"),
            ZERO,
            50_000,
            Upgrade(L1B, L1_BLOCK),
        ),
        (
            b256!("0x239b7021a6c2cf3a918481242bbb5a9499057f24501539467536c691bb133962"),
            deployer(7),
            1_750_714,
            Deploy(
                ORACLE,
                b256!("0xe9fc7c96c4db0d6078e3d359d7e8c982c350a513cb2c31121adf5e1e8a446614"),
            ),
        ),
        (
            b256!("0xa70c60aa53b8c1c0d52b39b1e901e7d7c09f7819595cb24048a6bb1983b401ff"),
            ZERO,
            50_000,
            Upgrade(GPO, ORACLE),
        ),
        (
            b256!("0xe836db6a959371756f8941be3e962d000f7e12a32e49e2c9ca42ba177a92716c"),
            D,
            90_000,
            Call(GPO, &hex!("b3d72079")),
        ),
    ];
    check(Fork::Jovian, &rows);
}

/// The bundle itself is known by its SHA-256, which `cargo xtask upgrades` checks.
#[test]
fn karst() {
    const DEPLOYER: Address = address!("0x420000000000000000000000000000000000002C");
    const PROXY_ADMIN: Address = address!("0x4200000000000000000000000000000000000018");
    const FIRST_DEPLOYER: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
    let deposits = first_block(Fork::Karst);
    assert_eq!(deposits.len(), 31);
    assert_eq!(deposits.iter().map(|deposit| deposit.gas_limit).sum::<u64>(), KARST_GAS);
    for (index, deposit) in deposits.iter().enumerate() {
        let (from, to) = match index {
            0 => (D, FIRST_DEPLOYER),
            1 => (ZERO, DEPLOYER),
            28 => (ZERO, PROXY_ADMIN),
            30 => (D, PROXY_ADMIN),
            _ => (D, DEPLOYER),
        };
        assert_eq!((deposit.from, deposit.to), (from, TxKind::Call(to)), "{index}");
    }
    let first = b256!("0x7e71ceb6816466ed1bbe59fce31bab86fbb815adbca6d2587fa492f6eb6eba74");
    let last = b256!("0x343d18613a55342c09a7be60664cb2e9bce77a17302c41322753e31427f9c543");
    assert_eq!((deposits[0].source_hash, deposits[30].source_hash), (first, last));
    let gas = [0, 1, 28, 30].map(|index| deposits[index].gas_limit);
    assert_eq!(gas, [580_000, 77_000, 49_711, 2_115_000]);
    assert_eq!(deposits[30].input[..4], hex!("7c36f37e"));
}

#[test]
fn only_karsts_first_block_has_more_gas() {
    let forks = ForkTimes::default().with(Fork::Jovian, Some(1_000)).with(Fork::Karst, Some(2_000));
    let config = config(forks);
    assert_eq!([998, 1_000, 1_998, 2_002].map(|time| gas(&config, time)), [0; 4]);
    assert_eq!(gas(&config, 2_000), 55_370_657);
}

/// A chain that skipped a fork gets the upgrades of both, the older first.
#[test]
fn forks_that_begin_together_upgrade_in_their_order() {
    let forks = ForkTimes::default().with(Fork::Isthmus, Some(0)).with(Fork::Karst, Some(2_000));
    let deposits = transactions(&config(forks), 2_000);
    assert_eq!(deposits.len(), 5 + 31);
    let jovian = b256!("0xbb1a656f65401240fac3db12e7a79ebb954b11e62f7626eb11691539b798d3bf");
    assert_eq!(decode(&deposits[0]).source_hash, jovian);
}

/// Chains that have a fork from their first block on have its contracts there as well.
#[test]
fn forks_from_the_start_upgrade_nothing() {
    assert!(transactions(&config(crate::fixtures::forks_up_to(Fork::Karst)), 1_002).is_empty());
}
