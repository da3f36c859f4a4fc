//! Values of flags, with errors that say how such a value is written.

use alloy_primitives::{Address, B256};

/// A hash, a root or another word of 32 bytes.
///
/// # Errors
/// What is expected, in words.
pub fn hash(text: &str) -> Result<B256, String> {
    text.parse().map_err(|_| "not 32 bytes, written as 0x and 64 hexadecimal digits".to_owned())
}

/// An address of a contract or an account.
///
/// # Errors
/// What is expected, in words.
pub fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|_| "not an address, written as 0x and 40 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_addresses_have_all_their_digits() {
        let check = |digits: usize, prefix: &str, is_hash, is_address| {
            let text = format!("{prefix}{}", "1f".repeat(digits / 2));
            assert_eq!(hash(&text).is_ok(), is_hash, "{text}");
            assert_eq!(address(&text).is_ok(), is_address, "{text}");
        };
        check(64, "0x", true, false);
        check(64, "", true, false);
        check(40, "0x", false, true);
        check(62, "0x", false, false);
        check(66, "0x", false, false);
        check(0, "0x", false, false);
        assert!(hash(&format!("0x{}", "g".repeat(64))).is_err());
        assert!(address(&format!("0x{}", "ä".repeat(20))).is_err());
    }
}
