//! Page hashing: how fast dirty pages become page roots on one core.

use crate::median;
use alloy_primitives::B256;
use rebut_merkle::{Engine, PAGE_BYTES, Page, page_roots};
use std::hint::black_box;
use std::time::Instant;

/// 16 MiB of pages, no two alike.
const PAGES: usize = 4096;
const MIB: f64 = (1 << 20) as f64;

/// MiB a second that one core hashes, and by which engine.
#[derive(Debug)]
pub struct Rehash {
    pub engine: String,
    pub mib_per_second: f64,
}

pub fn measure(rounds: usize) -> Rehash {
    let engine = Engine::best();
    let pages: Vec<Page> = (0..PAGES)
        .map(|page| std::array::from_fn(|byte| (page * 31 + byte * 7 + byte / 256) as u8))
        .collect();
    let pages: Vec<&Page> = pages.iter().collect();
    let mut roots = vec![B256::ZERO; PAGES];
    let rates = (0..rounds).map(|_| {
        let start = Instant::now();
        page_roots(engine, black_box(&pages), &mut roots);
        black_box(&roots);
        (PAGES * PAGE_BYTES) as f64 / MIB / start.elapsed().as_secs_f64()
    });
    Rehash { engine: format!("{engine:?}"), mib_per_second: median(rates.collect()) }
}
