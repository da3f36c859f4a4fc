# Short names for what `cargo xtask` does. `just` alone lists them.

default:
    @just --list

# Plays dispute games; `just demo step` proves single instructions.
demo *arguments:
    cargo run --release --bin rebut -- demo {{arguments}}

# Everything that must pass, tests only.
test:
    cargo xtask test

# Everything that must pass, lints and generated files too.
ci:
    .ci/run

# Speed beside qemu-user.
bench *arguments:
    cargo run --release --package rebut-benches -- {{arguments}}

# Steps of the program on recorded inputs, by what they are spent on.
bench-program *arguments:
    cargo run --release --package rebut-benches -- program {{arguments}}

# The rules of ARCHITECTURE.md.
tidy:
    cargo xtask tidy

# Builds the guests from source.
guests *arguments:
    cargo xtask guests {{arguments}}

# Compiles the contracts and refreshes what Rust embeds of them.
artifacts *arguments:
    cargo xtask artifacts {{arguments}}

# Refreshes the table of chains that the program carries.
registry *arguments:
    cargo xtask registry {{arguments}}

# Each fuzz target for a short time.
fuzz *arguments:
    cargo xtask fuzz {{arguments}}
