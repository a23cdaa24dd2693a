//! What two nodes say to each other on a link, as typed values. `wire` gives them bytes; nothing here knows any.

use std::sync::Arc;

use heliu_record::gate::{Digests, KindDigest};
use heliu_record::hash::Sum;
use heliu_record::id::{LeafHash, Preimage, RecordId};
use heliu_storage::{Cursor, Position, StoreId};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::{DirectoryVersion, Incarnation, NodeId, RealmId};

/// The wire versions that this program speaks.
pub const WIRE_VERSIONS: std::ops::RangeInclusive<u32> = 2..=2;

/// Limits of wire version 1. What is beyond them is refused before anything is done with it.
pub mod limits {
    /// Leaves and grants together.
    pub const LEAVES_PER_FRAME: usize = 4_096;
    pub const FRAME_BYTES: usize = 4 * 1024 * 1024;
    pub const DIRECTORY_ENTRIES_PER_FRAME: usize = 64;
    pub const RANGES_PER_FRAME: usize = 4_096;
    pub const ITEMS_PER_FRAME: usize = 65_536;
    pub const RECORDS_PER_HAVE: usize = 4_096;
    pub const LEAVES_PER_HAVE: usize = 65_536;
    /// Of one record in a question of possession, or in an answer: of a longer one, several questions are asked.
    pub const HASHES_PER_RECORD: usize = 8_192;
    /// Of all records in one frame of those.
    pub const HASHES_PER_POSSESSION: usize = 32_768;
    pub const KINDS_PER_HELLO: usize = heliu_record::gate::DECLARATIONS_MAX;
    pub const KIND_BYTES: usize = heliu_record::gate::KIND_BYTES_MAX;
    pub const GRANT_BYTES: usize = 64 * 1024;
    pub const STATEMENTS_PER_HAVE: usize = 4_096;
    pub const STATEMENTS_PER_FRAME: usize = 256;
    pub const STATEMENT_BYTES: usize = 8 * 1024;
    pub const JOIN_BYTES: usize = 4 * 1024;
    pub const REASON_BYTES: usize = 1_024;
    /// A leaves frame may be sent while fewer frames, and fewer bytes as [`super::Leaves::bytes`] counts them, are not
    /// acknowledged. More would only fill buffers; less would idle on a slow line. The receiver holds the sender to it.
    pub const WINDOW_FRAMES: usize = 64;
    pub const WINDOW_BYTES: usize = 4 * 1024 * 1024;
}

/// What one frame of a long list holds at most, in encoded bytes: far below every limit, so that nobody has to count
/// exactly. A part that is longer by itself has a frame of its own; so may no part be longer than a frame.
const LIST_BYTES: usize = 512 * 1024;

/// Cuts a list into what single frames hold, given what each part takes about.
pub(crate) fn cut<T>(
    list: impl IntoIterator<Item = T>,
    parts_max: usize,
    bytes_of: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    let mut frames: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for part in list {
        let more = bytes_of(&part);
        match frames.last_mut() {
            Some(frame) if frame.len() < parts_max && bytes + more <= LIST_BYTES => {
                bytes += more;
                frame.push(part);
            }
            _ => {
                bytes = more;
                frames.push(vec![part]);
            }
        }
    }
    frames
}

/// What lists of leaves, grants and statements are made of.
pub(crate) fn short_hash(hash: &[u8; 32]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hash[..8]);
    short
}

#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Hello(Hello),
    /// The link ends here, and why. Both operators see it.
    Refuse(Refuse),
    /// Directory entries that the other lacks, in order.
    Directory(Vec<SignedEntry>),
    /// Directories are equal; how we go on.
    Welcome(Welcome),
    Reconcile(Reconcile),
    /// Which leaves of these records the sender holds; the other answers with those it lacks.
    Have(Have),
    /// Who has these leaves durably; see [`Possession`].
    Possession(Possession),
    Leaves(Leaves),
    Outside(Outside),
    /// Everything in frames up to this sequence is durable here, or refused for good.
    Ack {
        sequence: u64,
    },
    /// Leaves that were refused here, with the reason: for the sender's operators.
    Refused(Vec<RefusedLeaf>),
    Checkpoint(Checkpoint),
    Verdict(Verdict),
    Statements(Statements),
    /// A join request going up, encoded: to the node that may enrol.
    Join(Vec<u8>),
    /// The answer to a join request that is refused, going back down. To one that is not, the directory grows.
    JoinRefused(JoinRefused),
    /// The sender's clock has been set, and says this now, in milliseconds since 1970. Between shells, for operators: the
    /// engine passes over it.
    Clock(i64),
    /// A frame type of a later version. Ignored.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub realm: RealmId,
    pub node: NodeId,
    pub store: StoreId,
    pub incarnation: Incarnation,
    /// Lowest and highest wire version spoken.
    pub versions: (u32, u32),
    pub directory_len: u64,
    pub directory_head: DirectoryVersion,
    /// What decides verdicts in the sender's program, by kind and version: leaves that come untagged were judged by it.
    pub kinds: Digests,
    /// Program version, for operators.
    pub program: String,
    /// The sender's clock, for operators: nothing is decided by it. None: it does not say.
    pub now_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuse {
    pub code: RefuseCode,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefuseCode {
    OtherRealm = 1,
    UnknownNode = 2,
    NoCommonVersion = 3,
    DirectoryForked = 4,
    Protocol = 5,
    Itself = 6,
    ShuttingDown = 7,
    StoreFailed = 8,
    /// The county's directory has fenced the node.
    Fenced = 9,
    /// The connection proved another node than the hello says.
    WrongIdentity = 10,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// How far the sender of this has the other's feed. None: it has nothing of this store.
    pub cursor: Option<Cursor>,
    /// The last commit of the receiver's node that the sender knows: a node that finds its own chain different was
    /// rolled back, and takes a new incarnation. It carries its signature, for nobody is believed what he only says.
    pub known_of_you: Option<Arc<SignedCommit>>,
    /// Over the hashes of the statements that the sender has and the receiver is to have.
    pub statements: Sum,
}

/// Range-based set reconciliation in the link's scope: over (scope, digest of its records), and then over (record, digest) of
/// the scopes that differ. The dialling end asks, the other answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconcile {
    pub turn: Turn,
    pub compared: Compared,
    /// In ascending order, and none overlaps another.
    pub ranges: Vec<Range>,
}

