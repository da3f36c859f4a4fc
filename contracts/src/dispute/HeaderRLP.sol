// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @title HeaderRLP
/// @notice Reads the number out of the RLP of a block header, and refuses whatever is not the one encoding of a list.
///
/// A header is one list. Each item begins with a byte that says what it is:
///
///     00..7f   the byte itself             80..b7   string, length in the byte       b8..bf   string, length behind it
///                                          c0..f7   list, length in the byte         f8..ff   list, length behind it
library HeaderRLP {
    /// @notice The item ends before its content does.
    error ContentLengthMismatch();
    /// @notice There is no item where one begins.
    error EmptyItem();
    /// @notice Bytes follow that belong to no item.
    error InvalidDataRemainder();
    /// @notice The same value has a shorter encoding.
    error InvalidHeader();
    /// @notice A list stands where a string is wanted.
    error UnexpectedList();
    /// @notice A string stands where the list is wanted.
    error UnexpectedString();
    /// @notice The header has no block number, or one longer than a word.
    error InvalidHeaderRLP();

    /// @dev Place of the block number in the list.
    uint256 private constant NUMBER_ITEM = 8;
    /// @dev Headers have fewer items, and will for long.
    uint256 private constant MAX_ITEMS = 32;

    /// @dev The block number of a header. All items are looked at, so that a malformed end is refused, too.
    function blockNumber(bytes calldata header) internal pure returns (uint256 number) {
        (uint256 content, uint256 end, bool isList) = _item(header, 0);
        if (!isList) revert UnexpectedString();
        if (end != header.length) revert InvalidDataRemainder();
        uint256 count = 0;
        for (uint256 at = content; at != end; count++) {
            (content, at, isList) = _item(header, at);
            if (count == NUMBER_ITEM) {
                if (isList) revert UnexpectedList();
                number = _word(header[content:at]);
            }
        }
        if (count <= NUMBER_ITEM || count > MAX_ITEMS) revert InvalidHeaderRLP();
    }

    /// @dev The item at `at`: where its content begins and ends. It must lie within the data.
    function _item(bytes calldata data, uint256 at) private pure returns (uint256 content, uint256 end, bool isList) {
        if (at >= data.length) revert EmptyItem();
        uint256 prefix = uint8(data[at]);
        if (prefix < 0x80) return (at, at + 1, false);

        isList = prefix >= 0xc0;
        uint256 short = prefix - (isList ? 0xc0 : 0x80);
        content = at + 1;
        uint256 length = short;
        if (short > 55) {
            content += short - 55;
            if (content > data.length) revert ContentLengthMismatch();
            if (data[at + 1] == 0) revert InvalidHeader();
            length = _word(data[at + 1:content]);
            if (length <= 55) revert InvalidHeader();
        }
        // The length may be anything up to 64 bits; the sum cannot overflow.
        end = content + length;
        if (end > data.length) revert ContentLengthMismatch();
        if (!isList && length == 1 && uint8(data[content]) < 0x80) revert InvalidHeader();
    }

    /// @dev Big-endian bytes as a number.
    function _word(bytes calldata bytes_) private pure returns (uint256) {
        if (bytes_.length > 32) revert InvalidHeaderRLP();
        return bytes_.length == 0 ? 0 : uint256(bytes32(bytes_)) >> (256 - 8 * bytes_.length);
    }
}
