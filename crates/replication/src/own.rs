//! Who this node is, and what it works with. Nothing of it changes while an engine runs, so every part may look at it.

use std::sync::Arc;

use heliu_record::catalogue::Catalogue;
use heliu_record::id::SeatId;
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::signature::{Signer, Verifier};

pub(crate) struct Own {
    pub realm: RealmId,
    pub node: NodeId,
    pub seat: SeatId,
    pub catalogue: &'static Catalogue,
    pub signer: Arc<dyn Signer>,
    pub verifier: Arc<dyn Verifier>,
}
