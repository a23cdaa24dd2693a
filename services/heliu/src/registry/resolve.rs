//! `heliu root resolve`: one of the branches of a forked directory stays. Where they part, and every version that is given
//! up, follows from the directories themselves; what the branch that stays says from there on is entered anew.

use std::collections::BTreeSet;
use std::path::Path;

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::DirectoryVersion;

use super::directory::told;
use crate::cli::RootResolveArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::realm::directory_file;
use crate::realm::make::refused;
use crate::text::{Say, say, time};

/// What the root decides.
pub struct Decision {
    from: u64,
    abandoned: BTreeSet<DirectoryVersion>,
    /// What is entered anew.
    items: Vec<Item>,
}

impl Decision {
    /// That the entry says besides what stays: a new issuer.
    pub fn draft(mut self, keep: &Directory, more: Vec<Item>, root: &Ed25519Key) -> Result<SignedEntry, Failure> {
        self.items.extend(more);
        keep.draft_resolve(self.from, self.abandoned, self.items, time::now_ms(), root).map_err(|error| refused(&error))
    }
}

/// From the files that were brought, and what is known without one. Whoever signs reads in `Say` what goes.
pub fn decide(args: &RootResolveArgs, keep: &Directory) -> Result<(Decision, Say), Failure> {
    let named = args.abandoned.iter().map(|text| version(text)).collect::<Result<BTreeSet<_>, _>>()?;
    let dropped = args.dropped.iter().map(|file| Ok((file.as_path(), open(file, keep)?)));
    let dropped = dropped.collect::<Result<Vec<(&Path, Directory)>, Failure>>()?;
    let parts =
        dropped.iter().map(|(file, other)| keep.diverges(other).ok_or_else(|| no_fork(args, file, keep, other)));
    let parts = parts.collect::<Result<Vec<u64>, _>>()?;
    let from = parts.into_iter().chain(args.from).min().unwrap_or(keep.len());
    if from >= keep.len() {
        let (keep, len) = (args.keep.display(), keep.len());
        return Err(Failure::usage(say!(
            "{keep} 只有 {len} 条,没有第 {from} 条",
            "{keep} has {len} entries, and none {from}"
        ))
        .next(say!("序号从 0 起,见 heliu alarms", "they are counted from 0; heliu alarms names the one")));
    }
    let decision = stands(keep, dropped.iter().map(|(_, other)| other), from, named);
    let gone = dropped.iter().flat_map(|(_, other)| other.entries_from(from).iter().map(move |entry| (entry, other)));
    let gone: String = gone.map(|(entry, other)| told(&heliu_node::entry_in_words(entry, other))).collect();
    let again = keep.len() - from;
    let said = say!(
        "第 {from} 条起分叉。保留的一支的 {again} 条重新登记;放弃的:\n{gone}",
        "They part at entry {from}. The {again} entries of the branch that stays are entered anew. What is given up:\n{gone}"
    );
    Ok((decision, said))
}

/// Everything from where they part is given up by name, on all sides: who has cited it is judged by what was before. What
/// one side says from there on is said again.
fn stands<'d>(
    keep: &Directory,
    others: impl Iterator<Item = &'d Directory>,
    from: u64,
    mut abandoned: BTreeSet<DirectoryVersion>,
) -> Decision {
    let mut items = Vec::new();
    for item in keep.entries_from(from).iter().flat_map(|entry| &entry.entry.items) {
        match item {
            Item::Resolve { abandoned: before } => abandoned.extend(before),
            item => items.push(item.clone()),
        }
    }
    for entry in others.flat_map(|other| other.entries_from(from)) {
        abandoned.insert(entry.version);
        for item in &entry.entry.items {
            if let Item::Resolve { abandoned: before } = item {
                abandoned.extend(before);
            }
        }
    }
    Decision { from, abandoned, items }
}

/// A directory that is to be dropped, of the same realm.
fn open(file: &Path, keep: &Directory) -> Result<Directory, Failure> {
    let other = directory_file::open(file)?;
    if (other.realm(), other.root()) == (keep.realm(), keep.root()) {
        return Ok(other);
    }
    let file = file.display();
    Err(Failure::new(
        Exit::Refused,
        "other_realm",
        say!("{file} 是另一个域的名录", "{file} is the directory of another realm"),
    ))
}

fn no_fork(args: &RootResolveArgs, file: &Path, keep: &Directory, other: &Directory) -> Failure {
    let (kept, dropped) = (args.keep.display(), file.display());
    let failure = Failure::new(
        Exit::Refused,
        "not_forked",
        say!("{kept} 与 {dropped} 没有分叉", "{kept} and {dropped} do not part"),
    );
    let why = match keep.len().cmp(&other.len()) {
        std::cmp::Ordering::Equal => say!("两者相同", "they are the same"),
        std::cmp::Ordering::Less => {
            say!("{kept} 是 {dropped} 的前一部分", "{kept} is the beginning of {dropped}")
        }
        std::cmp::Ordering::Greater => {
            say!("{dropped} 是 {kept} 的前一部分", "{dropped} is the beginning of {kept}")
        }
    };
    failure.why(why).next(say!(
        "请在持有各支的节点上各取一份(heliu directory save);heliu alarms 在各节点上说明它持有的版本",
        "save the directory at a node of each branch (heliu directory save); heliu alarms says at each which version it has"
    ))
}

fn version(text: &str) -> Result<DirectoryVersion, Failure> {
    text.parse().map_err(|_| {
        Failure::usage(say!("“{text}”不是名录版本", "{text:?} is no version of a directory"))
            .next(say!("应为 64 位十六进制;见 heliu alarms", "it takes 64 hexadecimal digits; see heliu alarms"))
    })
}
