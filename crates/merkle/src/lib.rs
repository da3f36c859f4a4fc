//! Binary keccak tree over 4 KiB pages: roots, proofs, vectorised page hashing.
