//! Records that have left this seat, on a link to a superior: before the last of one goes, the superior has said, on this
//! link, that it has every leaf and grant of it durably. That it once brought them, or acknowledged them, proves nothing: it
//! may have been restored from a backup since. What it lacks it is given, whatever the record's audience has become, and has
//! once it acknowledges the frames.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::Sum;
use heliu_record::id::RecordId;

use super::line::{Arrival, Line, Out, Shared};
use super::pushing::{Asked, Push, Wishes};
use super::scope::is_upward;
use crate::frame::{Frame, Possession, PossessionRecord, PossessionTurn, limits};

#[derive(Default)]
pub(super) struct Custody {
    records: BTreeMap<RecordId, Question>,
}

/// What is known of one record.
#[derive(Default)]
struct Question {
    stage: Stage,
    /// How often it was asked, and ticks since.
    times: u32,
    ticks: u32,
}

#[derive(Default)]
enum Stage {
    /// What there is of it is being read.
    Reading,
    /// How many hashes are not answered for yet, what all of them are the digest of, and what the other end lacks.
    Asked { open: u64, held: Sum, lacking: BTreeSet<[u8; 32]> },
    /// The other end lacks something, which is given to it; with the number of the last frame, once that is out.
    Giving { held: Sum, last: Option<u64> },
    /// Nothing is under way: it has all, and the record is about to go, or nobody has asked yet.
    #[default]
    Answered,
}

impl Question {
    /// An answered question is asked again if the record is still here, because more of it has come. Each time the wait
    /// doubles. One that is not answered is not asked again: answers say by their number alone what to.
    fn is_due(&self) -> bool {
        matches!(self.stage, Stage::Answered) && self.ticks >= 1 << self.times.min(8)
    }
}

impl Custody {
    /// Records left this seat: what there is of them here is read, and asked about.
    pub fn hand_over(&mut self, records: Vec<RecordId>) -> Wishes {
        let mut wishes = Wishes::new();
        for record in records {
            let question = self.records.entry(record).or_default();
            if matches!(question.stage, Stage::Answered) {
                (question.stage, question.ticks) = (Stage::Reading, 0);
                question.times = question.times.saturating_add(1);
                wishes.push((record, Push::handing_over()));
            }
        }
        wishes
    }

    /// Once per tick: begins with records of which this link has not spoken yet, and asks again.
    pub fn tick(&mut self, line: &Line, shared: &Shared<'_>) -> Wishes {
        self.records.retain(|record, _| shared.leaving.contains_key(record));
        self.records.values_mut().for_each(|question| question.ticks = question.ticks.saturating_add(1));
        if !line.peer.as_ref().is_some_and(|peer| is_upward(peer, shared)) {
            return Wishes::new();
        }
        let is_due = |record: &RecordId| self.records.get(record).is_none_or(Question::is_due);
        let durable = shared.leaving.iter().filter(|(_, since)| **since <= shared.head());
        let due: Vec<RecordId> = durable.map(|(record, _)| *record).filter(is_due).collect();
        self.hand_over(due)
    }

    /// What is here of records that left this seat has been read.
    pub fn ask(&mut self, read: Vec<(RecordId, Vec<[u8; 32]>)>, line: &Line, out: &mut Out) {
        let mut asked = Vec::new();
        for (record, hashes) in read {
            let Some(question) = self.records.get_mut(&record) else { continue };
            if hashes.is_empty() {
                // It went meanwhile.
                question.stage = Stage::Answered;
                continue;
            }
            let held = hashes.iter().collect();
            question.stage = Stage::Asked { open: hashes.len() as u64, held, lacking: BTreeSet::new() };
            let part = |part: &[[u8; 32]]| PossessionRecord { record, hashes: part.to_vec(), covered: 0 };
            asked.extend(hashes.chunks(limits::HASHES_PER_RECORD).map(part));
        }
        speak(PossessionTurn::Asked, asked, line, out);
    }

    /// The other end asks, or answers.
    pub fn hear(&mut self, possession: Possession, shared: &Shared<'_>, out: &mut Out) -> Wishes {
        let mut wishes = Wishes::new();
        for part in possession.records {
            match possession.turn {
                PossessionTurn::Answered => wishes.extend(self.answered(part, out)),
                PossessionTurn::Asked => {
                    let covered = part.hashes.len() as u64;
                    // Of what was erased nobody is to hold anything.
                    let is_erased = shared.statements.is_erased_durably(part.record);
                    let hashes = if is_erased { BTreeSet::new() } else { part.hashes.into_iter().collect() };
                    wishes.push((part.record, Push::asked(Asked { hashes, covered })));
                }
            }
        }
        wishes
    }

    fn answered(&mut self, part: PossessionRecord, out: &mut Out) -> Option<(RecordId, Push)> {
        let PossessionRecord { record, hashes, covered } = part;
        let question = self.records.get_mut(&record)?;
        let Stage::Asked { open, held, lacking } = &mut question.stage else { return None };
        lacking.extend(hashes);
        *open = open.saturating_sub(covered);
        if *open > 0 {
            return None;
        }
        let (held, lacking) = (*held, std::mem::take(lacking));
        if lacking.is_empty() {
            question.stage = Stage::Answered;
            out.arrivals.push(Arrival::Proven { record, held });
            return None;
        }
        question.stage = Stage::Giving { held, last: None };
        Some((record, Push::given(lacking)))
    }

    /// All that was to be given of these records is out, the last of it in this frame.
    pub fn given(&mut self, records: &[RecordId], sequence: u64) {
        for record in records {
            if let Some(Question { stage: Stage::Giving { last, .. }, .. }) = self.records.get_mut(record) {
                *last = Some(sequence);
            }
        }
    }

    /// Everything in frames up to this one is durable at the other end. It may let go of it at once, if somebody above has
    /// proven to have it: so there is no asking again.
    pub fn acknowledged(&mut self, sequence: u64, out: &mut Out) {
        for (record, question) in &mut self.records {
            if let Stage::Giving { held, last: Some(last) } = question.stage
                && last <= sequence
            {
                question.stage = Stage::Answered;
                out.arrivals.push(Arrival::Proven { record: *record, held });
            }
        }
    }
}

/// What is here of the records that the other end asked about has been read.
pub(super) fn answer(
    asked: Vec<(RecordId, Asked)>,
    here: &BTreeMap<RecordId, Vec<[u8; 32]>>,
    line: &Line,
    out: &mut Out,
) {
    let lacks = |(record, Asked { mut hashes, covered }): (RecordId, Asked)| {
        for hash in here.get(&record).into_iter().flatten() {
            hashes.remove(hash);
        }
        let hashes = hashes.into_iter().take(limits::HASHES_PER_RECORD).collect();
        PossessionRecord { record, hashes, covered }
    };
    speak(PossessionTurn::Answered, asked.into_iter().map(lacks).collect(), line, out);
}

fn speak(turn: PossessionTurn, records: Vec<PossessionRecord>, line: &Line, out: &mut Out) {
    for records in Possession::cut(records) {
        line.send(Frame::Possession(Possession { turn, records }), out);
    }
}
