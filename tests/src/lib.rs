//! Differential and end-to-end tests over all parts.
