//! Schedules that failed once, each a file in `schedules/`: they run first, always. A file holds all that the schedule was
//! ([`Plan`]), so it stays the same one whatever a seed draws later.

use std::fs;
use std::path::{Path, PathBuf};

use crate::schedule::plan::Plan;

/// Where they are, in a checkout.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schedules")
}

/// Each with its name, in the order of names.
///
/// # Panics
/// If a file is none.
#[must_use]
pub fn all() -> Vec<(String, Plan)> {
    let entries = fs::read_dir(folder()).expect("the folder of kept schedules is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (name(path), read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))))
        .collect()
}

/// Seeds that met something which none before them had met, when the corpus was last written: with
/// `cargo run --release -p convergence -- --corpus`.
///
/// # Panics
/// If the file is none.
#[must_use]
pub fn corpus() -> Vec<u64> {
    let text = fs::read_to_string(folder().join("corpus.txt")).unwrap_or_default();
    text.split_whitespace().map(|seed| seed.parse().expect("the corpus is a list of seeds")).collect()
}

/// # Errors
/// If the file cannot be written.
pub fn write_corpus(seeds: &[u64]) -> std::io::Result<()> {
    let lines: Vec<String> =
        seeds.chunks(12).map(|line| line.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")).collect();
    fs::write(folder().join("corpus.txt"), lines.join("\n") + "\n")
}

/// # Errors
/// If there is no such file, or it is no schedule.
pub fn read(path: &Path) -> Result<Plan, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// A line for each step and each stream of chances, so that people can read it and see what a later change does to it.
///
/// # Panics
/// Never: a plan can be written.
#[must_use]
pub fn written(plan: &Plan) -> String {
    let mut lines = vec!["{".to_owned()];
    lines.push(format!("\"why\":{},", json(&plan.why)));
    lines.push(format!("\"seed\":{},\"patrols\":{},\"end\":{},", plan.seed, plan.patrols, plan.end));
    lines.push(format!("\"afterwards\":{},\"faults\":{},", json(&plan.afterwards), json(&plan.faults)));
    lines.push(format!("\"nodes\":{},", json(&plan.nodes)));
    lines.push(format!("\"habits\":{},", json(&plan.habits)));
    let steps: Vec<String> = plan.steps.iter().map(json).collect();
    lines.push(format!("\"steps\":[\n{}\n],", steps.join(",\n")));
    let chances: Vec<String> =
        plan.chances.0.iter().map(|(name, drawn)| format!("{}:{}", json(name), json(drawn))).collect();
    lines.push(format!("\"chances\":{{\n{}\n}}}}", chances.join(",\n")));
    lines.join("\n") + "\n"
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data can be written")
}
