//! The ground that schedules have been on: which faults, effects, frames, verdicts and notices a run has met, which of them
//! together in one schedule, and which never. A run that says that nothing failed says with it what it has tried.

use heliu_replication::frame::{Frame, RefuseCode, Verdict};
use heliu_replication::{Effect, Notice, Reply};
use heliu_storage::LeafStatus;

use crate::world::hostile::Behaviour;

/// What can be met, by groups. Faults come first: what they are met with is what the table of pairs is about.
const GROUPS: [(&str, &[&str]); 7] = [
    ("faults", &FAULTS),
    ("effects", &EFFECTS),
    ("frames", &FRAMES),
    ("verdicts on links", &["equal", "judged differently", "different", "moved on"]),
    ("verdicts on leaves", &["admitted", "waiting", "held", "excluded", "refused"]),
    ("links ended", &REFUSALS),
    ("notices and replies", &NOTICES),
];

const FAULTS: [&str; 28] = [
    "broken lines",
    "partition",
    "crash",
    "full disk",
    "wrong clocks",
    "restore",
    "clone",
    "roll-back",
    "lost disk",
    "enrolment",
    "release",
    "admission",
    "erasure",
    "patrol",
    "hostile",
    "hostile: insider",
    "hostile: thief",
    "hostile: forged author",
    "hostile: out of path",
    "hostile: back-dating",
    "hostile: equivocation",
    "hostile: replay",
    "hostile: withholding",
    "hostile: orphan flood",
    "hostile: bombs",
    "hostile: bad frames",
    "hostile: stolen issuer",
    "hostile: issuer replaced",
];

const EFFECTS: [&str; 12] = [
    "send",
    "close",
    "load",
    "apply",
    "read feed",
    "read leaves",
    "read peer",
    "scan",
    "read granted",
    "look",
    "reply",
    "notice",
];

const FRAMES: [&str; 17] = [
    "hello",
    "refuse",
    "directory",
    "welcome",
    "reconcile",
    "have",
    "possession",
    "leaves",
    "ack",
    "refused",
    "checkpoint",
    "verdict",
    "statements",
    "join",
    "join refused",
    "unknown",
    "withdrawal",
];

const REFUSALS: [&str; 10] = [
    "other realm",
    "unknown node",
    "no common version",
    "directory forked",
    "protocol",
    "itself",
    "shutting down",
    "store failed",
    "fenced",
    "wrong identity",
];

const NOTICES: [&str; 17] = [
    "sums differ",
    "judged differently",
    "reconciled",
    "refused here",
    "refused there",
    "new incarnation",
    "stranded",
    "equivocation",
    "directory forked",
    "erased",
    "audit forked",
    "statement refused",
    "damaged",
    "store failed",
    "command refused",
    "command done again",
    "let go",
];

/// How many things can be met.
pub const LEN: usize = FAULTS.len() + EFFECTS.len() + FRAMES.len() + 4 + 5 + REFUSALS.len() + NOTICES.len();

/// What one schedule has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ground(u128);

impl Ground {
    fn meet(&mut self, group: usize, at: usize) {
        let before: usize = GROUPS[..group].iter().map(|(_, names)| names.len()).sum();
        self.0 |= 1 << (before + at);
    }

    pub fn fault(&mut self, name: &str) {
        if let Some(at) = FAULTS.iter().position(|known| *known == name) {
            self.meet(0, at);
        }
    }

    pub fn behaviour(&mut self, behaviour: Behaviour) {
        self.fault(behaviour.name());
    }

    pub fn effect(&mut self, effect: &Effect) {
        let at = match effect {
            Effect::Send { frame, .. } => {
                self.frame(frame);
                0
            }
            Effect::Close { why, .. } => {
                self.meet(5, refusal(why.code));
                1
            }
            Effect::Load(_) => 2,
            Effect::Apply(transaction) => {
                if !transaction.dropped.is_empty() {
                    self.notice_at("let go");
                }
                3
            }
            Effect::ReadFeed { .. } => 4,
            Effect::ReadLeaves { .. } => 5,
            Effect::ReadPeer { .. } => 6,
            Effect::Scan { .. } => 7,
            Effect::ReadGranted { .. } => 8,
            Effect::Look { .. } => 9,
            // With every start, and with every batch.
            Effect::Recount { .. } | Effect::GoOn => return,
            Effect::Reply { reply, .. } => {
                match reply {
                    Reply::Refused(_) => self.notice_at("command refused"),
                    Reply::Done(done) if done.again => self.notice_at("command done again"),
                    _ => {}
                }
                10
            }
            Effect::Notice(notice) => {
                self.notice(notice);
                11
            }
        };
        self.meet(1, at);
    }

    fn frame(&mut self, frame: &Frame) {
        let at = match frame {
            Frame::Hello(_) => 0,
            Frame::Refuse(_) => 1,
            Frame::Directory(_) => 2,
            Frame::Welcome(_) => 3,
            Frame::Reconcile(_) => 4,
            Frame::Have(_) => 5,
            Frame::Possession(_) => 6,
            // Only who is flooded says it; stories tell of it.
            Frame::Outside(_) => return,
            Frame::Leaves(leaves) => {
                if !leaves.withdrawn.is_empty() {
                    self.meet(2, 16);
                }
                7
            }
            Frame::Ack { .. } => 8,
            Frame::Refused(_) => 9,
            Frame::Checkpoint(_) => 10,
            Frame::Verdict(verdict) => {
                let at = match verdict {
                    Verdict::Equal => 0,
                    Verdict::JudgedDifferently => 1,
                    Verdict::Different => 2,
                    Verdict::MovedOn => 3,
                    Verdict::HeldEqual => 4,
                };
                self.meet(3, at);
                11
            }
            Frame::Statements(_) => 12,
            Frame::Join(_) => 13,
            Frame::JoinRefused(_) => 14,
            Frame::Unknown | Frame::Clock(_) => 15,
        };
        self.meet(2, at);
    }

