//! Several nodes of one kind: the next one answers when one does not.

use super::{Attempt, Failures, Fault, NodeUrl, Policy, SourceError};
use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// What a pool needs to know about its nodes.
pub trait Node: Send + Sync {
    /// Where the node is.
    fn url(&self) -> &NodeUrl;

    /// Asks the node who it is: a line for the log.
    ///
    /// # Errors
    /// [`Failures`] when it does not answer or is the wrong one.
    fn greet(&self) -> Result<String, Failures>;
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// For as many rounds as the policy has.
    Rounds,
    /// Every node is asked once at most: for what can be had in another way.
    Once,
}

/// Nodes in the order of preference. The one that answered last is asked first.
#[derive(Debug)]
pub struct Pool<N> {
    nodes: Vec<N>,
    preferred: AtomicUsize,
    policy: Policy,
}

impl<N: Node> Pool<N> {
    /// A pool of `nodes`.
    pub const fn new(nodes: Vec<N>, policy: Policy) -> Self {
        Self { nodes, preferred: AtomicUsize::new(0), policy }
    }

    /// Whether there is no node.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Asks every node who it is, all at once, and logs one line each. `kind` names the nodes.
    ///
    /// # Errors
    /// [`SourceError`] when all are of another chain. Nodes that cannot be reached now may be later.
    pub fn greet(&self, kind: &str) -> Result<(), SourceError> {
        let greetings = parallel(&self.nodes, self.nodes.len(), N::greet);
        let mut wrong = Vec::new();
        for (node, greeting) in self.nodes.iter().zip(greetings) {
            let url = node.url();
            match greeting {
                Ok(line) => tracing::info!(module = "host", "{kind} {url}: {line}"),
                Err(Failures(failures)) => {
                    for failure in failures {
                        let attempt = Attempt { url: url.clone(), failure };
                        tracing::warn!(module = "host", "{kind} {attempt}");
                        if matches!(attempt.failure.fault, Fault::Chain { .. }) {
                            wrong.push(attempt);
                        }
                    }
                }
            }
        }
        match !wrong.is_empty() && wrong.len() == self.nodes.len() {
            true => Err(SourceError { wanted: format!("an {kind}"), attempts: wrong }),
            false => Ok(()),
        }
    }

