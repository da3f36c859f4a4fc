//! The agents on an embedded chain with its rollup: contracts deployed by the plan, truth from nodes, prestates by hash.

mod asterisc;
mod liar;
mod proposer;
mod world;
