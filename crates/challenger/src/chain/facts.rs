//! What never changes in a game, and where it is found: read once.

use super::lens::{Answer, Lens, View};
use super::node::{Block, NodeError};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{
    DisputeGameFactory as Factory, FaultDisputeGame as Fault, MIPS64,
    PermissionedDisputeGame as Permissioned, PreimageOracle as Oracle,
};
use rebut_dispute::{GameError, GameType, Parameters, Proposal, Seconds, Timestamp};
use std::collections::HashMap;
use thiserror::Error;

/// An entry of the factory's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its place in the list.
    pub index: u64,
    /// Kind of the game.
    pub game_type: GameType,
    /// When it was created.
    pub created_at: Timestamp,
    /// The game.
    pub address: Address,
}

/// What is fixed when a game is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where the factory lists it.
    pub listing: Listing,
    /// The contract's version, as it says.
    pub version: String,
    /// Who created it.
    pub creator: Address,
    /// The disputed output root.
    pub root_claim: B256,
    /// The L1 block up to which everything that counts was on chain.
    pub l1_head: B256,
    /// L2 block number that the root claims to be of; the largest where it is beyond.
    pub l2_sequence_number: u64,
    /// What is agreed on.
    pub starting: Proposal,
    /// Depths and clocks.
    pub parameters: Parameters,
    /// State of the machine before the first instruction.
    pub absolute_prestate: B256,
    /// The step verifier.
    pub vm: Address,
    /// Its preimage oracle.
    pub oracle: Address,
    /// Preimages from this size on are uploaded in parts, in bytes.
    pub min_large_preimage_bytes: u64,
    /// Where the bonds are.
    pub weth: Address,
    /// The registry that judges the game's outcome.
    pub anchor_state_registry: Address,
    /// The L2 chain's id.
    pub l2_chain_id: u64,
    /// The only account that may play besides the proposer, in permissioned games.
    pub challenger: Option<Address>,
    /// Whether games of its type could finalise withdrawals when it was created.
    pub was_respected: bool,
}

/// Why a game cannot be read. It is left alone; the others are not touched by it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A getter that answers nothing, or something else.
    #[error("{0} has no answer")]
    Getter(&'static str),
    /// A number beyond what any game can have.
    #[error("{what} {value} is out of range")]
    Range {
        /// Which.
        what: &'static str,
        /// The number.
        value: U256,
    },
    /// A kind of game that this agent does not play.
    #[error("{0} games are not played")]
    Type(GameType),
    /// Claims or parameters of no possible game.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The game says of itself something else than the factory.
    #[error("its {0} is not the factory's")]
    Listing(&'static str),
    /// Fewer claims than the game says it has.
    #[error("{read} of {claims} claims are readable")]
    Claims {
        /// Those read.
        read: u64,
        /// Those there should be.
        claims: U256,
    },
}

/// Entries `from` to `to`, `to` not included, of the factory's list.
///
/// # Errors
/// [`NodeError`]; an entry that the factory does not give is left out.
pub async fn listings(
    lens: &Lens,
    factory: Address,
    from: u64,
    to: u64,
    block: &Block,
) -> Result<Vec<Listing>, NodeError> {
    let call = |index| Factory::gameAtIndexCall { _index: U256::from(index) };
    let views: Vec<_> = (from..to).map(|index| View::new(factory, &call(index))).collect();
    let answers = lens.views(&views, block).await?;
    let listings = (from..).zip(answers).filter_map(|(index, answer)| {
        let entry = answer.decode::<Factory::gameAtIndexCall>()?;
        Some(Listing {
            index,
            game_type: GameType(entry.gameType_),
            created_at: Timestamp(entry.timestamp_),
            address: entry.proxy_,
        })
    });
    Ok(listings.collect())
}

/// Reads answers one after the other.
struct Answers<'a>(std::slice::Iter<'a, Answer>);

