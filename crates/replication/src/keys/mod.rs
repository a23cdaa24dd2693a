//! The part that works with keys of what is sealed: who reads in an audience ([`readers`]), the keys of audiences
//! ([`audiences`]), what they open and who lacks one that this node can give ([`keyring`]), and which records to look through
//! when the directory lets somebody new read ([`rewrap`]).

mod audiences;
mod keyring;
mod readers;
mod rewrap;

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::command::{CommandId, Refusal};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;
use heliu_trust::audience;
use heliu_trust::directory::Directory;
use heliu_trust::grant::Recipient;
use heliu_trust::id::{DirectoryVersion, NodeId};
use heliu_trust::seal::{AudienceKey, RecordKey, SealingSecret};
use zeroize::Zeroizing;

use crate::own::Own;

use audiences::Audiences;
pub(crate) use audiences::Waits;
use keyring::Opener;
pub use keyring::reveal;
pub(crate) use keyring::{Locksmith, Todo, nobody_to_read};
use rewrap::Rewrap;

/// So long, in ticks of about a second, the county's first node may keep the others waiting for the secret of all nodes.
const IDS_TICKS: u32 = 60;

pub(crate) struct Keys {
    /// Opens what is sealed for this node; without, nothing is opened here.
    secret: Option<Arc<SealingSecret>>,
    rewrap: Rewrap,
    pub audiences: Audiences,
    pub waits: Waits,
    /// Keys of single records that were drawn by the work under way, for whose audiences there is none to seal with.
    drawn: BTreeMap<RecordId, (KeyId, RecordKey)>,
}

impl Keys {
    /// `said`: what was said of the keys of audiences.
    pub fn new<'k>(
        secret: Option<Arc<SealingSecret>>,
        directory: &Directory,
        said: impl IntoIterator<Item = (NodeId, &'k audience::Keys)>,
    ) -> Self {
        let rewrap = if secret.is_some() { Rewrap::begin(directory) } else { Rewrap::default() };
        let audiences = Audiences::of(said);
        Keys { secret, rewrap, audiences, waits: Waits::default(), drawn: BTreeMap::new() }
    }

    /// A secret of this node's own, for a purpose.
    pub fn derive(&self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.secret.as_ref().map(|secret| secret.derive(purpose))
    }

    pub fn locksmith<'a>(&'a mut self, own: &'a Own, directory: &'a Directory) -> Locksmith<'a> {
        self.audiences.known.ask(directory);
        let opener = Opener {
            realm: own.realm,
            me: Recipient::Node(own.node),
            secret: self.secret.as_deref(),
            audiences: &mut self.audiences,
        };
        Locksmith { opener, node: own.node, seat: own.seat, signer: &*own.signer, directory }
    }

    /// Whether it can open anything.
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The key that was drawn for a record by the work under way, and what its values name.
    pub fn drawn(&self, record: &RecordId) -> Option<&(KeyId, RecordKey)> {
        self.drawn.get(record)
    }

    pub fn draw(&mut self, record: RecordId, drawn: (KeyId, RecordKey)) {
        self.drawn.insert(record, drawn);
    }

    /// Whether this is a node of the county without the secret of all nodes.
    pub fn has_no_ids(&self, own: &Own, directory: &Directory) -> bool {
        directory.county() == Some(own.seat) && self.audiences.has_no_ids()
    }

    /// The secret of all nodes is begun, if there is none; then it is to be said. It follows from this node's own secret: one
    /// that has lost its disk begins the same again. It must not be begun while others have that of another node: whoever
    /// calls this has been equal with one of them, or is the only one. Of several nodes of the county it is the first, unless
    /// that keeps all waiting.
    pub fn begin_ids(&mut self, is_first: bool, own: &Own, directory: &Directory) -> bool {
        let Some(secret) = self.derive("secret of ids") else { return false };
        let mut locksmith = self.locksmith(own, directory);
        let is_first = is_first || locksmith.begins(own.seat);
        let begins = is_first && locksmith.may_begin_ids() && locksmith.id_key().is_none();
        if begins {
            // As of the first version, whichever there is now.
            let begun = directory.entries_from(0).first().map_or(DirectoryVersion::EMPTY, |first| first.version);
            self.audiences.begin_ids(AudienceKey::begin(&secret, &own.seat, begun));
        }
        begins
    }

    /// Called with each tick while there is none, though links are in step. Whether it has taken too long.
    pub fn wait_for_ids(&mut self) -> bool {
        self.audiences.wait_for_ids() > IDS_TICKS
    }

    /// The id of a command that somebody else could reckon from what it says, as it is carried out: with the secret of all
    /// nodes in it. None if that is not here yet.
    pub fn secret_id(&mut self, id: &CommandId, own: &Own, directory: &Directory) -> Option<CommandId> {
        Some(self.locksmith(own, directory).id_key()?.of_command(id))
    }

    /// What ids are mixed with that follow from what a record says. None if the secret is not here yet.
    pub fn secret_of_said(&mut self, own: &Own, directory: &Directory) -> Option<[u8; 16]> {
        Some(self.locksmith(own, directory).id_key()?.of_said())
    }

    /// Somebody new may read since the directory grew: a node, the escrow.
    pub fn directory_grew(&mut self, directory: &Directory) {
        if self.secret.is_some() {
            self.rewrap.directory_grew(directory);
        }
    }

    /// After which record the next page of records is to be looked through, if there is one.
    pub fn next_page(&mut self) -> Option<Option<RecordId>> {
        self.rewrap.next()
    }

    /// A page of records with grants. Returns those that this node may be able to do something about.
    pub fn page(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) -> Vec<RecordId> {
        self.rewrap.page(items, own, seats)
    }

    pub fn has_looked_through(&self) -> bool {
        self.rewrap.is_over()
    }

    /// Keys of single records live no longer than the batch that uses them.
    pub fn seal(&mut self) {
        self.drawn.clear();
    }
}

/// A row of a file cannot be taken yet, nor what two are to make alike.
pub(crate) fn no_secret_of_ids() -> Refusal {
    Refusal::new(
        "no_secret_of_ids",
        (
            "本节点尚未得到编号密钥,暂不能导入或登记。".to_owned(),
            "This node has not got the secret of ids yet, and cannot import or register this.".to_owned(),
        ),
        (
            "由所填内容得出的编号须混入全县节点共有的密钥,外人才猜不到记录。",
            "Ids that follow from what is said have a secret of all the county's nodes in them, so that nobody else finds a \
             record by trying names.",
        ),
        (
            "与上级(县级节点:与任一其他节点)连通一次即自动得到,此后断网也能办理:请先连通(heliu status 显示链路),再办理一次;\
             一时连不上,可在上级的节点上办理,连通后记录会到本节点。其余节点确已全部丢失的,先将其隔离。",
            "It comes by itself with the first link to the superior (of the county: to any other node), and stays: link this \
             node (heliu status shows its links) and do it again. If that cannot be now, do it at a node of the \
             superior: the records come here with the link. Are all others lost for good, fence them first.",
        ),
    )
}

#[cfg(test)]
mod tests;
