use super::*;
use crate::{
    Eip1559Params,
    fixtures::{config, forks_up_to},
    l1_info::L1Info,
    memory_l1::{MemoryL1, log, receipt},
};
use alloc::vec;
use alloy_consensus::Sealable;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{B256, U256, b256};
use op_alloy_consensus::TxDeposit;
use rebut_execution::ForkTimes;

fn header(number: u64, parent_hash: B256) -> Sealed<Header> {
    Header {
        number,
        parent_hash,
        timestamp: 1_200,
        mix_hash: B256::repeat_byte(0x3a),
        parent_beacon_block_root: Some(B256::repeat_byte(0xbe)),
        ..Header::default()
    }
    .seal_slow()
}

const PARAMETERS: Eip1559Params =
    Eip1559Params { denominator: 0x0102_0304, elasticity: 0x0506_0708 };

/// The attributes of the block at 2000 from what was read: with a user deposit, and a transaction in its batch.
fn build_at_2000(config: &RollupConfig, first_of_epoch: bool) -> PayloadAttributes {
    let origin = header(50, B256::repeat_byte(0x49));
    let parent_origin = if first_of_epoch {
        BlockId { hash: B256::repeat_byte(0x49), number: 49 }
    } else {
        BlockId { hash: origin.hash(), number: 50 }
    };
    let parent = L2BlockRef {
        timestamp: 1_998,
        l1_origin: parent_origin,
        sequence_number: 7,
        ..L2BlockRef::default()
    };
    let batch = SingularBatch {
        epoch_number: 50,
        epoch_hash: origin.hash(),
        timestamp: 2_000,
        transactions: vec![vec![2, 1].into()],
        ..SingularBatch::default()
    };
    let system_config = SystemConfig {
        eip_1559: Some(PARAMETERS),
        min_base_fee: 99,
        ..config.genesis.system_config
    };
    let deposits = if first_of_epoch { vec![vec![0x7e, 0xaa].into()] } else { vec![] };
    build(config, &parent, &system_config, &origin, deposits, &batch)
}

fn sequence_number(attributes: &PayloadAttributes) -> u64 {
    let deposit = TxDeposit::decode_2718(&mut attributes.transactions[0].as_ref()).unwrap();
    L1Info::decode(&deposit.input).unwrap().sequence_number
}

#[test]
fn transactions_have_their_order() {
    let config =
        config(ForkTimes::default().with(Fork::Canyon, Some(0)).with(Fork::Ecotone, Some(2_000)));
    let attributes = build_at_2000(&config, true);
    assert_eq!(sequence_number(&attributes), 0);
    let transactions = &attributes.transactions;
    // L1 attributes, user deposit, six upgrades of Ecotone, batch.
    assert_eq!(transactions.len(), 1 + 1 + 6 + 1);
    assert_eq!(transactions[1][..], [0x7e, 0xaa]);
    assert!(transactions[2..8].iter().all(|upgrade| upgrade[0] == 0x7e && upgrade.len() > 80));
    assert_eq!(transactions[8][..], [2, 1]);
}

#[test]
fn a_block_within_its_epoch_has_no_user_deposits() {
    let attributes = build_at_2000(&config(forks_up_to(Fork::Canyon)), false);
    assert_eq!(sequence_number(&attributes), 8);
    assert_eq!(attributes.transactions.len(), 2);
}

