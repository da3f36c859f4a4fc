//! What tests of this crate start from.

use crate::{
    Bond, Claim, ClaimIndex, Clock, Depth, Game, Parameters, Position, Proposal, Seconds, Side,
};
use alloy_primitives::{Address, B256};

/// Parameters of a game with mainnet's clocks.
pub fn parameters(max_depth: u64, split_depth: u64) -> Parameters {
    Parameters::new(max_depth, split_depth, Seconds(302_400), Seconds(10_800), Seconds(86_400))
        .unwrap()
}

pub fn depth(levels: u8) -> Depth {
    Depth::new(levels.into()).unwrap()
}

pub fn position(gindex: u128) -> Position {
    Position::new(gindex).unwrap()
}

/// A claim whose value, unless it is changed, is that of no other.
pub fn claim(parent: Option<u32>, gindex: u128) -> Claim {
    Claim {
        parent: parent.map(ClaimIndex),
        countered_by: None,
        claimant: Address::repeat_byte(1),
        bond: Bond(1),
        value: B256::left_padding_from(&gindex.to_be_bytes()),
        position: position(gindex),
        clock: Clock::default(),
    }
}

/// From block 100 to block 108, with one path of claims below the root.
pub fn path(parameters: Parameters, sides: impl IntoIterator<Item = Side>) -> Game {
    let starting = Proposal { root: B256::repeat_byte(7), l2_sequence_number: 100 };
    let mut game = Game::new(parameters, starting, 108, [claim(None, 1)]).unwrap();
    let mut last = (0, Position::ROOT);
    for side in sides {
        let next = last.1.answer(side).unwrap();
        last = (game.push(claim(Some(last.0), next.gindex())).unwrap().0, next);
    }
    game
}
