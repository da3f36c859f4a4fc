//! A living rollup in one process.
