//! Seeds that failed once. They run first, always.

/// Each with the reason why it is kept.
#[must_use]
pub fn kept() -> Vec<(u64, &'static str)> {
    let lines = include_str!("seeds.txt").lines().map(str::trim);
    let seeds = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    seeds.map(|line| line.split_once(' ').unwrap_or((line, ""))).filter_map(parse).collect()
}

fn parse((seed, reason): (&'static str, &'static str)) -> Option<(u64, &'static str)> {
    Some((seed.parse().ok()?, reason.trim()))
}
