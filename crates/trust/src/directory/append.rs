//! How the log grows: entries are drafted, signed by one or two, verified, and taken; a fork is noticed, and resolved when
//! the root decides it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::codec::DecodeError;

use super::apply::{Check, Hands};
use super::entry::signed_message;
use super::{Directory, DirectoryError, Entry, Item, SignedEntry, limits, usize_of};
use crate::id::{DirectoryVersion, node_id};
use crate::signature::{PublicKey, Signature, Signer, Verifier};

/// What appending an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grown {
    /// The entry was there already.
    Nothing,
    /// The entry is the newest of the log now.
    Added,
    /// The root decided a fork: all entries from this index on are gone, and with them perhaps seats and nodes; the entry
    /// is the newest now.
    Replaced { from: u64 },
}

/// What became of entries that were appended together: what each did, up to the first that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Appended {
    pub grown: Vec<Grown>,
    pub error: Option<DirectoryError>,
}

type Claim = (PublicKey, Vec<u8>, Signature);

impl Directory {
    /// Takes the next entry, or leaves everything as it is. An entry that is already in the log is taken again in peace.
    pub fn append(&mut self, signed: &SignedEntry, verifier: &dyn Verifier) -> Result<Grown, DirectoryError> {
        let Appended { grown, error } = self.append_all([signed], verifier);
        match (grown.first(), error) {
            (_, Some(error)) => Err(error),
            (grown, None) => Ok(grown.copied().unwrap_or(Grown::Nothing)),
        }
    }

    /// Takes entries one after the other, up to the first that is not good. Their signatures are verified together.
    pub fn append_all<E: Borrow<SignedEntry>>(
        &mut self,
        entries: impl IntoIterator<Item = E>,
        verifier: &dyn Verifier,
    ) -> Appended {
        let entries: Vec<E> = entries.into_iter().collect();
        // The version is a public field: only a signature over what the entry itself hashes to counts.
        let versions: Vec<DirectoryVersion> = entries.iter().map(|signed| signed.borrow().entry.version()).collect();
        let claims = self.claims(&entries, &versions, verifier.scheme());
        let asked: Vec<_> =
            claims.iter().map(|(key, message, signature)| (*key, message.as_slice(), *signature)).collect();
        let verdicts = verifier.verify_all(&asked);
        let known: BTreeMap<&Claim, bool> = claims.iter().zip(verdicts).collect();
        let is_signed = |key: &PublicKey, message: &[u8], signature: &Signature| {
            let claim = (*key, message.to_vec(), *signature);
            known.get(&claim).copied().unwrap_or_else(|| verifier.verify(key, message, signature))
        };
        let check = Check { scheme: verifier.scheme(), is_signed: &is_signed };
        let mut appended = Appended { grown: Vec::with_capacity(entries.len()), error: None };
        for (signed, version) in entries.iter().zip(versions) {
            match self.append_one(signed.borrow(), version, &check) {
                Ok(grown) => appended.grown.push(grown),
                Err(error) => {
                    appended.error = Some(error);
                    break;
                }
            }
        }
        appended
    }

    /// The signatures that appending these entries will ask for. Those of approvals by nodes that are known neither here
    /// nor from the entries are asked for later, if at all.
    fn claims<E: Borrow<SignedEntry>>(
        &self,
        entries: &[E],
        versions: &[DirectoryVersion],
        scheme: &str,
    ) -> BTreeSet<Claim> {
        let mut claims = BTreeSet::new();
        let mut nodes = BTreeMap::new();
        for (signed, version) in entries.iter().map(Borrow::borrow).zip(versions) {
            if self.log.by_version.contains_key(version) {
                continue;
            }
            let message = signed_message(version);
            let bounded = signed.signatures.iter().take(limits::SIGNERS);
            claims.extend(bounded.map(|(key, signature)| (*key, message.to_vec(), *signature)));
            for item in signed.entry.items.iter().take(limits::ITEMS) {
                let Item::Node { seat, key, approval, .. } = item else { continue };
                nodes.insert(node_id(scheme, key), *key);
                let Some(approval) = approval else { continue };
                let minter = self.node(approval.minter).map(|info| info.key);
                if let Some(key) = minter.or_else(|| nodes.get(&approval.minter).copied()) {
                    claims.insert((key, approval.message(self.realm, *seat).to_vec(), approval.signature));
                }
            }
        }
        claims
    }

