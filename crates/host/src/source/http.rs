//! One request over HTTP, with an answer of bounded size in bounded time.

use super::{Fault, NodeUrl, Policy};
use std::{io, time::Duration};
use ureq::{Agent, Body, http::Response};

/// A node's address and the connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: Agent,
    url: NodeUrl,
    request_timeout: Duration,
    limit_bytes: u64,
}

/// Status and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What the node asks for in `Retry-After`, if in seconds.
    pub(crate) pause: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(url: NodeUrl, policy: &Policy, limit_bytes: u64) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A node that sends the host elsewhere is not the node that was named.
            .max_redirects(0)
            .timeout_connect(Some(policy.connect_timeout))
            .timeout_global(Some(policy.request_timeout))
            .max_idle_connections_per_host(policy.in_flight)
            .user_agent("rebut")
            .build();
        let request_timeout = policy.request_timeout;
        Self { agent: config.into(), url, request_timeout, limit_bytes }
    }

    pub(crate) const fn url(&self) -> &NodeUrl {
        &self.url
    }

    pub(crate) fn post_json(&self, body: &[u8]) -> Result<Answer, Fault> {
        let request = self.agent.post(self.url.full()).content_type("application/json");
        self.read(request.send(body))
    }

    pub(crate) fn get(&self, path: &str, query: &str) -> Result<Answer, Fault> {
        let request = self.agent.get(self.url.join(path, query));
        self.read(request.header("accept", "application/json").call())
    }

    fn read(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Answer, Fault> {
        let mut response = response.map_err(|error| self.fault(error))?;
        let status = response.status().as_u16();
        let pause = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        if status == 429 {
            return Err(Fault::RateLimited { pause });
        }
        let body = response
            .body_mut()
            .with_config()
            .limit(self.limit_bytes)
            .read_to_vec()
            .map_err(|error| self.fault(error))?;
        Ok(Answer { status, pause, body })
    }

    fn fault(&self, error: ureq::Error) -> Fault {
        match error {
            ureq::Error::Timeout(_) => Fault::TimedOut { limit: self.request_timeout },
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                Fault::TimedOut { limit: self.request_timeout }
            }
            ureq::Error::BodyExceedsLimit(limit_bytes) => Fault::TooLarge { limit_bytes },
            error => Fault::Unreachable(Box::new(error)),
        }
    }
}
