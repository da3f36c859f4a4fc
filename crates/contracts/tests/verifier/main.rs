//! The deployed verifier: what it computes, what it costs, what it refuses.

mod gas;
mod interface;
mod machine;
mod preimages;
mod refusals;
mod rows;
