//! Where a guest's steps go: every step of a run, counted by the function it belongs to.
//!
//! Counts are exact, not sampled: the run is made of plain steps. What the compiler has inlined counts
//! for the function around it.

use anyhow::{Context, bail, ensure};
use rebut_fpvm::{Machine, Silent, StateVersion, Symbols, load_elf};
use rebut_preimage::PreimageOracle;
use serde::Serialize;
use std::collections::BTreeMap;

/// What steps are spent on. The first row with a text that a function's name holds decides.
const TOPICS: [(&str, &[&str]); 8] = [
    ("hashing", &["keccak", "sha256", "sha2::", "ripemd", "blake"]),
    ("allocation", &["heap", "__rust_alloc", "__rdl_", "__rg_", "alloc::alloc", "drop_in_place"]),
    ("copying", &["memcpy", "memmove", "memset", "memcmp", "bcmp", "compiler_builtins::mem"]),
    ("preimages", &["rebut_preimage", "guest::sys", "chains::"]),
    ("derivation", &["rebut_derivation", "miniz_oxide", "brotli"]),
    ("trie", &["trie", "nybbles", "rebut_execution::state", "Nibbles"]),
    (
        "EVM",
        &["revm", "rebut_execution", "modexp", "substrate_bn", "ark_", "k256", "p256", "crypto"],
    ),
    ("decoding", &["rlp", "alloy_consensus", "alloy_eips", "serde", "rebut_program"]),
];
/// Everything else.
const REST: &str = "other";

/// The steps of one run.
#[derive(Debug, Serialize)]
pub struct Profile {
    /// All steps.
    pub steps: u64,
    /// Steps by topic.
    pub topics: BTreeMap<&'static str, u64>,
    /// Steps by function, most first.
    pub functions: Vec<(String, u64)>,
}

/// The names of the topics, in the order of a table's columns.
pub fn topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(topic, _)| *topic).chain([REST])
}

/// Runs a guest to its end, which must be exit code 0.
///
/// # Errors
/// When the guest cannot be loaded, fails, or ends with another code.
pub fn run(elf: &[u8], oracle: impl PreimageOracle) -> anyhow::Result<Profile> {
    let program = load_elf(StateVersion::V8, elf).context("the guest")?;
    let mut machine = Machine::new(program.state, oracle, Silent);
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let mut dense = Dense::new(&program.symbols);
    let exit_code = loop {
        let registers = machine.registers();
        if registers.exited {
            break registers.exit_code;
        }
        let Some(thread) = registers.processor.current_thread() else {
            bail!("the guest has no thread")
        };
        let pc = thread.cpu.pc;
        if !dense.count(pc) {
            *counts.entry(pc).or_default() += 1;
        }
        machine.step().with_context(|| format!("at step {}", machine.registers().step))?;
    };
    ensure!(exit_code == 0, "the guest ended with exit code {exit_code}");
    let steps = machine.registers().step;
    Ok(Profile::new(steps, dense.counts().chain(counts), &program.symbols))
}

/// Counters of the addresses between the first and the last symbol of code.
struct Dense {
    start: u64,
    counts: Vec<u64>,
}

impl Dense {
    /// Bytes of code that get counters of their own; anything else is counted in a map.
    const LIMIT_BYTES: u64 = 64 << 20;

    fn new(symbols: &Symbols) -> Self {
        let start = symbols.all().first().map_or(0, |symbol| symbol.start) & !3;
        let end = symbols.all().last().map_or(0, |symbol| symbol.start.saturating_add(symbol.size));
        let bytes = end.saturating_sub(start).min(Self::LIMIT_BYTES);
        Self { start, counts: vec![0; (bytes / 4) as usize + 1] }
    }

    fn count(&mut self, pc: u64) -> bool {
        let index = pc.wrapping_sub(self.start) / 4;
        let slot = usize::try_from(index).ok().and_then(|index| self.counts.get_mut(index));
        slot.map(|count| *count += 1).is_some()
    }

    fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let addresses = (0..).map(|index| self.start + 4 * index);
        addresses.zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }
}

impl Profile {
    fn new(steps: u64, counts: impl Iterator<Item = (u64, u64)>, symbols: &Symbols) -> Self {
        let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
        for (address, count) in counts {
            *by_name.entry(symbols.name_of(address)).or_default() += count;
        }
        let mut functions: Vec<(String, u64)> = by_name
            .into_iter()
            .map(|(name, count)| (short(&format!("{:#}", rustc_demangle::demangle(name))), count))
            .collect();
        functions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut topics = BTreeMap::new();
        for (name, count) in &functions {
            *topics.entry(topic_of(name)).or_default() += count;
        }
        Self { steps, topics, functions }
    }
}

/// A function's name without the types it is used with: `f::<A<B>>` becomes `f`, `<T<A> as U>::f`
/// becomes `<T as U>::f`.
fn short(name: &str) -> String {
    let mut text = String::new();
    // Whether each open bracket holds arguments, which are left out.
    let mut open: Vec<bool> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let hidden = open.contains(&true);
        match c {
            '<' => {
                let arguments = before.is_alphanumeric() || before == '_' || before == ':';
                open.push(arguments);
                if !hidden && !arguments {
                    text.push(c);
                } else if !hidden && text.ends_with("::") {
                    text.truncate(text.len() - 2);
                }
            }
            '>' if before != '-' => {
                open.pop();
                if !open.contains(&true) && !hidden {
                    text.push(c);
                }
            }
            _ if !hidden => text.push(c),
            _ => {}
        }
        before = c;
    }
    text
}

fn topic_of(function: &str) -> &'static str {
    let of = |(_, texts): &&(&str, &[&str])| texts.iter().any(|text| function.contains(text));
    TOPICS.iter().find(of).map_or(REST, |(topic, _)| topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_arguments() {
        for (name, expected) in [
            ("memcpy", "memcpy"),
            ("a::f::<B<C>, d::E>", "a::f"),
            ("<a::T<B<C>> as d::U<E>>::f", "<a::T as d::U>::f"),
            ("<a::T>::f::<fn(B) -> C>::{closure#0}", "<a::T>::f::{closure#0}"),
        ] {
            assert_eq!(short(name), expected, "{name}");
        }
    }

    #[test]
    fn the_first_topic_with_a_matching_text_decides() {
        for (function, topic) in [
            ("native_keccak256", "hashing"),
            ("alloy_trie::hash_builder::keccak", "hashing"),
            ("rebut_execution::trie::Node::get", "trie"),
            ("rebut_execution::block::execute_block", "EVM"),
            ("core::fmt::write", REST),
        ] {
            assert_eq!(topic_of(function), topic, "{function}");
        }
    }
}
