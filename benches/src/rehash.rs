//! Page hashing: how fast dirty pages become page roots on one core.
//!
//! There is no reference beside it that would be disturbed alike, so the clock is the processor time
//! of the hashing thread.

use crate::median;
use alloy_primitives::B256;
use rebut_merkle::{Engine, PAGE_BYTES, Page, page_roots};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;

/// 16 MiB of pages, no two alike.
const PAGES: usize = 4096;
const MIB: f64 = (1 << 20) as f64;

/// MiB a second that one core hashes, and by which engine.
#[derive(Debug)]
pub struct Rehash {
    pub engine: String,
    pub mib_per_second: f64,
}

/// Processor time of this thread.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub fn measure(rounds: usize) -> Rehash {
    let engine = Engine::best();
    let pages: Vec<Page> = (0..PAGES)
        .map(|page| std::array::from_fn(|byte| (page * 31 + byte * 7 + byte / 256) as u8))
        .collect();
    let pages: Vec<&Page> = pages.iter().collect();
    let mut roots = vec![B256::ZERO; PAGES];
    let rates = (0..rounds).map(|_| {
        let start = thread_seconds();
        page_roots(engine, black_box(&pages), &mut roots);
        black_box(&roots);
        (PAGES * PAGE_BYTES) as f64 / MIB / (thread_seconds() - start)
    });
    Rehash { engine: engine.to_string(), mib_per_second: median(rates.collect()) }
}
