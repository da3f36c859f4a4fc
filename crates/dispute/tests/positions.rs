//! Positions against recorded tables.

use rebut_dispute::{Depth, Position};
use serde_json::Value;

fn number(value: &Value) -> Option<u128> {
    match value.as_str() {
        Some(text) => u128::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
        None => value.as_u64().map(u128::from),
    }
}

fn depth(value: &Value) -> Depth {
    Depth::new(value.as_u64().unwrap()).unwrap()
}

#[test]
fn positions_agree_with_recorded_tables() {
    let Some(file) = rebut_recordings::read("vm-vectors/go_table_cases.json") else { return };
    let rows: Vec<Value> = serde_json::from_slice(&file).unwrap();
    let mut checked = 0;
    for row in
        rows.iter().filter(|row| row["file"].as_str().unwrap().ends_with("/position_test.go"))
    {
        let values = &row["values"];
        match row["test"].as_str().unwrap() {
            "TestTraceIndex" => {
                let index = number(&values["indexAtDepth"]).unwrap();
                let own = Position::at(depth(&values["depth"]), index).unwrap();
                // The row whose expectation the recording only has as an expression: 2 * (2^63 - 1) - 1.
                let want = number(&values["traceIndexExpected"]).unwrap_or(2 * ((1 << 63) - 1) - 1);
                assert_eq!(own.trace_index(depth(&values["maxDepth"])).unwrap().0, want, "{row}");
            }
            "TestRelativeToAncestorAtDepth" => {
                let own = Position::new(number(&values["gindex"]).unwrap()).unwrap();
                let relative = own.relative_to(depth(&values["newRootDepth"])).unwrap();
                assert_eq!(Some(relative.gindex()), number(&values["expectedGIndex"]), "{row}");
            }
            other => panic!("unknown table {other}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 77);
}