impl Answers<'_> {
    fn maybe<C: SolCall>(&mut self) -> Option<C::Return> {
        self.0.next()?.decode::<C>()
    }

    fn next<C: SolCall>(&mut self) -> Result<C::Return, Malformed> {
        self.maybe::<C>().ok_or(Malformed::Getter(C::SIGNATURE))
    }
}

/// Which of [`views`] asks for the step verifier.
const VM_VIEW: usize = 14;

/// Views of one game, in the order in which [`read`] takes their answers.
fn views(game: Address) -> Vec<View> {
    vec![
        View::new(game, &Fault::versionCall {}),
        View::new(game, &Fault::gameTypeCall {}),
        View::new(game, &Fault::gameCreatorCall {}),
        View::new(game, &Fault::rootClaimCall {}),
        View::new(game, &Fault::l1HeadCall {}),
        View::new(game, &Fault::l2SequenceNumberCall {}),
        View::new(game, &Fault::l2BlockNumberCall {}),
        View::new(game, &Fault::startingRootHashCall {}),
        View::new(game, &Fault::startingBlockNumberCall {}),
        View::new(game, &Fault::absolutePrestateCall {}),
        View::new(game, &Fault::maxGameDepthCall {}),
        View::new(game, &Fault::splitDepthCall {}),
        View::new(game, &Fault::maxClockDurationCall {}),
        View::new(game, &Fault::clockExtensionCall {}),
        View::new(game, &Fault::vmCall {}),
        View::new(game, &Fault::wethCall {}),
        View::new(game, &Fault::anchorStateRegistryCall {}),
        View::new(game, &Fault::l2ChainIdCall {}),
        View::new(game, &Fault::wasRespectedGameTypeWhenCreatedCall {}),
        View::new(game, &Permissioned::challengerCall {}),
    ]
}

/// What a step verifier says of its oracle.
#[derive(Clone, Copy, Debug)]
struct OracleFacts {
    address: Address,
    challenge_period: u64,
    min_large_preimage_bytes: u64,
}

/// The facts of each game, in their order.
///
/// # Errors
/// [`NodeError`] where the node fails; a game that does not answer as games do is [`Malformed`] alone.
pub async fn facts(
    lens: &Lens,
    games: &[Listing],
    block: &Block,
) -> Result<Vec<Result<Facts, Malformed>>, NodeError> {
    let all: Vec<View> = games.iter().flat_map(|game| views(game.address)).collect();
    let answers = lens.views(&all, block).await?;
    let width = views(Address::ZERO).len();
    let vms: Vec<Option<Address>> = answers
        .chunks(width)
        .map(|of_game| of_game.get(VM_VIEW)?.decode::<Fault::vmCall>())
        .collect();
    let oracles = oracles(lens, vms.iter().flatten().copied().collect(), block).await?;
    let read = games.iter().zip(answers.chunks(width)).zip(&vms).map(|((listing, own), vm)| {
        let oracle = vm.and_then(|vm| oracles.get(&vm).copied());
        read(*listing, Answers(own.iter()), oracle.ok_or(Malformed::Getter("oracle()")))
    });
    Ok(read.collect())
}

async fn oracles(
    lens: &Lens,
    mut vms: Vec<Address>,
    block: &Block,
) -> Result<HashMap<Address, OracleFacts>, NodeError> {
    vms.sort_unstable();
    vms.dedup();
    let views: Vec<_> = vms.iter().map(|vm| View::new(*vm, &MIPS64::oracleCall {})).collect();
    let oracles: Vec<_> = lens.views(&views, block).await?;
    let known: Vec<(Address, Address)> = vms
        .into_iter()
        .zip(oracles)
        .filter_map(|(vm, oracle)| Some((vm, oracle.decode::<MIPS64::oracleCall>()?)))
        .collect();
    let views: Vec<_> = known
        .iter()
        .flat_map(|(_, oracle)| {
            [
                View::new(*oracle, &Oracle::challengePeriodCall {}),
                View::new(*oracle, &Oracle::minProposalSizeCall {}),
            ]
        })
        .collect();
    let answers = lens.views(&views, block).await?;
    let facts = known.iter().zip(answers.chunks(2)).filter_map(|((vm, address), own)| {
        let [period, size] = own else { return None };
        Some((
            *vm,
            OracleFacts {
                address: *address,
                challenge_period: period
                    .decode::<Oracle::challengePeriodCall>()?
                    .try_into()
                    .ok()?,
                min_large_preimage_bytes: size
                    .decode::<Oracle::minProposalSizeCall>()?
                    .saturating_to(),
            },
        ))
    });
    Ok(facts.collect())
}

