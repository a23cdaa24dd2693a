//! `cargo xtask accept`: what is run before a large change is said to be done, and takes too long for every change.

use crate::process::{cargo, run};

const SCHEDULES: &str = "1000000";

pub fn accept(options: &[&str]) -> Result<(), String> {
    let (mut seed, mut schedules) = (None, SCHEDULES);
    let mut rest = options;
    while let [option, value, tail @ ..] = rest {
        match *option {
            "--seed" => seed = Some(*value),
            "--schedules" => schedules = value,
            _ => return Err(unknown(option)),
        }
        rest = tail;
    }
    if let [option] = rest {
        return Err(unknown(option));
    }
    let seed = seed.ok_or("name a first seed that was never used before: `cargo xtask accept --seed <n>`")?;
    let convergence = ["run", "--release", "-p", "convergence", "--"];
    run(cargo(&[&convergence[..], &["--long"]].concat()))?;
    run(cargo(&[&convergence[..], &["--seed", seed, "--schedules", schedules, "--keep-going"]].concat()))
}

fn unknown(option: &str) -> String {
    format!("`{option}` is no option of `cargo xtask accept`; it knows `--seed <n>` and `--schedules <n>`")
}
