use super::*;
use alloy_primitives::{U512, hex};

fn run(last_byte: u8, input: &[u8]) -> Vec<u8> {
    let address = Address::with_last_byte(last_byte);
    PrecompileCall { address, gas: None, input }.execute("l1-precompile").unwrap()
}

/// Input and output as hexadecimal text in pieces; an empty list of outputs is a failure.
fn check(last_byte: u8, input: &[&str], output: Option<&[&str]>) {
    let input = hex::decode(input.concat()).unwrap();
    let expected = match output {
        Some(output) => [vec![1], hex::decode(output.concat()).unwrap()].concat(),
        None => vec![0],
    };
    assert_eq!(hex::encode(run(last_byte, &input)), hex::encode(expected), "{last_byte:#x}");
}

const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";

#[test]
fn ecrecover_gives_the_signer() {
    let hash = "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c";
    let v = "000000000000000000000000000000000000000000000000000000000000001c";
    let r = "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f";
    let s = "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549";
    let signer = "000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b";
    check(1, &[hash, v, r, s], Some(&[signer]));
    // No signer is a success without output.
    check(1, &[hash, ONE, r, s], Some(&[]));
    check(1, &[hash, v, ZERO, s], Some(&[]));
    check(1, &[], Some(&[]));
}

/// The generators of the bn254 groups, as the pairing takes them.
const BN_G1: [&str; 2] = [ONE, "0000000000000000000000000000000000000000000000000000000000000002"];
const BN_G1_NEGATED: [&str; 2] =
    [ONE, "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45"];
const BN_G2: [&str; 4] = [
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
];

#[test]
fn the_bn254_pairing_is_bilinear() {
    let pair = [&BN_G1[..], &BN_G2].concat();
    let inverse = [&BN_G1_NEGATED[..], &BN_G2].concat();
    check(8, &[], Some(&[ONE]));
    check(8, &[&pair[..], &inverse].concat(), Some(&[ONE]));
    check(8, &pair, Some(&[ZERO]));
    check(8, &[&pair[..], &pair].concat(), Some(&[ZERO]));
    // Half a pair, and a point off the curve.
    check(8, &BN_G1, None);
    check(8, &[&[ONE, ONE][..], &BN_G2].concat(), None);
}

#[test]
fn kzg_point_evaluation_checks_the_proof() {
    let versioned_hash = "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b";
    let z = "564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306";
    let y = "24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1";
    let commitment = "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7";
    let proof = "873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a";
    let elements = "0000000000000000000000000000000000000000000000000000000000001000";
    let modulus = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    let call = [versioned_hash, z, y, commitment, proof];
    check(0xa, &call, Some(&[elements, modulus]));
    check(0xa, &[versioned_hash, z, ONE, commitment, proof], None);
    check(0xa, &call[..4], None);
}

/// Coordinates of the BLS12-381 generators, 48 bytes each.
const BLS_G1: [&str; 2] = [
    "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
];
const BLS_G1_DOUBLED: [&str; 2] = [
    "0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e",
    "166a9d8cabc673a322fda673779d8e3822ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28",
];
const BLS_G2: [&str; 4] = [
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
    "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
];
const BLS_MODULUS: &str = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

/// Coordinates as a call takes them: padded to 64 bytes each.
fn padded(coordinates: &[&str]) -> String {
    coordinates.iter().map(|c| format!("{}{c}", "0".repeat(32))).collect()
}

/// The coordinate of the inverse point: modulus - y.
fn negated(coordinate: &str) -> String {
    let number = |digits| U512::from_str_radix(digits, 16).unwrap();
    let bytes = (number(BLS_MODULUS) - number(coordinate)).to_be_bytes::<64>();
    hex::encode(&bytes[16..])
}

fn scalar(n: u8) -> String {
    format!("{n:064x}")
}

#[test]
fn bls_g1_group_law() {
    let (g, twice) = (padded(&BLS_G1), padded(&BLS_G1_DOUBLED));
    let inverse = padded(&[BLS_G1[0], &negated(BLS_G1[1])]);
    let infinity = "0".repeat(256);
    check(0xb, &[&g, &g], Some(&[&twice]));
    check(0xb, &[&g, &infinity], Some(&[&g]));
    check(0xb, &[&g, &inverse], Some(&[&infinity]));
    check(0xb, &[&g, &padded(&[BLS_G1[0], BLS_G1[0]])], None);
    check(0xc, &[&g, &scalar(2)], Some(&[&twice]));
    check(0xc, &[&g, &scalar(4), &twice, &scalar(3), &inverse, &scalar(8)], Some(&[&twice]));
    check(0xc, &[], None);
}

#[test]
fn bls_g2_group_law() {
    let g = padded(&BLS_G2);
    let inverse = padded(&[BLS_G2[0], BLS_G2[1], &negated(BLS_G2[2]), &negated(BLS_G2[3])]);
    let infinity = "0".repeat(512);
    check(0xd, &[&g, &infinity], Some(&[&g]));
    check(0xd, &[&g, &inverse], Some(&[&infinity]));
    check(0xd, &[&g, &g[2..]], None);
    let twice = hex::encode(&run(0xd, &hex::decode([&g[..], &g].concat()).unwrap())[1..]);
    assert_ne!(twice, g);
    check(0xd, &[&twice, &inverse], Some(&[&g]));
    check(0xe, &[&g, &scalar(2)], Some(&[&twice]));
    check(0xe, &[&g, &scalar(5), &twice, &scalar(3), &inverse, &scalar(9)], Some(&[&twice]));
}

