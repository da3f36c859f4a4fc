//! Addresses of nodes.

use std::{fmt, str::FromStr};
use ureq::http::{Uri, uri::Scheme};

/// Why a text is no node's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not parse.
    #[error("not a URL: {0}")]
    Syntax(String),
    /// Another scheme than HTTP.
    #[error("a node's URL starts with http:// or https://")]
    Scheme,
    /// No host name.
    #[error("a node's URL names a host")]
    Host,
}

/// The address of a node. Shown without path, query and credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeUrl(Uri);

impl NodeUrl {
    /// The address as it is, secrets included.
    pub fn full(&self) -> String {
        self.0.to_string()
    }

    /// The address with `path` behind its own path and `query` before its own query.
    pub(crate) fn join(&self, path: &str, query: &str) -> String {
        let full = self.full();
        let (base, own) = full.split_once('?').unwrap_or((&full, ""));
        let base = base.trim_end_matches('/');
        let queries: Vec<&str> = [query, own].into_iter().filter(|part| !part.is_empty()).collect();
        match queries.is_empty() {
            true => format!("{base}{path}"),
            false => format!("{base}{path}?{}", queries.join("&")),
        }
    }
}

impl FromStr for NodeUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.trim().parse().map_err(|error| UrlError::Syntax(format!("{error}")))?;
        if ![Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme()) {
            return Err(UrlError::Scheme);
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(UrlError::Host);
        }
        Ok(Self(uri))
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{}", self.0.host().unwrap_or_default())?;
        if let Some(port) = self.0.port_u16() {
            write!(f, ":{port}")?;
        }
        // Says that there is more, so that two keys at one provider do not look like a mistake.
        let more = self.0.path().len() > 1 || self.0.query().is_some();
        f.write_str(if more { "/…" } else { "" })
    }
}

impl fmt::Debug for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> NodeUrl {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_not_shown() {
        let check = |text: &str, shown: &str| assert_eq!(url(text).to_string(), shown);
        check("http://localhost:8545", "http://localhost:8545");
        check("https://l1.example/", "https://l1.example");
        check("https://l1.example/v3/0123secret", "https://l1.example/…");
        check("https://user:secret@l1.example?key=secret", "https://l1.example/…");
        check("http://[::1]:8545/secret", "http://[::1]:8545/…");
        assert_eq!(format!("{:?}", url("https://l1.example/secret")), "https://l1.example/…");
    }

    #[test]
    fn paths_are_appended_and_queries_kept() {
        let check = |text: &str, expected: &str| {
            assert_eq!(url(text).join("/eth/v1/x", ""), expected);
        };
        check("http://b:5052", "http://b:5052/eth/v1/x");
        check("http://b:5052/", "http://b:5052/eth/v1/x");
        check("http://b/key/", "http://b/key/eth/v1/x");
        check("http://b/key?token=1", "http://b/key/eth/v1/x?token=1");
        assert_eq!(url("http://b?token=1").join("/x", "a=2"), "http://b/x?a=2&token=1");
    }

    #[test]
    fn texts_that_are_no_addresses() {
        for (text, expected) in
            [("ws://l1", UrlError::Scheme), ("localhost:8545", UrlError::Scheme)]
        {
            assert_eq!(text.parse::<NodeUrl>(), Err(expected), "{text}");
        }
        for text in ["", "http://", "http:// x", "/path", "http://a b/"] {
            assert!(text.parse::<NodeUrl>().is_err(), "{text}");
        }
    }
}