/// What the ranges of a reconciliation are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// What records name as their scope: in the place of a record's id stands the hash of a scope.
    Scopes,
    /// Records: of the scopes that differ, or all if scopes were not compared before.
    Records,
}

/// What a frame of a reconciliation is in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// From the answering end, without ranges: the dialling end is to begin, unless it has.
    Begin,
    /// From the dialling end. Each is answered.
    Question,
    /// A first part of an answer: more follows.
    Part,
    /// The whole of an answer, or its last part.
    Answer,
    /// From the dialling end, without ranges: no more questions. What is to be pushed follows.
    Done,
}

/// Records from `from` on, up to but without `to` (none: to the end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: RecordId,
    pub to: Option<RecordId>,
    pub content: RangeContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeContent {
    Fingerprint {
        count: u64,
        sum: Sum,
    },
    /// All that the sender has in the range.
    Items(Vec<(RecordId, Sum)>),
    /// The answer to items: which of them the sender lacks wholly. It has pushed or offered the rest. Of scopes also those
    /// that it has differently; perhaps none, if only the sender has any.
    Missing(Vec<RecordId>),
}

impl Reconcile {
    /// Cuts ranges into what single frames hold.
    #[must_use]
    pub fn cut(ranges: Vec<Range>) -> Vec<Vec<Range>> {
        cut(ranges, limits::RANGES_PER_FRAME, Range::bytes)
    }
}

impl Range {
    /// What it takes in a frame, at most.
    fn bytes(&self) -> usize {
        let content = match &self.content {
            RangeContent::Fingerprint { .. } => 48,
            RangeContent::Items(items) => items.len() * 2 * RecordId::LEN,
            RangeContent::Missing(ids) => ids.len() * RecordId::LEN,
        };
        content + 2 * RecordId::LEN + 32
    }
}

/// Records of which the sender takes no more, because there is too much at its seat of their author: both ends leave them
/// out where they compare, until it says that they are outside no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    pub records: Vec<RecordId>,
    pub no_longer: Vec<RecordId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// Per record the first eight bytes of each leaf hash held; of a record with more of them than a frame may list,
    /// some: what is not listed may come although it is held.
    pub records: Vec<(RecordId, Vec<[u8; 8]>)>,
    /// Whether the receiver is to say in turn what it has.
    pub reply: bool,
}

impl Have {
    /// Cuts lists into what single frames hold.
    #[must_use]
    pub fn cut(records: Vec<(RecordId, Vec<[u8; 8]>)>) -> Vec<Vec<(RecordId, Vec<[u8; 8]>)>> {
        let records = records.into_iter().map(|(record, mut leaves)| {
            leaves.truncate(limits::LEAVES_PER_HAVE);
            (record, leaves)
        });
        cut(records, limits::RECORDS_PER_HAVE, |(_, leaves)| RecordId::LEN + 16 + leaves.len() * 8)
    }
}

