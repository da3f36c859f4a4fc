//! A derivation from L1 data to an L2 chain: what a driver does around a pipeline.

use crate::{
    l1::L1Chain,
    l2::{self, Attributes, L2Block},
    parameters::{Parameters, Upgrade},
};
use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

/// What a pipeline reads: L1 up to its head, and the blocks that it derived.
#[derive(Debug)]
pub struct World {
    /// The chain's parameters.
    pub parameters: Parameters,
    /// L1.
    pub l1: L1Chain,
    /// L2 up to the safe head.
    pub l2: Vec<L2Block>,
}

impl World {
    /// The newest safe block.
    pub fn safe(&self) -> &L2Block {
        self.l2.last().expect("the chain starts with a block")
    }
}

/// A world that several providers read.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world. Nobody keeps it beyond a call.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Why a pipeline gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// By an error that says that nothing can be derived.
    Critical(String),
    /// By a panic.
    Panic(String),
    /// It went on for ever.
    Stuck(String),
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Critical(error) => write!(f, "critical error: {error}"),
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Stuck(error) => write!(f, "no progress: {error}"),
        }
    }
}

/// A pipeline of either library.
pub trait Derivation {
    /// The attributes of the block after the safe head; `None` where L1 ends.
    ///
    /// # Errors
    /// When the pipeline gives up.
    fn next(&mut self) -> Result<Option<Attributes>, Halt>;

    /// The time of the L1 block that is being read.
    fn origin_time(&self) -> u64;

    /// The block of the last attributes was invalid, and was replaced by one with deposits only.
    fn replaced(&mut self);

    /// The block of the last attributes was invalid, and there is none.
    fn dropped(&mut self);
}

/// What became of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// A block.
    Block,
    /// A block without the transactions of the batch (Holocene).
    DepositsOnly,
    /// Nothing.
    Nothing,
}

/// Attributes and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As they came from the pipeline.
    pub attributes: Attributes,
    /// What became of them.
    pub built: Built,
}

/// A pipeline and what it derived.
pub struct Run {
    pipeline: Box<dyn Derivation>,
    /// What it reads.
    pub world: Shared,
    /// What it derived.
    pub steps: Vec<Step>,
    /// Why it gave up, if it did.
    pub halt: Option<Halt>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("steps", &self.steps.len()).field("halt", &self.halt).finish()
    }
}

impl Run {
    /// A pipeline that has not derived anything.
    pub fn new(pipeline: Box<dyn Derivation>, world: Shared) -> Self {
        Self { pipeline, world, steps: Vec::new(), halt: None }
    }

    /// Derives and builds until L1 ends or the pipeline gives up.
    pub fn advance(&mut self) {
        if self.halt.is_some() {
            return;
        }
        loop {
            let next = catch(|| self.pipeline.next());
            match next {
                Ok(Some(attributes)) => self.build(attributes),
                Ok(None) => return,
                Err(halt) => {
                    self.halt = Some(halt);
                    return;
                }
            }
        }
    }

    fn build(&mut self, attributes: Attributes) {
        let mut world = self.world.lock();
        let block = l2::build(&world.parameters, world.safe(), &attributes);
        // The rules of Holocene come with the L1 block that includes a batch.
        let origin_time = self.pipeline.origin_time();
        let is_holocene = world.parameters.is_active(Upgrade::Holocene, origin_time);
        let built = match block {
            Some(block) => {
                world.l2.push(block);
                Built::Block
            }
            None if is_holocene => {
                let mut deposits_only = attributes.clone();
                deposits_only.transactions.retain(|bytes| bytes.first() == Some(&0x7e));
                let block = l2::build(&world.parameters, world.safe(), &deposits_only);
                world.l2.push(block.expect("deposits are valid"));
                Built::DepositsOnly
            }
            None => Built::Nothing,
        };
        drop(world);
        match built {
            Built::Block => {}
            Built::DepositsOnly => self.pipeline.replaced(),
            Built::Nothing => self.pipeline.dropped(),
        }
        self.steps.push(Step { attributes, built });
    }
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs what may panic, and keeps the message.
fn catch<T>(body: impl FnOnce() -> Result<T, Halt>) -> Result<T, Halt> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or_else(|_| {
        let message = PANIC.with_borrow_mut(Option::take);
        Err(Halt::Panic(message.unwrap_or_default()))
    })
}

/// Keeps the messages of panics instead of printing them.
pub fn keep_panic_messages() {
    std::panic::set_hook(Box::new(|info| {
        PANIC.with_borrow_mut(|message| *message = Some(info.to_string()));
    }));
}
