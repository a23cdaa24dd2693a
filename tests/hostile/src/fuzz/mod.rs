//! Structured fuzzing of every decoder of untrusted bytes. A target makes valid bytes, spoils them where it hurts, and says
//! what must be true of whatever comes out; the runner here adds what must be true of all: no panic, and no more memory
//! than hostile bytes may take.

mod bytes;
mod changes;
mod joining;
mod signed;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::cost::{self, BYTES_MAX, Cost};
use crate::dice::Dice;

/// One decoder.
pub struct Target {
    pub name: &'static str,
    /// Reads the bytes, and checks what comes out. `Ok` tells whether anything did.
    pub check: fn(&[u8]) -> Result<bool, String>,
    /// Valid bytes, different ones for each throw.
    pub sample: fn(&mut Dice) -> Vec<u8>,
    /// Spoils bytes as only somebody who knows the form would. Besides this, the runner spoils bytes blindly.
    pub spoil: fn(&mut Dice, &[u8]) -> Vec<u8>,
}

/// Every decoder of bytes that come from others.
pub const TARGETS: &[Target] = &[
    changes::TARGET,
    signed::COMMIT,
    signed::ENTRY,
    wire::TARGET,
    signed::GRANT,
    signed::STATEMENT,
    joining::TOKEN,
    joining::REQUEST,
];

#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// An input that broke a promise, and which.
#[derive(Clone, Debug)]
pub struct Found {
    pub input: Vec<u8>,
    pub why: String,
}

/// What a run was like.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub inputs: u64,
    /// Of these, how many the decoder took for valid. A run that has none, or nothing else, proves little.
    pub taken: u64,
    /// The worst of any one input.
    pub worst: Cost,
    pub worst_len: usize,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Inputs(u64),
    Passed(Duration),
}

/// Runs one input.
pub fn check(target: &Target, input: &[u8]) -> Result<(bool, Cost), String> {
    let (result, cost) = cost::of(|| catch_unwind(AssertUnwindSafe(|| (target.check)(input))));
    let taken = result.map_err(|_| "it panics".to_owned())??;
    let units = input.len().div_ceil(64 * 1024).max(1);
    if cost.bytes > BYTES_MAX * units {
        return Err(format!("it takes {:.1} MiB for {} bytes", cost.mib(), input.len()));
    }
    Ok((taken, cost))
}

/// Runs a target on valid and spoilt bytes, all from one seed.
pub fn run(target: &Target, seed: u64, until: Until) -> Result<Tally, Box<Found>> {
    let begun = Instant::now();
    let mut dice = Dice::new(seed);
    let mut tally = Tally::default();
    let goes_on = |inputs| match until {
        Until::Inputs(max) => inputs < max,
        Until::Passed(time) => begun.elapsed() < time,
    };
    let mut samples: Vec<Vec<u8>> = (0..8).map(|_| (target.sample)(&mut dice)).collect();
    while goes_on(tally.inputs) {
        let input = next(target, &mut dice, &samples);
        match check(target, &input) {
            Err(why) => return Err(Box::new(Found { input, why })),
            Ok((taken, cost)) => {
                tally.inputs += 1;
                tally.taken += u64::from(taken);
                if cost.share(input.len()) > tally.worst.share(tally.worst_len) {
                    (tally.worst, tally.worst_len) = (cost, input.len());
                }
                // What is still valid after spoiling is a good place to go on from.
                let place = dice.index(samples.len());
                if dice.chance(5) {
                    samples[place] = (target.sample)(&mut dice);
                } else if taken && dice.chance(30) {
                    samples[place] = input;
                }
            }
        }
    }
    Ok(tally)
}

fn next(target: &Target, dice: &mut Dice, samples: &[Vec<u8>]) -> Vec<u8> {
    let mut input = dice.pick(samples).clone();
    for _ in 0..=dice.index(3) {
        input = if dice.chance(70) {
            (target.spoil)(dice, &input)
        } else {
            let other = dice.pick(samples).clone();
            bytes::spoil(dice, input, &other)
        };
    }
    input
}
