//! A leaf that a link brings meets what is here of its record: whether it is new, and by which declaration of its kind it is to
//! be judged. Whoever brings it says one; a tag stands only as long as all say the same.

use heliu_record::catalogue::Catalogue;
use heliu_record::gate::KindDigest;
use heliu_record::id::Preimage;
use heliu_storage::Position;
use heliu_trust::admission::Leaf;
use heliu_trust::directory::Directory;

use super::{Counted, Open, Records};
use crate::effect::LinkId;

/// What a leaf that a link brings is here.
pub(crate) enum Met {
    /// It is taken, and to be filed.
    New,
    Known,
    /// Not all say the same of it: each program judges it by its own, and it is told on as that. Where it stands in the feed, if
    /// it is durable: it comes there anew.
    Untagged(Option<Position>),
}

impl Records {
    /// A leaf that a link brings, its signature and its shape checked, meets what is here of its record. `counted` is what
    /// the record counted for if its row is lost, `declared` by which declaration of its kind it is to be judged.
    pub fn meet(
        &mut self,
        leaf: &Leaf,
        preimage: &Preimage,
        counted: Option<&Counted>,
        declared: Option<KindDigest>,
        catalogue: &Catalogue,
    ) -> Met {
        let open = self.open.entry(leaf.record).or_insert_with(|| Open::begin(preimage, counted, catalogue));
        self.room.use_now(open);
        let Some(at) = open.positions.get(&leaf.hash).copied() else {
            return Met::New;
        };
        if open.tags.get(&leaf.hash).is_none_or(|tag| declared == Some(*tag)) {
            return Met::Known;
        }
        // For good, or two words could chase each other round a circle of nodes.
        open.tags.remove(&leaf.hash);
        self.work.touch(open);
        if open.leaves.believe(&leaf.hash) {
            self.work.believed.insert(leaf.record);
        }
        if at.is_some() {
            self.work.file(leaf, open);
        }
        Met::Untagged(at)
    }

    /// A leaf that is new here is filed: its record is offered it with others, see [`Records::offer`]. Returns by which
    /// declaration it goes, if that is another than this program's.
    pub fn file(
        &mut self,
        leaf: &Leaf,
        declared: Option<KindDigest>,
        link: LinkId,
        directory: &Directory,
        catalogue: &Catalogue,
    ) -> Option<KindDigest> {
        if let Some(author) = directory.node(leaf.author) {
            self.actors.insert(leaf.change.actor, author.seat);
        }
        let open = self.open.get_mut(&leaf.record)?;
        self.work.touch(open);
        open.revive();
        self.work.came_by.insert(leaf.record, link);
        self.work.file(leaf, open);
        let own = catalogue.digests().get(&open.row.preimage.kind, leaf.kind_version);
        open.tag(leaf.hash, declared, own)
    }
}