#[test]
fn the_bls_pairing_is_bilinear() {
    let (g1, g2, twice) = (padded(&BLS_G1), padded(&BLS_G2), padded(&BLS_G1_DOUBLED));
    let inverse = padded(&[BLS_G1[0], &negated(BLS_G1[1])]);
    check(0xf, &[&g1, &g2, &inverse, &g2], Some(&[ONE]));
    check(0xf, &[&twice, &g2, &inverse, &g2, &inverse, &g2], Some(&[ONE]));
    check(0xf, &[&g1, &g2], Some(&[ZERO]));
    check(0xf, &[], None);
}

/// The vectors of RFC 9380, appendices J.9.2 and J.10.2, with a single field element.
#[test]
fn bls_maps_to_the_curves() {
    let u = "156c8a6a2c184569d69a76be144b5cdc5141d2d2ca4fe341f011e25e3969c55ad9e9b9ce2eb833c81a908e5fa4ac5f03";
    let point = [
        "184bb665c37ff561a89ec2122dd343f20e0f4cbcaec84e3c3052ea81d1834e192c426074b02ed3dca4e7676ce4ce48ba",
        "04407b8d35af4dacc809927071fc0405218f1401a6d15af775810e4e460064bcc9468beeba82fdc751be70476c888bf3",
    ];
    check(0x10, &[&padded(&[u])], Some(&[&padded(&point)]));
    check(0x10, &[&padded(&[BLS_MODULUS])], None);
    let u = [
        "07355d25caf6e7f2f0cb2812ca0e513bd026ed09dda65b177500fa31714e09ea0ded3a078b526bed3307f804d4b93b04",
        "02829ce3c021339ccb5caf3e187f6370e1e2a311dec9b75363117063ab2015603ff52c3d3b98f19c2f65575e99e8b78c",
    ];
    let point = [
        "00e7f4568a82b4b7dc1f14c6aaa055edf51502319c723c4dc2688c7fe5944c213f510328082396515734b6612c4e7bb7",
        "126b855e9e69b1f691f816e48ac6977664d24d99f8724868a184186469ddfd4617367e94527d4b74fc86413483afb35b",
        "0caead0fd7b6176c01436833c79d305c78be307da5f6af6c133c47311def6ff1e0babf57a0fb5539fce7ee12407b0a42",
        "1498aadcf7ae2b345243e281ae076df6de84455d766ab6fcdaad71fab60abb2e8b980a440043cd305db09d283c895e3d",
    ];
    check(0x11, &[&padded(&u)], Some(&[&padded(&point)]));
    check(0x11, &[&padded(&[BLS_MODULUS, u[1]])], None);
}

#[test]
fn calls_within_and_out_of_their_gas() {
    let call = |last_byte, gas, input| {
        let address = Address::with_last_byte(last_byte);
        PrecompileCall { address, gas: Some(gas), input }.execute("l1-precompile")
    };
    let pair = hex::decode([&BN_G1[..], &BN_G2].concat().concat()).unwrap();
    // Costs per EIP-1108, and of ecrecover since the first block.
    for (last_byte, cost, input) in [(1, 3000, &[][..]), (8, 45_000, &[]), (8, 79_000, &pair)] {
        assert!(call(last_byte, cost, input).is_ok());
        let address = Address::with_last_byte(last_byte);
        let error = HintError::Gas { name: "l1-precompile".into(), address, gas: cost - 1 };
        assert_eq!(call(last_byte, cost - 1, input), Err(error));
    }
}

#[test]
fn other_precompiles_are_refused() {
    for last_byte in (0..=0x20).filter(|byte| !matches!(byte, 1 | 8 | 0xa..=0x11)) {
        let address = Address::with_last_byte(last_byte);
        let call = PrecompileCall { address, gas: None, input: &[] };
        let error = HintError::Precompile { name: "l1-precompile".into(), address };
        assert_eq!(call.execute("l1-precompile"), Err(error));
    }
}

#[test]
fn payloads_in_both_forms() {
    let payload = [&[0; 19][..], &[8], &3_u64.to_be_bytes(), b"input"].concat();
    let address = Address::with_last_byte(8);
    let parse = |payload, form| PrecompileCall::parse("l1-precompile", payload, form);
    assert_eq!(
        parse(&payload, PayloadForm::WithGas),
        Ok(PrecompileCall { address, gas: Some(3), input: b"input" })
    );
    assert_eq!(
        parse(&payload, PayloadForm::WithoutGas),
        Ok(PrecompileCall { address, gas: None, input: &payload[20..] })
    );
    for (form, minimum) in [(PayloadForm::WithGas, 28), (PayloadForm::WithoutGas, 20)] {
        assert!(parse(&payload[..minimum], form).is_ok());
        assert!(matches!(parse(&payload[..minimum - 1], form), Err(HintError::Payload { .. })));
    }
}
