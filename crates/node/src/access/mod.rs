//! What people and programs may do at a node: bearer tokens, what each opens, and what each call needs. Tokens are kept
//! hashed in `access.json`; `file` reads and writes it, `table` says what each method needs and how far it reaches. The check
//! before every call is `server::gate`.
//! Nodes have no part in this: they prove themselves by certificate, and the directory says what they may.

mod attempts;
mod caller;
mod file;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use heliu_record::id::from_hex;
use heliu_record::reason::Reason;
use subtle::ConstantTimeEq as _;

pub(crate) use attempts::Attempts;
pub(crate) use caller::Caller;
pub use file::{AccessError, Entry, Grant, Role, Token, create, list, revoke};

use crate::stamp::Stamp;

/// The tokens of a node, and the file that they come from.
pub(crate) struct Doors {
    file: PathBuf,
    known: RwLock<Arc<BTreeMap<String, Arc<Entry>>>>,
    problem: Mutex<Option<Reason>>,
    pub attempts: Attempts,
    /// The stamp of the file, taken before it was read at the start.
    pub begun: Stamp,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// No token of this node, never or not any more.
    Unknown,
    Expired,
}

impl Doors {
    /// A file that is not there is an empty list. One that cannot be read lets nobody in, until it can: the node works on.
    pub fn open(file: PathBuf) -> Self {
        let (known, problem) = (RwLock::default(), Mutex::default());
        let begun = Stamp::of(&[&file]);
        let doors = Doors { file, known, problem, attempts: Attempts::default(), begun };
        if let Err(why) = doors.reload() {
            tracing::error!(%why, "the access list is not taken, and nobody is let in: correct it");
        }
        doors
    }

    pub fn stamp(&self) -> Stamp {
        Stamp::of(&[&self.file])
    }

    /// Takes what is in the file now, if it is good, and says how many tokens. The old list stays otherwise.
    pub fn reload(&self) -> Result<usize, AccessError> {
        let taken = list(&self.file).map(|entries| {
            let known: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.id.clone(), Arc::new(entry))).collect();
            let count = known.len();
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
            count
        });
        *self.told() = taken.as_ref().err().map(AccessError::reason);
        taken
    }

    /// Why the file is not what is in use.
    pub fn problem(&self) -> Option<Reason> {
        self.told().clone()
    }

    /// Whether no token can open anything, or the newest may not: the list in use is empty, or not what is in the file.
    pub fn is_amiss(&self) -> bool {
        self.problem().is_some() || self.known.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What a token opens.
    pub fn open_with(&self, token: &str, now_ms: i64) -> Result<Arc<Entry>, BadToken> {
        let token: Token = token.parse().map_err(|_| BadToken::Unknown)?;
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let entry = known.get(&token.id).ok_or(BadToken::Unknown)?;
        let kept: [u8; 32] = from_hex(&entry.sha256).ok_or(BadToken::Unknown)?;
        if !bool::from(kept.ct_eq(&token.hash())) {
            return Err(BadToken::Unknown);
        }
        match entry.expires_ms {
            Some(expires) if now_ms >= expires => Err(BadToken::Expired),
            _ => Ok(Arc::clone(entry)),
        }
    }

    fn told(&self) -> MutexGuard<'_, Option<Reason>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
