//! Stateless execution of one L2 block over a partial trie.