    pub fn status(&mut self, status: LeafStatus) {
        let at = match status {
            LeafStatus::Admitted => 0,
            LeafStatus::Waiting => 1,
            LeafStatus::Held => 2,
            LeafStatus::Excluded => 3,
            LeafStatus::Refused => 4,
        };
        self.meet(4, at);
    }

    fn notice_at(&mut self, name: &str) {
        if let Some(at) = NOTICES.iter().position(|known| *known == name) {
            self.meet(6, at);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.notice_at(match notice {
            // Every verdict is met as a frame.
            Notice::LinkVerified { .. } | Notice::LinkClosed { .. } => return,
            // Only who cannot sign claims what he cannot show; a story of `replication` tells of it.
            Notice::FalseClaim { .. } => return,
            Notice::SumsDiffer { .. } => "sums differ",
            Notice::JudgedDifferently { .. } => "judged differently",
            Notice::KindsDiffer { .. } => "kinds differ",
            Notice::Reconciled { .. } => "reconciled",
            Notice::RefusedHere { .. } => "refused here",
            Notice::RefusedThere { .. } => "refused there",
            Notice::NewIncarnation(_) => "new incarnation",
            Notice::Stranded { .. } => "stranded",
            Notice::Equivocation { .. } => "equivocation",
            Notice::DirectoryForked { .. } => "directory forked",
            Notice::Erased { .. } => "erased",
            Notice::AuditForked { .. } => "audit forked",
            Notice::StatementRefused { .. } => "statement refused",
            // Nothing but damage makes that happen; a story tells of it.
            Notice::SumsCorrected { .. } => return,
            Notice::Damaged { .. } => "damaged",
            Notice::StoreFailed(_) => "store failed",
        });
    }
}

fn refusal(code: RefuseCode) -> usize {
    match code {
        RefuseCode::OtherRealm => 0,
        RefuseCode::UnknownNode => 1,
        RefuseCode::NoCommonVersion => 2,
        RefuseCode::DirectoryForked => 3,
        RefuseCode::Protocol => 4,
        RefuseCode::Itself => 5,
        RefuseCode::ShuttingDown => 6,
        RefuseCode::StoreFailed => 7,
        RefuseCode::Fenced => 8,
        RefuseCode::WrongIdentity => 9,
    }
}

/// What the schedules of a run have met, each thing and each pair of things in one schedule.
pub struct Coverage {
    schedules: Vec<u64>,
    together: Vec<u128>,
}

impl Default for Coverage {
    fn default() -> Self {
        Coverage { schedules: vec![0; LEN], together: vec![0; LEN] }
    }
}

impl Coverage {
    /// Counts a schedule. Returns whether it met something, or two things together, that none before it did.
    pub fn add(&mut self, ground: Ground) -> bool {
        let mut is_new = false;
        for at in (0..LEN).filter(|at| ground.0 >> at & 1 == 1) {
            self.schedules[at] += 1;
            is_new |= ground.0 & !self.together[at] != 0;
            self.together[at] |= ground.0;
        }
        is_new
    }

    /// Pairs of faults that no schedule had together.
    #[must_use]
    pub fn faults_apart(&self) -> Vec<String> {
        (0..FAULTS.len())
            .flat_map(|one| (one + 1..FAULTS.len()).map(move |other| (one, other)))
            .filter(|(one, other)| self.together[*one] >> other & 1 == 0)
            .map(|(one, other)| format!("{} + {}", FAULTS[one], FAULTS[other]))
            .collect()
    }

    /// As lines for people: per group what was met and in how many percent of schedules, and what never; then the pairs of
    /// faults that never came together.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn told(&self, schedules: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut at = 0;
        for (group, names) in GROUPS {
            let met = |(name, count): (&&str, &u64)| {
                let share = *count as f64 * 100.0 / schedules.max(1) as f64;
                (*count > 0).then(|| format!("{name} {share:.1}"))
            };
            let counts = &self.schedules[at..at + names.len()];
            let met: Vec<String> = names.iter().zip(counts).filter_map(met).collect();
            lines.push(format!("  {group}, in % of schedules: {}", met.join(", ")));
            let never: Vec<&str> =
                names.iter().zip(counts).filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
            if !never.is_empty() {
                lines.push(format!("  {group}, never: {}", never.join(", ")));
            }
            at += names.len();
        }
        let (pairs, apart) = (FAULTS.len() * (FAULTS.len() - 1) / 2, self.faults_apart());
        lines.push(format!("  pairs of faults in one schedule: {} of {pairs}", pairs - apart.len()));
        if !apart.is_empty() {
            lines.push(format!("  never together: {}", apart.join(", ")));
        }
        let met: u32 = self.together.iter().map(|row| row.count_ones()).sum();
        lines.push(format!("  pairs of all that was met: {}", met / 2));
        lines
    }
}