fn read(
    listing: Listing,
    mut answers: Answers<'_>,
    oracle: Result<OracleFacts, Malformed>,
) -> Result<Facts, Malformed> {
    let number =
        |what, value: U256| u64::try_from(value).map_err(|_| Malformed::Range { what, value });
    if listing.game_type == GameType::ZK || listing.game_type.is_super() {
        return Err(Malformed::Type(listing.game_type));
    }
    let version = answers.next::<Fault::versionCall>()?;
    if answers.next::<Fault::gameTypeCall>()? != listing.game_type.0 {
        return Err(Malformed::Listing("type"));
    }
    let creator = answers.maybe::<Fault::gameCreatorCall>().unwrap_or_default();
    let root_claim = answers.next::<Fault::rootClaimCall>()?;
    let l1_head = answers.next::<Fault::l1HeadCall>()?;
    let sequence = answers.maybe::<Fault::l2SequenceNumberCall>();
    let block_number = answers.maybe::<Fault::l2BlockNumberCall>();
    let l2_sequence_number =
        sequence.or(block_number).ok_or(Malformed::Getter("l2SequenceNumber()"))?;
    let starting_root = answers.next::<Fault::startingRootHashCall>()?;
    let starting_number = answers.next::<Fault::startingBlockNumberCall>()?;
    let absolute_prestate = answers.next::<Fault::absolutePrestateCall>()?;
    let max_depth = number("depth", answers.next::<Fault::maxGameDepthCall>()?)?;
    let split_depth = number("split depth", answers.next::<Fault::splitDepthCall>()?)?;
    let max_clock = answers.next::<Fault::maxClockDurationCall>()?;
    let extension = answers.next::<Fault::clockExtensionCall>()?;
    let vm = answers.next::<Fault::vmCall>()?;
    let oracle = oracle?;
    let parameters = Parameters::new(
        max_depth,
        split_depth,
        Seconds(max_clock),
        Seconds(extension),
        Seconds(oracle.challenge_period),
    )?;
    let weth = answers.next::<Fault::wethCall>()?;
    let anchor_state_registry = answers.next::<Fault::anchorStateRegistryCall>()?;
    let l2_chain_id = answers.next::<Fault::l2ChainIdCall>()?;
    let was_respected =
        answers.maybe::<Fault::wasRespectedGameTypeWhenCreatedCall>().unwrap_or_default();
    let challenger = answers.maybe::<Permissioned::challengerCall>();
    Ok(Facts {
        listing,
        version,
        creator,
        root_claim,
        l1_head,
        // Contracts of earlier versions take any number. No tree of outputs reaches beyond this one, so claims in the
        // game mean the same; left alone, its root would stand.
        l2_sequence_number: l2_sequence_number.saturating_to(),
        starting: Proposal {
            root: starting_root,
            l2_sequence_number: number("starting L2 block number", starting_number)?,
        },
        parameters,
        absolute_prestate,
        vm,
        oracle: oracle.address,
        min_large_preimage_bytes: oracle.min_large_preimage_bytes,
        weth,
        anchor_state_registry,
        l2_chain_id: number("chain id", l2_chain_id)?,
        challenger,
        was_respected,
    })
}