#[test]
fn what_comes_from_origin_and_system_config() {
    let attributes = build_at_2000(&config(forks_up_to(Fork::Karst)), false);
    assert_eq!(attributes.timestamp, 2_000);
    assert_eq!(attributes.prev_randao, B256::repeat_byte(0x3a));
    assert_eq!(
        attributes.suggested_fee_recipient,
        address!("0x4200000000000000000000000000000000000011")
    );
    assert_eq!(attributes.gas_limit, 30_000_000);
    assert_eq!(attributes.parent_beacon_block_root, Some(B256::repeat_byte(0xbe)));
    assert_eq!(attributes.eip_1559_params, Some([1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(attributes.min_base_fee, Some(99));
}

#[test]
fn fields_appear_with_their_forks() {
    let fields = |fork| {
        let attributes = build_at_2000(&config(forks_up_to(fork)), false);
        (
            attributes.parent_beacon_block_root.is_some(),
            attributes.eip_1559_params.is_some(),
            attributes.min_base_fee.is_some(),
        )
    };
    assert_eq!(fields(Fork::Canyon), (false, false, false));
    assert_eq!(fields(Fork::Ecotone), (true, false, false));
    assert_eq!(fields(Fork::Granite), (true, false, false));
    assert_eq!(fields(Fork::Holocene), (true, true, false));
    assert_eq!(fields(Fork::Isthmus), (true, true, false));
    assert_eq!(fields(Fork::Jovian), (true, true, true));
}

/// Blocks before Holocene say nothing of the parameters, so zeros are what its first block has:
/// execution puts the constants of the chain's configuration there. Only its own origin may set others.
#[test]
fn holocenes_first_block_has_the_parameters_that_its_own_origin_sets() {
    let times = ForkTimes::default().with(Fork::Granite, Some(0)).with(Fork::Holocene, Some(2_000));
    let mut config = config(times);
    let parameters = |config: &RollupConfig| build_at_2000(config, true).eip_1559_params;
    assert_eq!(parameters(&config), Some([1, 2, 3, 4, 5, 6, 7, 8]));
    let build = |config: &RollupConfig, eip_1559| {
        let system_config = SystemConfig { eip_1559, ..config.genesis.system_config };
        let origin = header(50, B256::repeat_byte(0x49));
        assemble(config, &system_config, &origin, 2_000, vec![]).eip_1559_params
    };
    assert_eq!(build(&config, None), Some([0; 8]));
    config.chain.forks = config.chain.forks.with(Fork::Holocene, Some(2_001));
    assert_eq!(build(&config, Some(PARAMETERS)), None);
}

#[test]
fn karsts_first_block_has_gas_for_its_upgrade() {
    let times = ForkTimes::default().with(Fork::Jovian, Some(0)).with(Fork::Karst, Some(2_000));
    let attributes = build_at_2000(&config(times), false);
    assert_eq!(attributes.gas_limit, 30_000_000 + 55_370_657);
    assert_eq!(attributes.transactions.len(), 1 + 31 + 1);
}

/// A user deposit and a new gas limit in one L1 block: version 0 of both events.
fn l1_chain(config: &RollupConfig) -> MemoryL1 {
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let deposit = [
        [word(32), word(73)].concat(),
        // Mint, value, gas, no creation.
        [&word(5)[..], &word(6), &50_000_u64.to_be_bytes(), &[0]].concat(),
        vec![0; 23],
    ];
    let deposited = b256!("0xb3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32");
    let parties = [Address::repeat_byte(0xf0), Address::repeat_byte(0x70)].map(|a| a.into_word());
    let deposit_topics = [deposited, parties[0], parties[1], B256::ZERO];
    let updated = b256!("0x1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");
    let update_topics = [updated, B256::ZERO, B256::with_last_byte(2)];
    let update = [word(32), word(32), word(77_000_000)].concat();
    let logs = [
        log(config.deposit_contract, &deposit_topics, deposit.concat()),
        log(config.l1_system_config, &update_topics, update),
    ];
    let mut l1 = MemoryL1::default();
    l1.push(1_190, vec![], vec![], &[]);
    l1.push(1_200, vec![], vec![receipt(2, true, &logs)], &logs);
    l1
}

/// The L1 blocks 0 and 1, and a parent at `timestamp` whose origin is block 0.
fn parent(l1: &MemoryL1, timestamp: u64) -> L2BlockRef {
    let l1_origin = BlockId { hash: l1.blocks[0].header.hash(), number: 0 };
    L2BlockRef { timestamp, l1_origin, ..L2BlockRef::default() }
}

fn batch(l1: &MemoryL1, epoch_number: u64) -> SingularBatch {
    let epoch_hash = l1.blocks[epoch_number as usize].header.hash();
    SingularBatch { epoch_number, epoch_hash, ..SingularBatch::default() }
}

#[test]
fn an_epoch_begins_with_the_deposits_and_updates_of_its_origin() {
    let config = config(forks_up_to(Fork::Canyon));
    let mut l1 = l1_chain(&config);
    let (parent, batch) = (parent(&l1, 1_998), batch(&l1, 1));
    let attributes =
        attributes(&config, &parent, config.genesis.system_config, &batch, &mut l1).unwrap();
    assert_eq!(attributes.gas_limit, 77_000_000);
    assert_eq!(attributes.transactions.len(), 2);
    let deposit = TxDeposit::decode_2718(&mut attributes.transactions[1].as_ref()).unwrap();
    assert_eq!((deposit.mint, deposit.value, deposit.gas_limit), (5, U256::from(6), 50_000));
}

#[test]
fn within_an_epoch_only_the_origins_header_is_read() {
    let config = config(forks_up_to(Fork::Canyon));
    let mut l1 = l1_chain(&config);
    l1.is_pruned = true;
    let (mut parent, batch) = (parent(&l1, 1_998), batch(&l1, 1));
    parent.l1_origin = BlockId { hash: batch.epoch_hash, number: 1 };
    let attributes =
        attributes(&config, &parent, config.genesis.system_config, &batch, &mut l1).unwrap();
    assert_eq!((attributes.gas_limit, attributes.transactions.len()), (30_000_000, 1));
}

#[test]
fn a_batch_that_does_not_continue_its_parent_resets_the_pipeline() {
    let config = config(forks_up_to(Fork::Canyon));
    let check = |change: fn(&mut L2BlockRef, &mut SingularBatch), time: bool| {
        let mut l1 = l1_chain(&config);
        let (mut parent, mut batch) = (parent(&l1, 1_198), batch(&l1, 1));
        change(&mut parent, &mut batch);
        let expected = if time {
            ResetError::Time { timestamp: 1_199, origin: 1_200 }
        } else {
            let origin = BlockId { hash: batch.epoch_hash, number: batch.epoch_number };
            ResetError::Origin { origin, parent_origin: parent.l1_origin }
        };
        let system_config = config.genesis.system_config;
        let error = attributes(&config, &parent, system_config, &batch, &mut l1).unwrap_err();
        assert_eq!(error, PipelineError::Reset(expected));
    };
    // An origin that L1 does not have, or has in another form; one that does not follow the parent's;
    // the parent's own with another hash; one that is younger than the block.
    check(|_, batch| batch.epoch_number = 2, false);
    check(|_, batch| batch.epoch_hash = B256::ZERO, false);
    check(|parent, _| parent.l1_origin.hash = B256::ZERO, false);
    check(|parent, _| parent.l1_origin.number = 1, false);
    check(|parent, _| parent.timestamp = 1_197, true);
}
