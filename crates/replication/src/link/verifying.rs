//! Checkpoints: the proof that both ends hold the same. When the dialling end is quiet - everything sent is acknowledged,
//! everything that came is durable - it says its sums; the other compares if it is quiet too, for then both stand at one
//! cut of both feeds.

use super::{Link, Out, Phase, Shared};
use crate::effect::Notice;
use crate::frame::{Checkpoint, Frame, Sums, Verdict};
use crate::replica::Apart;

/// How often a link that is in step is verified again, in ticks of about a second.
const INTERVAL_TICKS: u32 = 60;

/// How long it may take until the other end has said what else it knows of what cannot be judged here: so long nothing is
/// compared.
const DOUBT_TICKS: u32 = 8;

/// Checkpoints that are compared in one tick: each walks over all statements here. An honest end asks once.
const CHECKPOINTS_PER_TICK: u32 = 8;

#[derive(Default)]
pub(super) struct Verifying {
    verified_at: Option<u64>,
    /// The first equal verdict since the last that was another.
    equal_since: Option<u64>,
    /// Something moved since the last equal verdict.
    unsettled: bool,
    /// A checkpoint is out.
    asking: bool,
    /// Checkpoints that went out and were not compared yet: nobody compares what was not said.
    owed: u32,
    /// Those that came since the last tick.
    came: u32,
    /// When this end asked last, and with which sums: an answer speaks of these.
    said: Option<(u64, Sums)>,
    /// The other end was not quiet when it was asked last.
    moved_on: bool,
    /// Ticks since a verdict came; none since the link runs: ask at once.
    ticks: Option<u32>,
    /// Somebody wants to know now.
    wanted: bool,
    mismatches: u64,
    /// Checkpoints in a row that were judged differently.
    disagreed: u32,
    /// The sums differ, and what mends that is still to begin.
    to_reconcile: bool,
    /// Reconciliations that checkpoints began since the last equal one, and ticks since the last of them.
    in_vain: u32,
    reconciled: u32,
    /// The last time that the ends were equal, they held the same, and what they made of it was not compared.
    held_only: bool,
    /// Ticks until what was in doubt here should be judged.
    in_doubt: u32,
    /// Since which tick the ends judge the same differently.
    judged_differently: Option<u64>,
}

impl Verifying {
    pub fn unsettle(&mut self) {
        self.unsettled = true;
    }

    /// Something was found here that is to be judged as soon as the other end has answered.
    pub fn doubt(&mut self) {
        self.in_doubt = DOUBT_TICKS;
    }

    pub fn tick(&mut self) {
        self.in_doubt = self.in_doubt.saturating_sub(1);
        self.ticks = self.ticks.map(|t| t.saturating_add(1));
        self.reconciled = self.reconciled.saturating_add(1);
        self.came = 0;
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub fn verified_at(&self) -> Option<u64> {
        self.verified_at
    }

    pub fn equal_since(&self) -> Option<u64> {
        self.equal_since
    }

    pub fn held_only(&self) -> bool {
        self.held_only
    }

    pub fn judged_differently(&self) -> Option<u64> {
        self.judged_differently
    }

    pub fn mismatches(&self) -> u64 {
        self.mismatches
    }

    fn is_due(&self) -> bool {
        let since = self.ticks.unwrap_or(u32::MAX);
        let pause = pause(self.disagreed);
        let is_time = since >= INTERVAL_TICKS.max(pause) || (self.unsettled && since >= pause);
        // Whoever is busy is asked again, and not in a circle as fast as the line carries it.
        let may_ask = !self.asking && (!self.moved_on || since >= 1);
        may_ask && (self.wanted || (is_time && !self.to_reconcile))
    }

    /// Whether to reconcile now; if so it has begun. What reconciling does not mend is not reconciled again and again. Whether it did is asked at once, or what goes
    /// wrong later would count as not mended.
    fn take_turn_to_reconcile(&mut self) -> bool {
        let may = self.to_reconcile && (self.in_vain == 0 || self.reconciled >= pause(self.in_vain));
        if may {
            (self.to_reconcile, self.reconciled) = (false, 0);
            self.in_vain += 1;
        }
        may
    }
}

/// Each time the wait doubles.
fn pause(times: u32) -> u32 {
    1 << times.min(8)
}

impl Link {
    pub fn verify(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.verifying.wanted = true;
        if self.dialer {
            self.pump(shared, out);
        } else if self.phase == Phase::Running {
            // The dialling end asks; this tells it to, and what to ask about. It asks of itself as soon as the link runs.
            self.tell_position_now(shared, out);
            self.send(Frame::Verdict(Verdict::MovedOn), out);
        }
    }

    fn is_quiet(&self, shared: &Shared<'_>) -> bool {
        !shared.apart.is_some_and(Apart::is_counting)
            && shared.is_judged
            && self.verifying.in_doubt == 0
            && !self.reconciling.is_going_on()
            && self.sending.is_quiet(shared.meta.head)
            && self.receiving.is_quiet()
    }

