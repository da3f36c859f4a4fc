//! Preimage oracle: keys, hints, wire protocol, stores and servers.