/// Whether the receiver has leaves and grants durably that the sender is about to let go. Who asks names them by their whole
/// hashes, so an answer tells nobody of anything that he does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possession {
    pub turn: PossessionTurn,
    pub records: Vec<PossessionRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PossessionTurn {
    Asked,
    Answered,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossessionRecord {
    pub record: RecordId,
    /// Asked: what the sender has. Answered: of what it was asked about, what the sender of the answer lacks; of many, some.
    /// A record that was erased lacks nothing.
    pub hashes: Vec<[u8; 32]>,
    /// Answered: about how many hashes this answers.
    pub covered: u64,
}

impl Possession {
    /// Cuts questions and answers into what single frames hold.
    #[must_use]
    pub fn cut(records: Vec<PossessionRecord>) -> Vec<Vec<PossessionRecord>> {
        let bytes = |of: &PossessionRecord| RecordId::LEN + 32 + of.hashes.len() * 32;
        cut(records, limits::RECORDS_PER_HAVE, bytes)
    }
}

/// Statements that the receiver lacks, and which the sender has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements {
    /// A part of what is held, by the first eight bytes of each hash, ascending. The first entry says where the part begins
    /// and is none of them. A list as long as may be ends with its last entry, a shorter one goes to the end of all.
    pub have: Vec<[u8; 8]>,
    /// Whether the receiver is to answer `have` with what is not in it, and say in turn what it has.
    pub reply: bool,
    /// Encoded, each with its own signature.
    pub statements: Vec<Vec<u8>>,
}

impl Statements {
    /// Cuts statements into what single frames hold.
    #[must_use]
    pub fn cut(statements: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
        cut(statements, limits::STATEMENTS_PER_FRAME, |statement| 16 + statement.len())
    }
}

/// Why a join request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    /// The id of the token that the request had.
    pub token: [u8; 16],
    /// A stable code, and what is particular about it: `heliu_record::reason::Facts` as a text.
    pub code: String,
    pub reason: String,
}

/// Leaves with their commits, and grants. `commits` are in the order in which leaves first use them.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaves {
    /// Counts up by one per frame and direction of a link.
    pub sequence: u64,
    pub delivery: Delivery,
    /// Records that the receiver's seat may no longer hold. The last that it is entitled to has been sent before, or is
    /// in this frame.
    pub withdrawn: Vec<RecordId>,
    /// Once this and all frames before are durable, the receiver has the sender's feed up to here.
    pub through: Option<Position>,
}

impl Leaves {
    /// Nothing but a position.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delivery.leaves.is_empty() && self.delivery.grants.is_empty() && self.withdrawn.is_empty()
    }

    /// What the frame counts for in the window, the same at both ends: about what it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const EACH: usize = 128;
        let Delivery { commits, leaves, grants } = &self.delivery;
        let changes: usize = leaves.iter().map(|leaf| EACH + leaf.change.len()).sum();
        let commits: usize = commits.iter().map(|signed| EACH + signed.commit.leaves.len() * LeafHash::LEN).sum();
        let grants: usize = grants.iter().map(|grant| EACH + grant.grant.len()).sum();
        EACH + commits + changes + grants + EACH * self.withdrawn.len()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    pub commits: Vec<Arc<SignedCommit>>,
    pub leaves: Vec<DeliveredLeaf>,
    pub grants: Vec<DeliveredGrant>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeliveredLeaf {
    pub preimage: Arc<Preimage>,
    /// Index into `commits`.
    pub commit: usize,
    pub kind_version: u32,
    /// By which declaration of that version the leaf is to be judged, where it is not the sender's own: somebody beyond the
    /// sender vouches for it.
    pub declared: Option<KindDigest>,
    /// The automerge change, as signed.
    pub change: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredGrant {
    pub preimage: Arc<Preimage>,
    /// Encoded, with its own signature.
    pub grant: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLeaf {
    pub leaf: LeafHash,
    /// As in [`JoinRefused`].
    pub code: String,
    pub reason: String,
}

/// The sums of what one end holds in the link's scope, when it has sent all of its feed up to `mine` and has made durable
/// all that came from the other up to `yours`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub mine: Position,
    pub yours: Position,
    pub sums: Sums,
    /// Over the hashes of the statements that both ends are to have.
    pub statements: Sum,
    /// By which leaves are judged at this end: sums by another directory are not compared.
    pub directory: DirectoryVersion,
}

/// Digest of a set of leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub records: u64,
    pub held: Sum,
    pub admitted: Sum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sums are equal at this cut.
    Equal,
    /// The same leaves, and the ends declare kinds otherwise, or others: what they make of them is not compared.
    HeldEqual,
    /// The same leaves, judged differently: an alarm.
    JudgedDifferently,
    /// Different leaves: reconcile.
    Different,
    /// One end has moved on meanwhile; try again when it is quiet.
    MovedOn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_by_bytes_and_by_parts_and_the_first_part_counts() {
        let lens = |list: &[usize], parts_max| {
            let frames = cut(list.iter().copied(), parts_max, |bytes| *bytes);
            frames.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lens(&[], 3), [0; 0]);
        assert_eq!(lens(&[1; 7], 3), [3, 3, 1]);
        assert_eq!(lens(&[LIST_BYTES / 2 + 1; 3], 3), [1, 1, 1]);
        assert_eq!(lens(&[LIST_BYTES / 2; 3], 3), [2, 1]);
        // As a directory entry may be.
        assert_eq!(lens(&[1, limits::FRAME_BYTES, 1, 1], 3), [1, 1, 2]);
    }
}
