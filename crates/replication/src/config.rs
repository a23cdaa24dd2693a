//! What an engine is told once, when it begins.

use std::sync::Arc;

use heliu_record::catalogue::Catalogue;
use heliu_trust::directory::Pool;

/// What does not change while an engine runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The kinds, commands and rules that this program knows.
    pub catalogue: &'static Catalogue,
    /// Program name and version, shown to operators at the other end.
    pub program: String,
    /// Records that may stay open; some 4 KB each. One that takes more than 16 KB counts for several.
    pub open_max: usize,
    /// A round of the patrol through all records takes at least so long, and the first begins after a sixtieth of it.
    pub patrol_round_ms: u64,
    /// Leaves that an author outside of this seat's line may have here, for this seat and for each below.
    pub foreign_max: u64,
    /// Scopes that are counted each by itself; all others are counted together, and anew at each start.
    pub scopes_max: usize,
    /// A batch that is worked on while a transaction is in flight waits until that is durable for more to share its own, but not
    /// with so many leaves; a command counts for eight, so 64 of them fill a commit.
    pub leaves_enough: usize,
    /// Directories that engines of one process have verified; none: it is alone.
    pub pool: Option<Arc<Pool>>,
}

/// See [`Config::foreign_max`]; some 800 KB on the disk.
pub const FOREIGN_MAX: u64 = 512;

/// See [`Config::scopes_max`]; some 250 bytes each. A city names as many as it has seats and places where two share something.
pub const SCOPES_MAX: usize = 65_536;

/// See [`Config::leaves_enough`].
pub const LEAVES_ENOUGH: usize = 512;

impl Config {
    /// With defaults for everything that has one.
    #[must_use]
    pub fn new(catalogue: &'static Catalogue) -> Self {
        let program = concat!("heliu ", env!("CARGO_PKG_VERSION")).to_owned();
        Config {
            catalogue,
            program,
            open_max: 4_096,
            patrol_round_ms: 60 * 60 * 1_000,
            foreign_max: FOREIGN_MAX,
            scopes_max: SCOPES_MAX,
            leaves_enough: LEAVES_ENOUGH,
            pool: None,
        }
    }
}
