//! What a case says: its figures, the floor measured in the same run, and the ratio of the two.

use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Report {
    pub case: &'static str,
    figures: Map<String, Value>,
    floor: Map<String, Value>,
    ratio: Option<f64>,
    targets: Vec<(String, bool)>,
}

impl Report {
    pub fn new(case: &'static str) -> Self {
        Report { case, ..Report::default() }
    }

    pub fn figure(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.figures.insert(name.to_owned(), round(value.into()));
        self
    }

    pub fn floor(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.floor.insert(name.to_owned(), round(value.into()));
        self
    }

    /// Measured over floor: 1 is as fast as can be.
    pub fn ratio(&mut self, ratio: f64) -> &mut Self {
        self.ratio = Some(ratio);
        self
    }

    /// Whether a target of the design is met. Printed, never asserted: machines differ.
    pub fn target(&mut self, what: &str, met: bool) -> &mut Self {
        self.targets.push((what.to_owned(), met));
        self
    }

    pub fn print(&self, as_json: bool) {
        if as_json {
            let ratio = self.ratio.map(|ratio| round(ratio.into()));
            let targets: Map<String, Value> =
                self.targets.iter().map(|(what, met)| (what.clone(), json!(met))).collect();
            println!(
                "{}",
                json!({"case": self.case, "figures": self.figures, "floor": self.floor, "ratio": ratio, "targets": targets})
            );
            return;
        }
        println!("{}", self.case);
        let floor = self.floor.iter().map(|(name, value)| (format!("floor: {name}"), value));
        let lines: Vec<(String, &Value)> =
            self.figures.iter().map(|(name, value)| (name.clone(), value)).chain(floor).collect();
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in &lines {
            println!("  {name:<width$} {value}");
        }
        if let Some(ratio) = self.ratio {
            println!("  {:<width$} {ratio:.2}", "ratio to the floor");
        }
        for (what, met) in &self.targets {
            println!("  {} {what}", if *met { "met:    " } else { "NOT met:" });
        }
    }
}

/// Figures are read by people: three digits after the point are enough.
fn round(value: Value) -> Value {
    match value.as_f64() {
        Some(float) if value.is_f64() => json!((float * 1_000.0).round() / 1_000.0),
        _ => value,
    }
}

/// The value below which a share of the sorted list lies.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = share * last as f64;
    sorted.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}
