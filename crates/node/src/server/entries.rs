//! Directory entries as people read them: who signed, and one line in each language per item.

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_wire::administration as pb;
use heliu_wire::records::Label;

/// Lines of one entry; a county's tree is one entry of hundreds of items, and more is a line that says how many.
const LINES_MAX: usize = 64;

/// `directory` names the seats and nodes that it speaks of.
#[must_use]
pub fn entry_in_words(signed: &SignedEntry, directory: &Directory) -> pb::DirectoryEntry {
    let entry = &signed.entry;
    let mut items: Vec<Label> =
        entry.items.iter().take(LINES_MAX).map(|item| (&item.words(directory)).into()).collect();
    if let Some(more) = entry.items.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        items.push(Label { zh: format!("另有 {more} 项"), en: format!("and {more} more") });
    }
    pb::DirectoryEntry {
        index: entry.index,
        version: signed.version.to_string(),
        time_ms: entry.time_ms,
        signers: signers(signed, directory),
        items,
        encoded: signed.encode(),
    }
}

/// What each key was when it signed: the issuer is replaced from one entry to the next.
fn signers(signed: &SignedEntry, directory: &Directory) -> Vec<String> {
    let before = directory.entries_from(0).iter().take_while(|earlier| earlier.entry.index < signed.entry.index);
    let issuers = before.flat_map(|earlier| &earlier.entry.items).filter_map(|item| match item {
        Item::Issuer { key } => Some(*key),
        _ => None,
    });
    let issuer = issuers.last();
    let name = |key| match key {
        key if key == directory.root() => "root",
        key if Some(key) == issuer => "issuer",
        _ => "cosigner",
    };
    signed.signers().map(|key| name(key).to_owned()).collect()
}
