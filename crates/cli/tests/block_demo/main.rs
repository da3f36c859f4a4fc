//! `rebut block` and `rebut demo` from outside: what they print, and how they end.

mod block;
mod cannon;
mod demo;
mod files;
mod inputs;
