//! The dispute game protocol: claims, positions, clocks, bonds, and the honest answer to a claim.

#![no_std]
