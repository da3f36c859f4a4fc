//! Parameters of a method, by position.

use super::RpcError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The parameters of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(Vec<Value>);

impl Params {
    pub(super) fn new(params: Option<Value>) -> Result<Self, RpcError> {
        match params {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(Value::Array(values)) => Ok(Self(values)),
            Some(_) => Err(RpcError::params("non-array args")),
        }
    }

    /// The parameter at a position.
    ///
    /// # Errors
    /// When it is missing or not of this type.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        self.optional(index)?
            .ok_or_else(|| RpcError::params(format!("missing value for required argument {index}")))
    }

    /// The parameter at a position; `None` when it is left out or null.
    ///
    /// # Errors
    /// When it is not of this type.
    pub fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|error| RpcError::params(format!("invalid argument {index}: {error}"))),
        }
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
impl From<Value> for Params {
    fn from(value: Value) -> Self {
        Self::new(Some(value)).expect("an array")
    }
}
