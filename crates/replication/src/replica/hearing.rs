//! What the replica does for the engine between batches: statements and grants that came are checked before they wait for
//! a batch, sweeps go on, the audit log's head is told in time, and operators see what they ask for.

use std::sync::Arc;

use heliu_record::command::{CommandId, Refusal};
use heliu_record::id::RecordId;
use heliu_record::reason::Facts;
use heliu_storage::ScanItem;
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::Directory;
use heliu_trust::grant::{SignedGrant, check_grants};
use heliu_trust::id::NodeId;
use heliu_trust::seal::AudienceKey;
use heliu_trust::signature::Verifier;
use heliu_trust::statement::{SignedStatement, check};

use super::erasure::{Receipt, receipt};
use super::{Replica, Work};
use crate::effect::{Effect, LinkId, Moment, Notice};
use crate::frame::DeliveredGrant;
use crate::link::Out;

/// So long, in ticks of about a second, the county's first node may keep the others waiting for the secret of all nodes.
const IDS_TICKS: u32 = 60;

impl Replica {
    /// Reads statements that a link brought and leaves out those that are here, and those that do not hold.
    pub fn check_statements(&self, link: LinkId, statements: &[Vec<u8>], out: &mut Out) -> Vec<Arc<SignedStatement>> {
        let directory = self.directory();
        let is_fenced = |node: NodeId| directory.is_fenced(node);
        let (mut checked, mut first, mut count) = (Vec::new(), None, 0);
        for bytes in statements {
            let refused = match SignedStatement::decode(bytes) {
                Err(error) => Some(("statement.unreadable", error.to_string())),
                Ok(signed) if self.statements.contains(&signed) => None,
                Ok(signed) => match check(&signed, directory, &is_fenced, &*self.verifier) {
                    Ok(()) => {
                        checked.push(Arc::new(signed));
                        None
                    }
                    // It comes again when the directory has caught up.
                    Err(error) if error.is_held() => None,
                    Err(error) => Some((error.code(), error.to_string())),
                },
            };
            count += usize::from(refused.is_some());
            first = first.or(refused);
        }
        // One for all: each is a line in a log, and the least that can be refused is a byte.
        if let Some((code, reason)) = first {
            out.effects.push(Effect::Notice(Notice::StatementRefused { link, count, code, reason }));
        }
        checked
    }

    /// What is due by the clock.
    pub fn tick(&mut self, now: Moment) {
        if self.directory.node(self.node).is_some() && self.audit.take_turn_to_tell(now) {
            self.submit(Work::TellAuditHead);
        }
    }

    /// Somebody new may read since the directory grew: a node, the escrow.
    pub fn directory_grew(&mut self) {
        if self.sealing.is_some() {
            self.sweep.directory_grew(&self.directory);
        }
    }

    /// The id of a command that somebody else could reckon from what it says, as it is carried out: with the secret of all
    /// nodes in it. None if that is not here yet.
    pub fn secret_id(&mut self, id: &CommandId) -> Option<CommandId> {
        self.begin_ids(true);
        Some(self.locksmith(None).1.id_key()?.of_command(id))
    }

    /// Called with each tick while there is none, though links are in step.
    pub fn wait_for_ids(&mut self) {
        if self.audiences.wait_for_ids() > IDS_TICKS {
            self.begin_ids(true);
        }
    }

    /// Whether this is a node of the county without the secret of all nodes.
    pub fn has_no_ids(&self) -> bool {
        self.directory.county() == Some(self.seat) && self.audiences.has_no_ids()
    }

    /// The secret of all nodes is begun, if there is none. It must not be while others have one that this node has lost; of
    /// several nodes of the county it is the first, unless that keeps all waiting.
    pub fn begin_ids(&mut self, is_first: bool) {
        let (_, mut locksmith) = self.locksmith(None);
        let is_first = is_first || locksmith.begins(locksmith.seat);
        if is_first && locksmith.may_begin_ids() && locksmith.id_key().is_none() {
            self.audiences.begin_ids(AudienceKey::from_seed(self.random.secret()));
            self.submit(Work::KeepKeys);
        }
    }

    /// The next page of records to look through, if there is nothing else to do.
    pub fn next_sweep(&mut self) -> Option<Effect> {
        self.sweep.next().map(|after| Effect::Sweep { after })
    }

    /// A page of records with grants.
    pub fn swept(&mut self, items: &[ScanItem]) {
        let found = self.sweep.page(items, self.seat, self.directory.seats());
        found.into_iter().for_each(|record| self.submit(Work::LookThrough { record }));
    }

    pub fn has_swept(&self) -> bool {
        self.sweep.is_over()
    }

    pub fn receipt(&self, record: RecordId) -> Option<Receipt> {
        receipt(record, self.seat, &self.statements, self.directory())
    }

    pub fn erasures(&self) -> Vec<Receipt> {
        self.statements.erased_durably().filter_map(|record| self.receipt(record)).collect()
    }

    pub fn audit_head(&self) -> AuditHead {
        self.audit.durable()
    }

    pub fn unread(&self) -> usize {
        self.waits.unread()
    }
}

/// Why a grant is not taken, with a stable code; none if the directory here has to catch up first.
type GrantRefusal = Option<(&'static str, Facts)>;

/// Reads grants that came, and checks their signatures in one go.
pub(crate) fn open_grants<'d>(
    delivered: &'d [DeliveredGrant],
    directory: &Directory,
    verifier: &dyn Verifier,
) -> Vec<(&'d DeliveredGrant, Result<SignedGrant, GrantRefusal>)> {
    let read = |delivered: &DeliveredGrant| {
        let signed = SignedGrant::decode(&delivered.grant).map_err(|_| ("grant.unreadable", Facts::none()))?;
        let is_of = delivered.preimage.is_bounded() && delivered.preimage.id() == signed.grant.record;
        if is_of { Ok(signed) } else { Err(("grant.preimage", Facts::none())) }
    };
    let read: Vec<Result<SignedGrant, (&'static str, Facts)>> = delivered.iter().map(read).collect();
    let readable: Vec<&SignedGrant> = read.iter().filter_map(|signed| signed.as_ref().ok()).collect();
    let mut verdicts = check_grants(&readable, directory, verifier).into_iter();
    let judge = |signed: Result<SignedGrant, (&'static str, Facts)>| match (signed.map_err(Some)?, verdicts.next()) {
        (signed, Some(Ok(()))) => Ok(signed),
        (_, Some(Err(error))) if !error.is_held() => Err(Some((error.code(), error.facts()))),
        _ => Err(None),
    };
    delivered.iter().zip(read.into_iter().map(judge)).collect()
}

/// A row of a file cannot be taken yet.
pub(crate) fn no_secret_of_ids() -> Refusal {
    Refusal::new(
        "no_secret_of_ids",
        (
            "本节点尚未从上级得到编号密钥,暂不能导入。".to_owned(),
            "This node has not got the secret of ids from its superior yet, and cannot import.".to_owned(),
        ),
        (
            "由行的内容得出的编号须混入全县节点共有的密钥,外人才猜不到记录。",
            "Ids that follow from what rows say have a secret of all the county's nodes in them, so that nobody else finds a record by trying names.",
        ),
        (
            "与上级连通后会自动得到;请连通后再导入。",
            "It comes by itself over the link to the superior: import when the node has been linked.",
        ),
    )
}
