//! How much others can make this node write into its log. For each source and each kind of event there is one line a minute:
//! the first event is written at once, those that follow are counted, and the count is a line when the minute is over.
//! Every event that a peer, a stranger or a caller can bring about is logged through here; otherwise he could fill the disk
//! with log lines.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heliu_trust::id::NodeId;

const PAUSE: Duration = Duration::from_secs(60);
/// Sources that are told apart, with all their kinds; whoever comes when there are so many shares the lines of all others.
const LINES_MAX: usize = 4_096;

/// Who is behind a line, as far as it is proven.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Node(NodeId),
    Address(IpAddr),
    /// An address as it is configured.
    Place(String),
    /// A source that came when there were too many to tell apart.
    Others,
}

impl Source {
    /// Where a connection comes from. Whoever has an address of version 6 has a whole network of them.
    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Source::Address(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
            }
            address @ IpAddr::V4(_) => Source::Address(address),
        }
    }

    /// The other end of a link: the node that it has proven to be, or where it is.
    pub fn of_link(node: Option<NodeId>, address: &str) -> Self {
        let at = || address.parse().map(|address: std::net::SocketAddr| Source::at(address.ip()));
        node.map_or_else(|| at().unwrap_or_else(|_| Source::Place(address.to_owned())), Source::Node)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Node(node) => f.write_str(&node.short()),
            Source::Address(address) => address.fmt(f),
            Source::Place(address) => f.write_str(address),
            Source::Others => f.write_str("others"),
        }
    }
}

#[derive(Default)]
pub(crate) struct Told(Mutex<BTreeMap<(Source, &'static str), Line>>);

struct Line {
    since: Instant,
    left_out: u64,
}

/// Lines that were not written one by one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub source: Source,
    pub kind: &'static str,
    pub count: u64,
}

impl Told {
    /// Whether a line of this kind may be written now because of this source. It is counted otherwise.
    pub fn claim(&self, source: Source, kind: &'static str) -> bool {
        self.claim_at(source, kind, Instant::now())
    }

    fn claim_at(&self, source: Source, kind: &'static str, now: Instant) -> bool {
        let mut lines = self.lock();
        let mut key = (source, kind);
        if lines.len() >= LINES_MAX && !lines.contains_key(&key) {
            key.0 = Source::Others;
        }
        match lines.get_mut(&key) {
            Some(line) => {
                line.left_out += 1;
                false
            }
            None => {
                lines.insert(key, Line { since: now, left_out: 0 });
                true
            }
        }
    }

    /// Writes how many lines were left out, of each that has waited for its minute. Called with every tick.
    pub fn tell_what_was_left_out(&self) {
        for LeftOut { source, kind, count } in self.due_at(Instant::now()) {
            tracing::warn!(%source, kind, count, "more of the same came and was not written line by line");
        }
    }

    fn due_at(&self, now: Instant) -> Vec<LeftOut> {
        let mut due = Vec::new();
        self.lock().retain(|(source, kind), line| {
            if now.duration_since(line.since) < PAUSE {
                return true;
            }
            let count = std::mem::take(&mut line.left_out);
            line.since = now;
            if count > 0 {
                due.push(LeftOut { source: source.clone(), kind, count });
            }
            // Who goes on has to wait for the next minute; who was silent begins anew.
            count > 0
        });
        due
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Source, &'static str), Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(n: u32) -> Source {
        Source::at(IpAddr::from(n.to_be_bytes()))
    }

    #[test]
    fn who_goes_on_and_on_is_a_line_a_minute_and_others_are_told_meanwhile() {
        let (told, begun) = (Told::default(), Instant::now());
        let written = (0..100_000).filter(|_| told.claim_at(from(1), "refused there", begun)).count();
        assert_eq!(written, 1);
        assert!(told.claim_at(from(1), "link lost", begun) && told.claim_at(from(2), "refused there", begun));
        assert_eq!(told.due_at(begun + PAUSE / 2), [], "not before the minute is over");
        let due = told.due_at(begun + PAUSE);
        assert_eq!(due, [LeftOut { source: from(1), kind: "refused there", count: 99_999 }]);
        assert!(!told.claim_at(from(1), "refused there", begun + PAUSE), "it goes on, and so does the counting");
        assert!(told.claim_at(from(2), "refused there", begun + PAUSE));
        assert_eq!(told.due_at(begun + 2 * PAUSE).len(), 1);
        assert_eq!(told.due_at(begun + 3 * PAUSE), []);
        assert!(told.claim_at(from(1), "refused there", begun + 3 * PAUSE), "it was silent for a minute");
    }

    #[test]
    fn whoever_has_many_addresses_has_few_lines() {
        let (told, begun) = (Told::default(), Instant::now());
        let written = (0..100_000).filter(|n| told.claim_at(from(*n), "not let in", begun)).count();
        assert!(written <= LINES_MAX + 1, "{written}");
        let told = Told::default();
        let network = |n: u16| Source::at(IpAddr::from([0x2001, 0xdb8, 0, 0, n, n, n, n]));
        assert_eq!((0..1_000).filter(|n| told.claim_at(network(*n), "not let in", begun)).count(), 1);
    }
}