    pub(super) fn pump_checkpoint(&mut self, shared: &Shared<'_>, out: &mut Out) {
        // Something may have come over another link, and concern this one.
        self.verifying.unsettled |= self.verifying.said.is_some_and(|(_, sums)| sums != shared.sums);
        if self.dialer && self.verifying.is_due() && self.is_quiet(shared) {
            self.verifying.asking = true;
            self.verifying.owed = self.verifying.owed.saturating_add(1);
            self.verifying.unsettled = false;
            let (mine, yours) = (self.sending.walked(), self.receiving.through());
            self.stating.ask();
            let (sums, statements) = (shared.sums, self.statements_sum(shared));
            self.verifying.said = Some((shared.now.tick_ms, sums));
            let directory = shared.directory.head();
            self.send(Frame::Checkpoint(Checkpoint { mine, yours, sums, statements, directory }), out);
        }
    }

    pub(super) fn on_checkpoint(&mut self, checkpoint: Checkpoint, shared: &Shared<'_>, out: &mut Out) {
        self.verifying.came += 1;
        if self.verifying.came > CHECKPOINTS_PER_TICK {
            return self.send(Frame::Verdict(Verdict::MovedOn), out);
        }
        let verdict = if !self.is_quiet(shared) || checkpoint.directory != shared.directory.head() {
            // Who judges by another directory may judge differently: it is asked again behind that.
            Verdict::MovedOn
        } else if checkpoint.sums == shared.sums {
            Verdict::Equal
        } else if checkpoint.sums.held == shared.sums.held && checkpoint.sums.records == shared.sums.records {
            if self.judges_as(shared) { Verdict::JudgedDifferently } else { Verdict::HeldEqual }
        } else {
            Verdict::Different
        };
        self.compare_statements(checkpoint.statements, true, shared, out);
        // Whoever wants to know wants to know it of everything that is here.
        self.verifying.wanted &= !self.sending.has_told();
        self.send(Frame::Verdict(verdict), out);
        self.note(verdict, shared, out);
    }

    /// Who declares kinds otherwise, or others, judges otherwise, and says so in its hello.
    fn judges_as(&self, shared: &Shared<'_>) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.hello.kinds == *shared.kinds)
    }

    pub(super) fn on_verdict(&mut self, verdict: Verdict, shared: &Shared<'_>, out: &mut Out) {
        let is_excuse = verdict == Verdict::HeldEqual && self.judges_as(shared);
        let verdict = if is_excuse { Verdict::JudgedDifferently } else { verdict };
        if verdict != Verdict::MovedOn {
            // Each is an alarm, and may begin a reconciliation: not for the asking.
            let Some(owed) = self.verifying.owed.checked_sub(1) else { return };
            self.verifying.owed = owed;
        }
        self.verifying.moved_on = self.verifying.asking && verdict == Verdict::MovedOn;
        self.verifying.asking = false;
        self.verifying.ticks = Some(0);
        self.stating.hear_verdict();
        if verdict == Verdict::MovedOn {
            self.verifying.unsettled = true;
        } else {
            self.verifying.wanted = false;
        }
        // What moved while the verdict was on its way is asked about again.
        self.note(verdict, shared, out);
        self.verifying.to_reconcile = verdict == Verdict::Different && self.dialer;
        self.mend_soon(out);
        self.pump(shared, out);
    }

    /// Called with each tick too: reconciles if the sums differ and it is time.
    pub(super) fn mend_soon(&mut self, out: &mut Out) {
        if self.verifying.take_turn_to_reconcile() {
            self.reconcile_soon(out);
        }
    }

    fn note(&mut self, verdict: Verdict, shared: &Shared<'_>, out: &mut Out) {
        match verdict {
            Verdict::Equal | Verdict::HeldEqual => {
                let held_only = verdict == Verdict::HeldEqual;
                self.verifying.held_only = held_only;
                let at = self.verifying.said.map_or(shared.now.tick_ms, |(asked, _)| asked);
                self.verifying.verified_at = Some(at);
                self.verifying.equal_since.get_or_insert(at);
                (self.verifying.disagreed, self.verifying.in_vain) = (0, 0);
                self.verifying.judged_differently = None;
                self.notice(|link, peer| Notice::LinkVerified { link, peer, held_only }, out);
            }
            Verdict::JudgedDifferently | Verdict::Different => {
                (self.verifying.verified_at, self.verifying.equal_since) = (None, None);
                self.verifying.mismatches += 1;
                if verdict == Verdict::JudgedDifferently {
                    self.verifying.disagreed += 1;
                    self.verifying.judged_differently.get_or_insert(shared.now.tick_ms);
                }
                let alarm = |link, peer| match verdict {
                    Verdict::Different => Notice::SumsDiffer { link, peer },
                    _ => Notice::JudgedDifferently { link, peer },
                };
                self.notice(alarm, out);
            }
            Verdict::MovedOn => {}
        }
    }
}
