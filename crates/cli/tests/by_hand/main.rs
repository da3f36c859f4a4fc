//! `rebut deploy`, `rebut guardian` and `rebut game`, command by command, on an embedded L1 in a process of its own.

mod deploy;
mod games;
mod guardian;
#[path = "../shared/l1.rs"]
mod l1;
mod world;
