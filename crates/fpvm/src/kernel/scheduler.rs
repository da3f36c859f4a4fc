//! Thread scheduling: two stacks, one of them active, its top thread runs.
//!
//! Preempting moves the running thread to the other stack; when the active stack is empty the direction
//! turns. Threads are thus visited 0, 1, 2, 2, 1, 0, 0, 1 and so on. Source: the thread traversal of
//! Cannon's multithreaded specification.

use crate::mips::state::{Registers, Thread};

impl Registers {
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
    use crate::mips::state::Cpu;

    #[test]
    fn threads_are_visited_to_and_fro() {
        let mut r = Registers::at(0);
        for id in [1, 2] {
            let below = Thread { id, exit_code: 0, exited: false, cpu: Cpu::at(0) };
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
        let mut r = Registers::at(0);
        r.steps_since_switch = 7;
        r.preempt();
        assert!(r.traverse_right && r.steps_since_switch == 0 && r.left.is_empty());
        r.push_thread(Thread { id: 1, exit_code: 0, exited: false, cpu: Cpu::at(0) });
        assert_eq!(r.right.len(), 2);
        r.steps_since_switch = 7;
        r.pop_thread();
        assert_eq!((r.right.len(), r.steps_since_switch), (1, 0));
        assert!(r.traverse_right);
    }
}