    fn append_one(
        &mut self,
        signed: &SignedEntry,
        version: DirectoryVersion,
        check: &Check<'_>,
    ) -> Result<Grown, DirectoryError> {
        let entry = &signed.entry;
        if entry.realm != self.realm {
            return Err(DirectoryError::WrongRealm);
        }
        if version != signed.version {
            return Err(DirectoryError::BadSignature);
        }
        if self.log.by_version.contains_key(&version) {
            return Ok(Grown::Nothing);
        }
        let is_given_up = |version| self.log.abandoned.contains_key(version);
        if is_given_up(&version) || is_given_up(&entry.previous) {
            return Err(DirectoryError::Settled { index: entry.index });
        }
        if self.county().is_some_and(|county| county != entry.county) {
            return Err(DirectoryError::WrongCounty);
        }
        signed.check()?;
        let message = signed_message(&version);
        if !signed.signatures.iter().all(|(key, signature)| (check.is_signed)(key, &message, signature)) {
            return Err(DirectoryError::BadSignature);
        }
        if entry.index > self.len() {
            return Err(DirectoryError::Gap { expected: self.len(), found: entry.index });
        }
        let follows = entry.previous == self.version_before(entry.index);
        if follows && entry.index == self.len() {
            let hands = self.hands(signed.signers())?;
            let staged = self.apply(entry, hands, check)?;
            self.take(Arc::new(signed.clone()), staged);
            return Ok(Grown::Added);
        }
        let by_root = signed.is_signed_by(self.root);
        if follows && by_root && entry.abandoned().next().is_some() {
            return self.replace(signed, check);
        }
        if follows {
            // A draft that was never completed is no fork.
            let before = self.cut(entry.index, check.scheme)?;
            before.apply(entry, before.hands(signed.signers())?, check)?;
        } else if !by_root && !self.issuer_before(entry.index).is_some_and(|issuer| signed.is_signed_by(issuer)) {
            return Err(DirectoryError::NeedsIssuer);
        }
        // What a deposed issuer signs later for a place below the root's word is no fork: the root has decided.
        if !by_root && self.log.root_at.is_some_and(|root_at| entry.index <= root_at) {
            return Err(DirectoryError::Settled { index: entry.index });
        }
        Err(DirectoryError::Forked { index: entry.index })
    }

    /// The version that an entry at `index` follows; the newest, if there is none such.
    fn version_before(&self, index: u64) -> DirectoryVersion {
        let before = index.checked_sub(1).map(|before| self.log.entries.get(usize_of(before)));
        before.map_or(DirectoryVersion::EMPTY, |entry| entry.map_or(self.head(), |entry| entry.version))
    }

    /// The root decides a fork: its entry takes the place of all from its index on. What it signed itself it undoes only by
    /// name, or two of its decisions could replace each other for ever.
    fn replace(&mut self, signed: &SignedEntry, check: &Check<'_>) -> Result<Grown, DirectoryError> {
        let from = signed.entry.index;
        if from == 0 {
            return Err(DirectoryError::ReplacesFirst);
        }
        let named: BTreeSet<DirectoryVersion> = signed.entry.abandoned().collect();
        let is_unnamed = |cut: &&Arc<SignedEntry>| cut.is_signed_by(self.root) && !named.contains(&cut.version);
        if let Some(cut) = self.entries_from(from).iter().find(is_unnamed) {
            return Err(DirectoryError::Forked { index: cut.entry.index });
        }
        let mut cut = self.cut(from, check.scheme)?;
        let hands = cut.hands(signed.signers())?;
        let staged = cut.apply(&signed.entry, hands, check)?;
        cut.take(Arc::new(signed.clone()), staged);
        *self = cut;
        Ok(Grown::Replaced { from })
    }

