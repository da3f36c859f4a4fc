//! Real blocks: their hash, and what happens when anything is changed or missing.

mod recording;

use rebut_execution::execute_block;

#[test]
fn every_recorded_block_has_its_hash() {
    for block in recording::all().into_iter().flatten() {
        let start = std::time::Instant::now();
        let executed =
            execute_block(&block.chain, &block.parent, &block.attributes, &mut block.oracle())
                .unwrap_or_else(|error| panic!("{}: {error}", block.name));
        println!("{}: {} us", block.name, start.elapsed().as_micros());
        if let Some(header) = &block.expected_header {
            assert_eq!(executed.header.inner(), header, "{}", block.name);
        }
        assert_eq!(executed.header.hash(), block.expected, "{}", block.name);
        assert_eq!(executed.receipts.len(), block.attributes.transactions.len());
    }
}
