//! `rebut block` and `rebut demo step` from outside: what they print, and how they end.

mod block;
mod cannon;
mod demo;
mod files;
mod inputs;