    /// The directory as it was before the entry at `index`.
    fn cut(&self, index: u64, scheme: &str) -> Result<Directory, DirectoryError> {
        let mut cut = Directory::new(self.realm, self.root);
        // All of it was verified when it was appended.
        let check = Check { scheme, is_signed: &|_, _, _| true };
        for signed in self.log.entries.iter().take(usize_of(index)) {
            let hands = cut.hands(signed.signers())?;
            let staged = cut.apply(&signed.entry, hands, &check)?;
            cut.take(Arc::clone(signed), staged);
        }
        Ok(cut)
    }

    /// After [`DirectoryError::Forked`]: our entry in the place of `other`, and the other. If it was built on a branch that
    /// is not known here, ours is the newest.
    #[must_use]
    pub fn evidence(&self, other: &SignedEntry) -> Option<(SignedEntry, SignedEntry)> {
        let ours = self.log.entries.get(usize_of(other.entry.index)).or(self.log.entries.last())?;
        (ours.version != other.version).then(|| (SignedEntry::clone(ours), other.clone()))
    }

    /// The next entry with these items, signed by one or two; it has not been appended. With one signature where
    /// [`Directory::needs_second`] asks for two, it is good once [`Directory::cosign`] has added the other.
    pub fn draft(
        &self,
        items: Vec<Item>,
        time_ms: i64,
        signers: &[&dyn Signer],
    ) -> Result<SignedEntry, DirectoryError> {
        let first = match items.first() {
            Some(Item::Seat(seat)) => Some(seat.id),
            _ => None,
        };
        let entry = Entry {
            realm: self.realm,
            county: self.county().or(first).ok_or(DirectoryError::CountyFirst)?,
            index: self.len(),
            previous: self.head(),
            time_ms,
            items,
        };
        let hands = self.hands(signers.iter().map(|signer| signer.public_key()))?;
        self.try_out(&entry, Hands { second: true, ..hands }, signers)?;
        let signed = SignedEntry::sign(entry, signers);
        signed.check()?;
        Ok(signed)
    }

    /// Adds a second signature to an entry that was drafted as the next one.
    pub fn cosign(&self, drafted: &SignedEntry, signer: &dyn Signer) -> Result<SignedEntry, DirectoryError> {
        let entry = &drafted.entry;
        if entry.index != self.len() {
            return Err(DirectoryError::Gap { expected: self.len(), found: entry.index });
        }
        if entry.previous != self.head() {
            return Err(DirectoryError::Forked { index: entry.index });
        }
        let signed = drafted.clone().signed_by(signer);
        signed.check()?;
        let hands = self.hands(signed.signers())?;
        self.try_out(entry, hands, &[signer])?;
        Ok(signed)
    }

    /// The index of the first entry in which this log and another differ. None if one of them is the beginning of the other.
    #[must_use]
    pub fn diverges(&self, other: &Directory) -> Option<u64> {
        let both = self.entries_from(0).iter().zip(other.entries_from(0));
        both.filter(|(ours, theirs)| ours.version != theirs.version).map(|(ours, _)| ours.entry.index).next()
    }

    /// The entry by which the root decides a fork: it takes the place of all from `index` on, and gives up those and the
    /// versions in `abandoned`. `items` are what it says besides.
    pub fn draft_resolve(
        &self,
        index: u64,
        mut abandoned: BTreeSet<DirectoryVersion>,
        items: Vec<Item>,
        time_ms: i64,
        root: &dyn Signer,
    ) -> Result<SignedEntry, DirectoryError> {
        abandoned.extend(self.entries_from(index).iter().map(|signed| signed.version));
        let resolve = Item::Resolve { abandoned: abandoned.into_iter().collect() };
        let items = std::iter::once(resolve).chain(items).collect();
        self.cut(index, root.scheme())?.draft(items, time_ms, &[root])
    }

    /// Refuses what appending would refuse. Signatures of others in it are not looked at.
    fn try_out(&self, entry: &Entry, hands: Hands, signers: &[&dyn Signer]) -> Result<(), DirectoryError> {
        let scheme = signers.first().map_or("", |signer| signer.scheme());
        self.apply(entry, hands, &Check { scheme, is_signed: &|_, _, _| true })?;
        if entry.encode().len() > limits::ENTRY_BYTES {
            return Err(DecodeError::TooLong { what: "a directory entry", max: limits::ENTRY_BYTES }.into());
        }
        Ok(())
    }
}
