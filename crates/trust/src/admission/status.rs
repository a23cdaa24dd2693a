//! What became of a leaf, with a stable code for people and a stable byte for storage. No deciding here.

/// What the set of leaves and the directory make of one leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Part of the record.
    Admitted,
    /// Its predecessors are not here yet: the record is a want.
    Waiting,
    /// Kept and relayed, but this node cannot judge it; never refused, no alarm.
    Held(HeldReason),
    /// The author equivocated, and this is the side that does not count; or the author is fenced.
    Excluded(ExcludedReason),
    /// The author may not, or the change does not follow from its predecessors: quarantine.
    Refused(RefusedReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldReason {
    UnknownKind,
    /// Written under a version of the kind above ours.
    NewerKind,
    /// Written under a version of the kind that whoever vouches for it declares otherwise than we do.
    KindDiffers,
    /// Written under a version of the kind that we do not declare, although we declare a later one.
    KindVersion,
    /// A predecessor is held.
    Predecessor,
    /// The directory held here does not reach the version that the commit cites.
    Directory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExcludedReason {
    /// Another leaf has the same actor and seq, and comes before this one.
    Fork,
    /// A predecessor is excluded.
    Predecessor,
    /// Its author is fenced, and it is beyond the frontier or excluded by name.
    Fenced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusedReason {
    /// Not the next seq of its actor after its predecessors.
    Seq,
    /// Its operations are numbered wrongly.
    StartOp,
    /// It replaces what its predecessors do not hold.
    Dangling,
    /// Its list of predecessors is not their one list.
    Predecessors,
    /// It cites an older directory than its author's earlier changes of the record.
    DirectoryBackwards,
    /// Its author was not enrolled at the directory version that the commit cites.
    UnknownAuthor,
    /// Its author may not write this, or the kind has no such field or value.
    Authority,
    /// A predecessor is refused.
    Predecessor,
}

/// Why software cannot judge leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unjudged {
    /// They are of a kind or a version that it does not know yet.
    Unknown,
    /// It declares their version otherwise, or lacks it although it declares a later one: people have to see to that.
    Differing,
}

/// Every status with its byte in storage and its code. Both stay for ever; new ones are added at the end of their group.
const TABLE: &[(Status, u8, &str)] = &[
    (Status::Admitted, 0x01, "admitted"),
    (Status::Waiting, 0x02, "waiting"),
    (Status::Held(HeldReason::UnknownKind), 0x10, "held.unknown-kind"),
    (Status::Held(HeldReason::NewerKind), 0x11, "held.newer-kind"),
    (Status::Held(HeldReason::Predecessor), 0x12, "held.predecessor"),
    (Status::Held(HeldReason::Directory), 0x13, "held.directory"),
    (Status::Held(HeldReason::KindDiffers), 0x14, "held.kind-differs"),
    (Status::Held(HeldReason::KindVersion), 0x15, "held.kind-version"),
    (Status::Excluded(ExcludedReason::Fork), 0x20, "excluded.fork"),
    (Status::Excluded(ExcludedReason::Predecessor), 0x21, "excluded.predecessor"),
    (Status::Excluded(ExcludedReason::Fenced), 0x22, "excluded.fenced"),
    (Status::Refused(RefusedReason::Seq), 0x30, "refused.seq"),
    (Status::Refused(RefusedReason::StartOp), 0x32, "refused.start-op"),
    (Status::Refused(RefusedReason::Dangling), 0x33, "refused.dangling"),
    (Status::Refused(RefusedReason::Predecessors), 0x34, "refused.predecessors"),
    (Status::Refused(RefusedReason::DirectoryBackwards), 0x35, "refused.directory-backwards"),
    (Status::Refused(RefusedReason::UnknownAuthor), 0x36, "refused.unknown-author"),
    (Status::Refused(RefusedReason::Authority), 0x37, "refused.authority"),
    (Status::Refused(RefusedReason::Predecessor), 0x38, "refused.predecessor"),
];

impl Status {
    #[must_use]
    pub fn is_admitted(self) -> bool {
        self == Status::Admitted
    }

    /// Whether this software cannot judge the leaf, for itself and not for a predecessor's sake.
    #[must_use]
    pub fn unjudged(self) -> Option<Unjudged> {
        match self {
            Status::Held(HeldReason::UnknownKind | HeldReason::NewerKind) => Some(Unjudged::Unknown),
            Status::Held(HeldReason::KindDiffers | HeldReason::KindVersion) => Some(Unjudged::Differing),
            _ => None,
        }
    }

    /// Stable, for quarantine, metrics and peers.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().map_or("unknown", |(_, _, code)| code)
    }

    #[must_use]
    pub fn to_u8(self) -> u8 {
        self.row().map_or(0, |(_, byte, _)| *byte)
    }

    #[must_use]
    pub fn from_u8(byte: u8) -> Option<Self> {
        TABLE.iter().find(|(_, b, _)| *b == byte).map(|(status, _, _)| *status)
    }

    fn row(self) -> Option<&'static (Status, u8, &'static str)> {
        TABLE.iter().find(|(status, _, _)| *status == self)
    }
}
