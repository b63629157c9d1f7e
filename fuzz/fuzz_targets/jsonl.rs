#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lawspeaker_fuzz::jsonl(bytes));
