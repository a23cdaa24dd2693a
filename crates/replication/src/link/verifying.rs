//! Checkpoints: the proof that both ends hold the same. When the dialling end is quiet - everything sent is acknowledged,
//! everything that came is durable - it says its sums; the other compares if it is quiet too, for then both stand at one
//! cut of both feeds.

use crate::effect::Moment;
use crate::frame::{Sums, Verdict};

/// How often a link that is in step is verified again, in ticks of about a second.
const INTERVAL_TICKS: u32 = 60;

/// How long it may take until the other end has said what else it knows of what cannot be judged here: so long nothing is
/// compared.
const DOUBT_TICKS: u32 = 8;

/// Checkpoints that are compared in one tick: each walks over all statements here. An honest end asks once.
const CHECKPOINTS_PER_TICK: u32 = 8;

#[derive(Default)]
pub(super) struct Verifying {
    question: Question,
    agreement: Agreement,
    /// The ends judge the same differently, since they did so first.
    dispute: Option<Dispute>,
    mending: Mending,
    /// Something moved since the last question.
    unsettled: bool,
    /// Somebody wants to know now.
    wanted: bool,
    /// Checkpoints that went out and were not compared yet: nobody compares what was not said.
    owed: u32,
    /// Those that came since the last tick.
    came: u32,
    /// When this end asked last, and with which sums: an answer speaks of these.
    said: Option<(u64, Sums)>,
    /// Ticks since a verdict came; none since the link runs: ask at once.
    ticks: Option<u32>,
    mismatches: u64,
    /// Ticks until what was in doubt here should be judged.
    in_doubt: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Question {
    #[default]
    None,
    /// A checkpoint is out.
    Asked,
    /// The other end was not quiet when it was asked: not at once again, in a circle as fast as the line carries it.
    PutOff,
}

/// What the last comparison said.
#[derive(Clone, Copy, Default)]
enum Agreement {
    #[default]
    Unproven,
    /// The ticks of the first of the equal checkpoints that no other came between, and of the last; and whether that one said
    /// that they hold the same, and what they make of it was not compared.
    Equal { since: u64, at: u64, held_only: bool },
}

struct Dispute {
    since: u64,
    /// Checkpoints in a row that were judged differently.
    times: u32,
}

/// The sums differ, and reconciling is to mend that.
#[derive(Default)]
struct Mending {
    stage: Stage,
    /// Reconciliations that checkpoints began since the last equal one, and ticks since the last of them.
    in_vain: u32,
    ticks: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Nothing,
    /// It is still to begin.
    Due,
}

impl Verifying {
    pub fn unsettle(&mut self) {
        self.unsettled = true;
    }

    pub fn unsettle_if(&mut self, has_moved: bool) {
        self.unsettled |= has_moved;
    }

    /// Something may have come over another link, and concern this one.
    pub fn compare_with(&mut self, sums: Sums) {
        self.unsettle_if(self.said.is_some_and(|(_, said)| said != sums));
    }

    /// Something was found here that is to be judged as soon as the other end has answered.
    pub fn doubt(&mut self) {
        self.in_doubt = DOUBT_TICKS;
    }

    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt > 0
    }

    pub fn tick(&mut self) {
        self.in_doubt = self.in_doubt.saturating_sub(1);
        self.ticks = self.ticks.map(|t| t.saturating_add(1));
        self.mending.ticks = self.mending.ticks.saturating_add(1);
        self.came = 0;
    }

