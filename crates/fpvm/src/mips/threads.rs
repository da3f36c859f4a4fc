//! Threads: two stacks of them, one of which is active; its top thread runs.
//!
//! Preempting moves the running thread to the other stack; when the active stack is empty the direction
//! turns. Threads are thus visited 0, 1, 2, 2, 1, 0, 0, 1 and so on. Source: the thread traversal of
//! Cannon's multithreaded specification.

use super::state::Cpu;

/// Steps that a thread may run before it is preempted.
pub const QUANTUM: u64 = 100_000;

/// One thread of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Number of the thread; the first is 0.
    pub id: u64,
    /// Exit code; meaningful once exited.
    pub exit_code: u8,
    /// True once the thread has exited. It stays on its stack until the scheduler meets it.
    pub exited: bool,
    /// Its registers.
    pub cpu: Cpu,
}

impl Thread {
    /// A thread about to execute at `pc`, all registers zero.
    pub const fn at(id: u64, pc: u64) -> Self {
        Self { id, exit_code: 0, exited: false, cpu: Cpu::at(pc) }
    }
}

/// What a load-linked instruction reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Width of the reservation.
    pub status: ReservationStatus,
    /// The address as the instruction computed it, not rounded.
    pub address: u64,
    /// Id of the thread that reserved.
    pub owner: u64,
}

/// Width of a reservation, as the witness encodes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ReservationStatus {
    /// Nothing is reserved.
    #[default]
    None = 0,
    /// Reserved by `ll`.
    Word = 1,
    /// Reserved by `lld`.
    Doubleword = 2,
}

impl ReservationStatus {
    /// Reads the byte of a state file.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Word),
            2 => Some(Self::Doubleword),
            _ => None,
        }
    }
}

/// All threads, and what they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threads {
    /// The load-linked reservation.
    pub reservation: Reservation,
    /// Steps since the last context switch.
    pub steps_since_switch: u64,
    /// True while the right stack is the active one.
    pub traverse_right: bool,
    /// Left thread stack, bottom first.
    pub left: Vec<Thread>,
    /// Right thread stack, bottom first.
    pub right: Vec<Thread>,
    /// Id of the next thread.
    pub next_thread_id: u64,
}

impl Threads {
    /// One thread, on the left stack, that starts at `pc`.
    pub fn at(pc: u64) -> Self {
        Self {
            reservation: Reservation::default(),
            steps_since_switch: 0,
            traverse_right: false,
            left: vec![Thread::at(0, pc)],
            right: Vec::new(),
            next_thread_id: 1,
        }
    }

    /// The stack whose top thread runs.
    pub fn active_stack(&self) -> &Vec<Thread> {
        if self.traverse_right { &self.right } else { &self.left }
    }

    /// The stack whose top thread runs.
    pub fn active_stack_mut(&mut self) -> &mut Vec<Thread> {
        if self.traverse_right { &mut self.right } else { &mut self.left }
    }

    /// The thread that runs, for writing.
    pub(crate) fn current_thread_mut(&mut self) -> Option<&mut Thread> {
        self.active_stack_mut().last_mut()
    }

    /// The thread that runs; none when the active stack is empty, which is a fault.
    pub fn current_thread(&self) -> Option<&Thread> {
        self.active_stack().last()
    }

    /// Threads on both stacks.
    pub fn thread_count(&self) -> usize {
        self.left.len() + self.right.len()
    }

    fn turn_if_empty(&mut self) {
        if self.active_stack().is_empty() {
            self.traverse_right = !self.traverse_right;
        }
        self.steps_since_switch = 0;
    }

    /// Moves the running thread to the other stack.
    pub(crate) fn preempt(&mut self) {
        let (from, to) = if self.traverse_right {
            (&mut self.right, &mut self.left)
        } else {
            (&mut self.left, &mut self.right)
        };
        to.extend(from.pop());
        self.turn_if_empty();
    }

    /// Drops the running thread.
    pub(crate) fn pop_thread(&mut self) {
        self.active_stack_mut().pop();
        self.turn_if_empty();
    }

    /// Puts a new thread on top of the active stack: it runs next.
    pub(crate) fn push_thread(&mut self, thread: Thread) {
        self.active_stack_mut().push(thread);
        self.steps_since_switch = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_visited_to_and_fro() {
        let mut r = Threads::at(0);
        for id in [1, 2] {
            let below = Thread::at(id, 0);
            r.left.insert(0, below);
        }
        let visited: Vec<u64> = (0..9)
            .map(|_| {
                let id = r.current_thread().unwrap().id;
                r.preempt();
                id
            })
            .collect();
        assert_eq!(visited, [0, 1, 2, 2, 1, 0, 0, 1, 2]);
    }

    #[test]
    fn a_switch_starts_a_new_quantum() {
        let mut r = Threads::at(0);
        r.steps_since_switch = 7;
        r.preempt();
        assert!(r.traverse_right && r.steps_since_switch == 0 && r.left.is_empty());
        r.push_thread(Thread::at(1, 0));
        assert_eq!(r.right.len(), 2);
        r.steps_since_switch = 7;
        r.pop_thread();
        assert_eq!((r.right.len(), r.steps_since_switch), (1, 0));
        assert!(r.traverse_right);
    }
}