    /// Asks one node after the other with `ask`, which verifies what it gets. A node whose fault may
    /// pass is asked again in the next round, after a pause; one that gave a wrong answer is not.
    ///
    /// # Errors
    /// [`SourceError`] with the last failure of each method of each node.
    pub fn fetch<T>(
        &self,
        wanted: impl fmt::Display,
        patience: Patience,
        ask: impl Fn(&N) -> Result<T, Failures>,
    ) -> Result<T, SourceError> {
        let rounds = match patience {
            Patience::Rounds => self.policy.rounds.max(1),
            Patience::Once => 1,
        };
        let mut attempts: Vec<Attempt> = Vec::new();
        let start = self.preferred.load(Ordering::Relaxed);
        let count = self.nodes.len();
        let mut candidates: Vec<usize> = (0..count).map(|i| (start + i) % count).collect();
        for round in 0..rounds {
            let mut asked_pause = None;
            let mut again = Vec::new();
            for index in candidates {
                let Some(node) = self.nodes.get(index) else { continue };
                let Failures(failures) = match ask(node) {
                    Ok(answer) => {
                        self.preferred.store(index, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(failures) => failures,
                };
                if failures.iter().any(|failure| failure.fault.is_passing()) {
                    again.push(index);
                }
                for failure in failures {
                    if let Fault::RateLimited { pause } = failure.fault {
                        asked_pause = asked_pause.max(pause);
                    }
                    let url = node.url().clone();
                    tracing::debug!(module = "host", round, "{url} {failure:?}");
                    attempts.retain(|a| a.url != url || a.failure.method != failure.method);
                    attempts.push(Attempt { url, failure });
                }
            }
            if again.is_empty() || round + 1 == rounds {
                break;
            }
            candidates = again;
            self.rest(round, asked_pause);
        }
        Err(SourceError { wanted: wanted.to_string(), attempts })
    }

    fn rest(&self, round: u32, asked: Option<Duration>) {
        let pause = self.policy.pause(round, asked);
        tracing::debug!(module = "host", round, ?pause, "no node answered");
        std::thread::sleep(pause);
    }
}

/// Applies `work` to all items, at most `limit` at a time; results in the order of the items.
pub(crate) fn parallel<T: Sync, R: Send>(
    items: &[T],
    limit: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            done.push((index, work(item)));
        }
        done
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..limit.min(items.len())).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            match other.join() {
                Ok(results) => done.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Failure;
    use std::sync::Mutex;

    struct Fake(NodeUrl);

    impl Node for Fake {
        fn url(&self) -> &NodeUrl {
            &self.0
        }

        fn greet(&self) -> Result<String, Failures> {
            Ok(String::new())
        }
    }

    fn pool(count: usize, rounds: u32) -> Pool<Fake> {
        let nodes = (0..count).map(|i| Fake(format!("http://n{i}").parse().unwrap())).collect();
        let backoff = Duration::from_micros(1);
        Pool::new(nodes, Policy { rounds, backoff, ..Policy::default() })
    }

    /// The nodes asked, in order, when each answers with what `answer` gives for its number.
    fn asked(pool: &Pool<Fake>, answer: impl Fn(&str) -> Option<Fault>) -> (Vec<String>, bool) {
        let log = Mutex::new(Vec::new());
        let result = pool.fetch("a thing", Patience::Rounds, |node| {
            let name = node.0.to_string().replace("http://", "");
            log.lock().unwrap().push(name.clone());
            match answer(&name) {
                None => Ok(()),
                Some(fault) => Err(Failure { method: "m", fault }.into()),
            }
        });
        (log.into_inner().unwrap(), result.is_ok())
    }

    #[test]
    fn a_wrong_answer_is_not_asked_for_twice() {
        let wrong = |_: &str| Some(Fault::Encoding { what: "header" });
        assert_eq!(asked(&pool(2, 5), wrong), (vec!["n0".into(), "n1".into()], false));
    }

    #[test]
    fn what_may_pass_is_asked_again_in_each_round() {
        let answer = |name: &str| {
            Some(if name == "n0" { Fault::Absent } else { Fault::Encoding { what: "header" } })
        };
        let expected = ["n0", "n1", "n0", "n0"].map(String::from).to_vec();
        assert_eq!(asked(&pool(2, 3), answer), (expected, false));
    }

    #[test]
    fn what_can_be_had_otherwise_is_asked_for_once() {
        let count = AtomicUsize::new(0);
        let result = pool(2, 5).fetch("a thing", Patience::Once, |_| -> Result<(), _> {
            count.fetch_add(1, Ordering::Relaxed);
            Err(Failure { method: "m", fault: Fault::Absent }.into())
        });
        assert!(result.is_err());
        assert_eq!(count.into_inner(), 2);
    }

    #[test]
    fn the_node_that_answered_stays_the_first() {
        let pool = pool(3, 1);
        let answer = |name: &str| (name != "n1").then_some(Fault::Absent);
        assert_eq!(asked(&pool, answer), (vec!["n0".into(), "n1".into()], true));
        assert_eq!(asked(&pool, answer), (vec!["n1".into()], true));
    }

    #[test]
    fn an_error_names_every_node_once_and_says_what_to_do() {
        let error = pool(2, 3)
            .fetch("the header of a block", Patience::Rounds, |_| -> Result<(), _> {
                Err(Failure { method: "eth_x", fault: Fault::Absent }.into())
            })
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot get the header of a block: http://n0 eth_x: the node does not have it; \
             http://n1 eth_x: the node does not have it (the node has pruned it or never had it: \
             use an archive node, or one in sync)"
        );
    }

    #[test]
    fn work_in_parallel_keeps_the_order_and_the_limit() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let items: Vec<u64> = (0..200).collect();
        let results = parallel(&items, 4, |item| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= 4);
        assert!(parallel(&[] as &[u64], 4, |item| *item).is_empty());
    }
}