    /// Somebody wants to know now.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub fn verified_at(&self) -> Option<u64> {
        if let Agreement::Equal { at, .. } = self.agreement { Some(at) } else { None }
    }

    pub fn equal_since(&self) -> Option<u64> {
        if let Agreement::Equal { since, .. } = self.agreement { Some(since) } else { None }
    }

    pub fn held_only(&self) -> bool {
        matches!(self.agreement, Agreement::Equal { held_only: true, .. })
    }

    pub fn judged_differently(&self) -> Option<u64> {
        self.dispute.as_ref().map(|dispute| dispute.since)
    }

    pub fn mismatches(&self) -> u64 {
        self.mismatches
    }

    /// Whether a checkpoint is to go out, if this end is quiet.
    pub fn is_due(&self) -> bool {
        let since = self.ticks.unwrap_or(u32::MAX);
        let pause = pause(self.dispute.as_ref().map_or(0, |dispute| dispute.times));
        let is_time = since >= INTERVAL_TICKS.max(pause) || (self.unsettled && since >= pause);
        let may_ask = match self.question {
            Question::None => true,
            Question::Asked => false,
            Question::PutOff => since >= 1,
        };
        may_ask && (self.wanted || (is_time && self.mending.stage == Stage::Nothing))
    }

    /// A checkpoint goes out, with these sums.
    pub fn ask(&mut self, sums: Sums, now: Moment) {
        self.question = Question::Asked;
        self.owed = self.owed.saturating_add(1);
        self.unsettled = false;
        self.said = Some((now.tick_ms, sums));
    }

    /// A checkpoint came. Whether so many in this tick are compared.
    pub fn take_checkpoint(&mut self) -> bool {
        self.came += 1;
        self.came <= CHECKPOINTS_PER_TICK
    }

    /// A checkpoint was compared here. `is_all`: the other end has been told of everything that is here.
    pub fn compared(&mut self, verdict: Verdict, is_all: bool, now: Moment) {
        // Whoever wants to know wants to know it of everything that is here.
        self.wanted &= !is_all;
        self.note(verdict, now);
    }

    /// A verdict came. Whether it answers what was asked: each other than that the other end has moved on is an alarm, and may
    /// begin a reconciliation, so it is not had for the asking.
    pub fn hear(&mut self, verdict: Verdict) -> bool {
        if verdict != Verdict::MovedOn {
            let Some(owed) = self.owed.checked_sub(1) else { return false };
            self.owed = owed;
        }
        let was_asked = self.question == Question::Asked;
        self.question = if was_asked && verdict == Verdict::MovedOn { Question::PutOff } else { Question::None };
        self.ticks = Some(0);
        if verdict == Verdict::MovedOn {
            self.unsettled = true;
        } else {
            self.wanted = false;
        }
        true
    }

    /// Whether to reconcile is decided by this verdict, which came.
    pub fn mend_after(&mut self, verdict: Verdict, is_dialer: bool) {
        let is_due = verdict == Verdict::Different && is_dialer;
        self.mending.stage = if is_due { Stage::Due } else { Stage::Nothing };
    }

    /// Whether to reconcile now; if so it has begun. What reconciling does not mend is not reconciled again and again. Whether
    /// it did is asked at once, or what goes wrong later would count as not mended.
    pub fn take_turn_to_reconcile(&mut self) -> bool {
        let Mending { stage, in_vain, ticks } = &mut self.mending;
        let may = *stage == Stage::Due && (*in_vain == 0 || *ticks >= pause(*in_vain));
        if may {
            (*stage, *ticks) = (Stage::Nothing, 0);
            *in_vain += 1;
        }
        may
    }

    /// What a verdict says of the ends, whoever gave it.
    pub fn note(&mut self, verdict: Verdict, now: Moment) {
        match verdict {
            Verdict::Equal | Verdict::HeldEqual => {
                let at = self.said.map_or(now.tick_ms, |(asked, _)| asked);
                let since = self.equal_since().unwrap_or(at);
                self.agreement = Agreement::Equal { since, at, held_only: verdict == Verdict::HeldEqual };
                (self.dispute, self.mending.in_vain) = (None, 0);
            }
            Verdict::JudgedDifferently | Verdict::Different => {
                self.agreement = Agreement::Unproven;
                self.mismatches += 1;
                if verdict == Verdict::JudgedDifferently {
                    let dispute = self.dispute.get_or_insert(Dispute { since: now.tick_ms, times: 0 });
                    dispute.times += 1;
                }
            }
            Verdict::MovedOn => {}
        }
    }
}

/// Each time the wait doubles.
fn pause(times: u32) -> u32 {
    1 << times.min(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tick_ms: u64) -> Moment {
        Moment { tick_ms, wall_ms: 0 }
    }

    fn asked(verdict: Verdict, verifying: &mut Verifying, tick_ms: u64) -> bool {
        verifying.ask(Sums::default(), at(tick_ms));
        let is_answer = verifying.hear(verdict);
        verifying.note(verdict, at(tick_ms));
        verifying.mend_after(verdict, true);
        is_answer
    }

    #[test]
    fn a_link_is_verified_as_it_begins_then_once_a_minute_and_as_soon_as_something_has_moved() {
        let mut verifying = Verifying::default();
        assert!(verifying.is_due());
        assert!(asked(Verdict::Equal, &mut verifying, 10));
        assert!(!verifying.is_due());
        verifying.unsettle();
        assert!(!verifying.is_due(), "not in the same tick");
        verifying.tick();
        assert!(verifying.is_due());
        asked(Verdict::Equal, &mut verifying, 20);
        (0..INTERVAL_TICKS).for_each(|_| verifying.tick());
        assert!(verifying.is_due());
        assert_eq!((verifying.equal_since(), verifying.verified_at()), (Some(10), Some(20)));
    }

    #[test]
    fn nobody_is_believed_who_compares_what_was_not_said() {
        let mut verifying = Verifying::default();
        assert!(!verifying.hear(Verdict::Different));
        assert!(verifying.hear(Verdict::MovedOn), "that says nothing");
        verifying.ask(Sums::default(), at(1));
        assert!(verifying.hear(Verdict::Different) && !verifying.hear(Verdict::Different));
    }

    #[test]
    fn what_reconciling_does_not_mend_is_reconciled_more_and_more_seldom() {
        let mut verifying = Verifying::default();
        let mut waits = Vec::new();
        for _ in 0..4 {
            asked(Verdict::Different, &mut verifying, 1);
            waits.push((0..).find(|_| {
                verifying.take_turn_to_reconcile() || {
                    verifying.tick();
                    false
                }
            }));
        }
        assert_eq!(waits, [Some(0), Some(2), Some(4), Some(8)]);
        asked(Verdict::Equal, &mut verifying, 9);
        asked(Verdict::Different, &mut verifying, 9);
        assert!(verifying.take_turn_to_reconcile(), "it was mended once, and begins anew");
    }

    #[test]
    fn ends_that_judge_differently_say_since_when_until_they_agree() {
        let mut verifying = Verifying::default();
        asked(Verdict::JudgedDifferently, &mut verifying, 5);
        asked(Verdict::JudgedDifferently, &mut verifying, 7);
        asked(Verdict::Different, &mut verifying, 8);
        assert_eq!((verifying.judged_differently(), verifying.mismatches()), (Some(5), 3));
        asked(Verdict::Equal, &mut verifying, 9);
        assert_eq!(verifying.judged_differently(), None);
    }
}
