//! Counters that the tooling asks for with `--debug-info`. They are not part of any state.

/// Threads whose last load-linked step is remembered.
const REMEMBERED_THREADS: usize = 5;

/// What happened since the machine was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instructions fetched beyond what the deployed machine decodes ahead.
    pub code_cache_misses: u64,
    /// The highest of their addresses.
    pub highest_code_cache_miss_pc: u64,
    /// Store-conditionals that stored.
    pub rmw_successes: u64,
    /// Store-conditionals that did not.
    pub rmw_failures: u64,
    /// The most steps from a load-linked to its store-conditional.
    pub max_steps_between_ll_and_sc: u64,
    /// Ordinary writes to the reserved doubleword. As in the deployed machine, address 0 counts as
    /// reserved while nothing is.
    pub reservation_invalidations: u64,
    /// Threads that used up their quantum.
    pub forced_preemptions: u64,
    /// Steps during which thread 0 did not run.
    pub idle_steps_of_thread_0: u64,

    active_thread: u64,
    thread_0_left_at: u64,
    /// Thread and step of its last load-linked, most recently used first.
    load_linked: Vec<(u64, u64)>,
}

impl Stats {
    #[inline(always)]
    pub(crate) fn fetched(&mut self, pc: u64, cache_end: u64) {
        if pc >= cache_end {
            self.code_cache_misses += 1;
            self.highest_code_cache_miss_pc = self.highest_code_cache_miss_pc.max(pc);
        }
    }

    /// `count` instructions from `pc` upwards were fetched, all at or above `cache_end`.
    pub(crate) fn fetched_upwards(&mut self, pc: u64, count: u64, cache_end: u64) {
        if count > 0 {
            self.fetched(pc + 4 * (count - 1), cache_end);
            self.code_cache_misses += count - 1;
        }
    }

    pub(crate) fn load_linked(&mut self, thread: u64, step: u64) {
        self.load_linked.retain(|(id, _)| *id != thread);
        self.load_linked.insert(0, (thread, step));
        self.load_linked.truncate(REMEMBERED_THREADS);
    }

    pub(crate) fn store_conditional(&mut self, thread: u64, step: u64, stored: bool) {
        *if stored { &mut self.rmw_successes } else { &mut self.rmw_failures } += 1;
        if let Some(i) = self.load_linked.iter().position(|(id, _)| *id == thread) {
            let (_, since) = self.load_linked.remove(i);
            let steps = step.wrapping_sub(since);
            self.max_steps_between_ll_and_sc = self.max_steps_between_ll_and_sc.max(steps);
        }
    }

    /// A preemption made `thread` the running one.
    pub(crate) fn switched_to(&mut self, thread: u64, step: u64) {
        match (self.active_thread, thread) {
            (0, 1..) => self.thread_0_left_at = step,
            (1.., 0) => {
                self.idle_steps_of_thread_0 += step.wrapping_sub(self.thread_0_left_at);
            }
            _ => {}
        }
        self.active_thread = thread;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_distance_to_the_store() {
        let mut s = Stats::default();
        s.load_linked(1, 10);
        s.load_linked(2, 11);
        s.store_conditional(1, 15, true);
        s.store_conditional(1, 99, false); // its load-linked is used up
        s.store_conditional(2, 14, false);
        assert_eq!((s.rmw_successes, s.rmw_failures), (1, 2));
        assert_eq!(s.max_steps_between_ll_and_sc, 5);
    }

    #[test]
    fn only_five_threads_are_remembered() {
        let mut s = Stats::default();
        for id in 1..=6 {
            s.load_linked(id, 0);
        }
        s.store_conditional(1, 50, true);
        assert_eq!(s.max_steps_between_ll_and_sc, 0);
        s.store_conditional(2, 50, true);
        assert_eq!(s.max_steps_between_ll_and_sc, 50);
    }

    #[test]
    fn thread_0_idles_while_others_run() {
        let mut s = Stats::default();
        s.switched_to(1, 100);
        s.switched_to(2, 150);
        s.switched_to(0, 180);
        s.switched_to(0, 190);
        assert_eq!(s.idle_steps_of_thread_0, 80);
    }
}
