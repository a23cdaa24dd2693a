//! What a process takes of the machine, as Linux tells it: processor time, memory, and what it reads.

use std::time::Duration;

/// The processor time that a process takes from now on: what else the machine does is not in it.
pub struct Processor {
    process: u32,
    of: Of,
    begun: f64,
}

#[derive(Clone, Copy)]
enum Of {
    Itself,
    /// Those that it has started and that have ended.
    Children,
}

impl Processor {
    pub fn of(process: u32) -> Self {
        Processor { process, of: Of::Itself, begun: processor_seconds(process, Of::Itself) }
    }

    /// With all that it has taken since its start.
    pub fn since_start_of(process: u32) -> Self {
        Processor { process, of: Of::Itself, begun: 0.0 }
    }

    pub fn here() -> Self {
        Processor::of(std::process::id())
    }

    /// Of the programs that this one runs to their end.
    pub fn of_children() -> Self {
        let process = std::process::id();
        Processor { process, of: Of::Children, begun: processor_seconds(process, Of::Children) }
    }

    pub fn seconds(&self) -> f64 {
        processor_seconds(self.process, self.of) - self.begun
    }
}

/// For itself and for the system on its behalf, over all threads.
fn processor_seconds(process: u32, of: Of) -> f64 {
    // In hundredths of a second, which Linux promises to programs on every machine.
    const TICKS: f64 = 100.0;
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may have spaces of its own.
    let fields = line.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let first = match of {
        Of::Itself => 11,
        Of::Children => 13,
    };
    let ticks = fields.split(' ').skip(first).take(2).map(|field| field.parse::<f64>().unwrap_or(f64::NAN));
    ticks.sum::<f64>() / TICKS
}

pub fn resident_mib(process: u32) -> f64 {
    memory_mib(process, "VmRSS:")
}

/// The most that was ever resident.
pub fn peak_mib(process: u32) -> f64 {
    memory_mib(process, "VmHWM:")
}

fn memory_mib(process: u32, which: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1_024.0)
}

/// What is resident once that has stayed within a hundredth for some seconds.
pub async fn settled_mib(process: u32) -> f64 {
    const QUIET: u32 = 12;
    const LOOKS_MAX: u32 = 120;
    let (mut last, mut quiet) = (resident_mib(process), 0);
    for _ in 0..LOOKS_MAX {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = resident_mib(process);
        quiet = if (now - last).abs() <= last / 100.0 { quiet + 1 } else { 0 };
        if quiet == 0 {
            last = now;
        }
        if quiet >= QUIET {
            break;
        }
    }
    resident_mib(process)
}

/// What this process has read from files, also where the system had it in memory. Sockets are read by other calls and are
/// not in it, and a store maps no file into memory.
pub fn bytes_read() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or_default()
}
