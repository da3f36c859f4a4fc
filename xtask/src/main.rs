//! Developer commands of Rebut.

fn main() {}
