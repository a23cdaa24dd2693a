//! A short run of every fuzzing target: the same inputs each time, and a few of a seed that one can choose.

use std::path::Path;

use hostile::fuzz::{self, TARGETS, Until};

use super::alone;

/// `HELIU_FUZZ_SEED` gives other inputs; a failure names its seed.
fn seeds() -> Vec<u64> {
    let chosen = std::env::var("HELIU_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    [1, 2].into_iter().chain(chosen).collect()
}

#[test]
fn structured_fuzzing_breaks_no_decoder() {
    let _turn = alone();
    for target in TARGETS {
        for seed in seeds() {
            match fuzz::run(target, seed, Until::Inputs(3_000)) {
                Ok(tally) => {
                    assert!(tally.taken > 100, "{} takes next to nothing: {tally:?}", target.name);
                    assert!(tally.taken < tally.inputs * 9 / 10, "{} takes next to all: {tally:?}", target.name);
                }
                Err(found) => panic!("{} with seed {seed}: {} on {:02x?}", target.name, found.why, found.input),
            }
        }
    }
}

/// Valid bytes, without any luck.
#[test]
fn every_sample_is_taken() {
    let _turn = alone();
    for target in TARGETS.iter().filter(|target| target.name != "frame") {
        let mut dice = hostile::dice::Dice::new(3);
        for _ in 0..50 {
            let sample = (target.sample)(&mut dice);
            assert_eq!((target.check)(&sample), Ok(true), "{}: {sample:02x?}", target.name);
        }
    }
}

/// What was found once is tried first, always.
#[test]
fn what_was_found_once_is_mended() {
    let _turn = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    let mut kept = 0;
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("it can be listed").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(target) = name.split('-').next().and_then(fuzz::target) else { continue };
        let input = std::fs::read(&path).expect("it can be read");
        if let Err(why) = fuzz::check(target, &input) {
            panic!("{}: {why}", path.display());
        }
        kept += 1;
    }
    assert!(kept > 0, "those found so far are kept");
}
