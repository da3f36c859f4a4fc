//! The recording: rows with the text of each field, and its number where it is one.

use serde_json::Value;
use std::fmt;
use std::path::Path;

pub struct Row(Value);

pub fn read(path: &Path) -> Vec<Row> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match serde_json::from_slice(&bytes) {
        Ok(Value::Array(rows)) => rows.into_iter().map(Row).collect(),
        other => panic!("{} is not a list: {other:?}", path.display()),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.test(), self.0["line"], self.0["fields"])
    }
}

impl Row {
    pub fn test(&self) -> &str {
        self.0["test"].as_str().unwrap_or_default()
    }

    pub fn file(&self) -> &str {
        self.0["file"].as_str().unwrap_or_default()
    }

    /// A field as it is written in the source.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0["fields"][field].as_str()
    }

    pub fn has(&self, field: &str) -> bool {
        self.text(field).is_some()
    }

    pub fn is(&self, field: &str) -> bool {
        self.0["values"][field].as_bool().unwrap_or(false)
    }

    /// The number of a field, if the recording has it.
    fn number(&self, field: &str) -> Option<u64> {
        let value = &self.0["values"][field];
        if let Some(text) = value.as_str().and_then(|text| text.strip_prefix("0x")) {
            return u64::from_str_radix(text, 16).ok();
        }
        value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned))
    }

    /// The number of a field; names and expressions are looked up in `names`.
    pub fn word_or(&self, field: &str, names: &[(&str, u64)]) -> u64 {
        let named = || {
            let text = self.text(field)?;
            names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
        };
        self.number(field).or_else(named).unwrap_or_else(|| panic!("{self}: no number in {field}"))
    }

    /// The number of a field that has one.
    pub fn word(&self, field: &str) -> u64 {
        self.word_or(field, &[])
    }

    /// The number of a field, 0 where it is left out.
    pub fn word_or_zero(&self, field: &str) -> u64 {
        if self.has(field) { self.word(field) } else { 0 }
    }

    /// A field of an instruction word.
    pub fn bits(&self, field: &str) -> u32 {
        self.word_or_zero(field) as u32
    }
}
