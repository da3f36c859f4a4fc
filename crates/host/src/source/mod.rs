//! Where a host gets data from: nodes that answer over HTTP.
//!
//! ```text
//!   Pool      the nodes of one kind, in the order given: fail-over, rounds, backoff with jitter
//!    └ node   one URL and what it offers: an execution node (JSON-RPC) or a beacon node
//!       └ Http   one request, one bounded answer
//! ```
//!
//! Invariant: nothing leaves a [`Pool`] that its caller has not verified. An answer that does not
//! verify is the node's fault, named with its URL and method, and the next node is asked. A URL is
//! shown without path and credentials, because these are where providers put keys.

mod fault;
mod http;
mod policy;
mod pool;
mod rpc;
mod url;

pub use fault::{Attempt, Failure, Failures, Fault, SourceError};
pub use policy::Policy;
pub use pool::{Node, Patience, Pool};
pub use rpc::{Profile, RpcNode};
pub use url::{NodeUrl, UrlError};

pub(crate) use fault::first_of;
pub(crate) use http::Http;
pub(crate) use pool::parallel;
pub(crate) use rpc::parse as parse_json;
