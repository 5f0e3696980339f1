//! libFuzzer's loop, led by coverage, for the target named by `FUZZ_TARGET`; see README.md and `./guided`.
//!
//! Half of the changes are libFuzzer's own, of bytes; the others are `mutate`'s.
#![no_main]

use fuzz::meter;
use fuzz::random::Random;
use fuzz::targets::{Input, TARGETS, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

fn target() -> &'static Target {
    static CHOSEN: OnceLock<&'static Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        match Target::of(&name) {
            Some(target) => target,
            None => {
                let known: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                panic!("FUZZ_TARGET must be one of {}", known.join(", "));
            }
        }
    })
}

fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(target().seeds)
}

/// libFuzzer begins with the files of a folder.
fn write_seeds() {
    meter::unlimited_in_a_panic();
    let Some(folder) = std::env::var_os("FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for (number, seed) in seeds().iter().enumerate() {
        if let Err(error) = fs::write(folder.join(format!("seed-{number}")), seed) {
            eprintln!("cannot write a seed into {}: {error}", folder.display());
        }
    }
}

fuzz_target!(init: write_seeds(), |input: &[u8]| {
    let _ = target().execute(input);
});

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    let mut random = Random::new(seed.into());
    let json = target().input == Input::Json && random.one_in(2);
    let other = random.of_these(seeds()).map_or(&[][..], Vec::as_slice);
    let changed = json.then(|| data.get(..size)).flatten();
    let changed = changed.and_then(|input| fuzz::mutate::json::change(input, other, &mut random));
    match changed.filter(|changed| changed.len() <= most) {
        Some(changed) => {
            data[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        None => fuzzer_mutate(data, size, most),
    }
});
