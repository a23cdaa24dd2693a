//! The people who write: they register, edit and transfer members at their own node, and insist on an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use end_to_end::desk::{Desk, order};
use end_to_end::patience::PATIENCE;
use end_to_end::seats::{code, covers};
use heliu_catalogue::synthetic::SplitMix;
use heliu_client::Error;
use heliu_client::records::{ExecuteRequest, ExecuteResponse};

use super::ledger::Ledger;

/// What all clerks know: the branches, who was registered where, and what was acknowledged.
#[derive(Clone)]
pub struct Office {
    branches: Arc<BTreeMap<&'static str, String>>,
    desk: Arc<Mutex<Ledger>>,
    closed: Arc<AtomicBool>,
}

impl Office {
    pub fn open(branches: BTreeMap<&'static str, String>) -> Self {
        Office { branches: Arc::new(branches), desk: Arc::default(), closed: Arc::default() }
    }

    /// From now on clerks finish what they are at, and go.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.desk.lock().expect("no clerk has failed")
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }
}

pub struct Clerk {
    node: &'static str,
    desk: Desk,
    office: Office,
    dice: SplitMix,
    written: u64,
}

impl Clerk {
    pub fn new(node: &'static str, desk: Desk, office: Office, seed: u64) -> Self {
        Clerk { node, desk, office, dice: SplitMix(seed), written: 0 }
    }

    pub async fn works(mut self) {
        while self.office.is_open() {
            match self.dice.below(10) {
                0..4 => self.registers().await,
                4..7 => self.edits().await,
                7..9 => self.issues_a_letter().await,
                _ => self.receives().await,
            }
            tokio::time::sleep(Duration::from_millis(10 + self.dice.below(60))).await;
        }
    }

    /// A village that is this node's business.
    fn village(&mut self) -> &'static str {
        let own: Vec<_> =
            self.office.branches.keys().copied().filter(|village| covers(self.node, &code(village))).collect();
        own[self.below(own.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.dice.below(bound as u64)).unwrap_or(0)
    }

    /// A member that this node should know; one of the latest, whom others are busy with as well.
    fn member(&mut self, fits: impl Fn(&super::ledger::Entry) -> bool) -> Option<String> {
        let known: Vec<String> = {
            let ledger = self.office.ledger();
            let fitting = ledger.members().filter(|(_, entry)| fits(entry)).rev();
            fitting.take(12).map(|(member, _)| member.to_owned()).collect()
        };
        if known.is_empty() { None } else { Some(known[self.below(known.len())].clone()) }
    }

    async fn registers(&mut self) {
        self.written += 1;
        let (village, name) = (self.village(), format!("测试{:06}", self.dice.below(1_000_000)));
        let branch = self.office.branches[village].clone();
        let order = order("member.register", "", &[("name", &name), ("branch", &branch)]);
        if let Some(done) = self.gives(&order).await {
            let member = done.created.first().expect("it makes a member");
            self.office.ledger().registered(member, village);
            self.office.ledger().acknowledged_at(member, &order);
        }
    }

    async fn edits(&mut self) {
        let node = self.node;
        let Some(member) = self.member(|entry| entry.is_seen_by(node)) else { return };
        let number = self.dice.below(1_000_000);
        let (field, value) = match self.dice.below(3) {
            0 => ("name", format!("测试{number:06}")),
            1 => ("member_no", format!("{node}-{number}")),
            _ => ("full_on", format!("20{:02}-07-01", number % 25)),
        };
        let order = order("record.set", &member, &[("field", field), ("value", &value)]);
        if self.gives(&order).await.is_some() {
            self.office.ledger().acknowledged_at(&member, &order);
        }
    }

    async fn issues_a_letter(&mut self) {
        let node = self.node;
        let Some(member) = self.member(|entry| covers(node, &code(entry.home))) else { return };
        let villages: Vec<&'static str> = self.office.branches.keys().copied().collect();
        let to = villages[self.below(villages.len())];
        let branch = self.office.branches[to].clone();
        let order = order("member.transfer.issue", &member, &[("to_org", &branch), ("to_seat", &code(to))]);
        if self.gives(&order).await.is_some() {
            self.office.ledger().shared_with(&member, to);
            self.office.ledger().acknowledged_at(&member, &order);
        }
    }

    async fn receives(&mut self) {
        let node = self.node;
        let Some(member) = self.member(|entry| entry.is_invited_by(node)) else { return };
        let order = order("member.transfer.receive", &member, &[]);
        if self.gives(&order).await.is_some() {
            self.office.ledger().acknowledged_at(&member, &order);
        }
    }

    /// Gives a command until there is an answer; now and then the clerk does not wait for it, or asks again although it came.
    /// None if it was refused, by a rule or because the record has not arrived here.
    async fn gives(&mut self, order: &ExecuteRequest) -> Option<ExecuteResponse> {
        let order = ExecuteRequest { reason: order.command_id.clone(), ..order.clone() };
        let mut patience = if self.dice.below(10) == 0 { Duration::from_millis(self.dice.below(4)) } else { LONG };
        let mut lost = false;
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "{} gets no answer at {}: {order:?}", order.command_id, self.node);
            let answer = tokio::time::timeout(patience, self.desk.client.execute(order.clone())).await;
            patience = LONG;
            match answer {
                Ok(Ok(done)) => {
                    self.office.ledger().answered(lost, &done);
                    if self.dice.below(10) == 0 {
                        self.asks_again(&order, &done).await;
                    }
                    return Some(done);
                }
                Ok(Err(Error::Refused { refusal })) if !NOT_NOW.contains(&refusal.reason.as_str()) => {
                    self.office.ledger().refused(&order);
                    return None;
                }
                Ok(Err(Error::Address { .. } | Error::Foreign { .. })) => panic!("there is a node: {answer:?}"),
                // Killed, or killed before it could say: nobody knows whether it was carried out.
                Ok(Err(_)) | Err(_) => {
                    lost = true;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn asks_again(&mut self, order: &ExecuteRequest, done: &ExecuteResponse) {
        if let Ok(again) = self.desk.client.execute(order.clone()).await {
            assert!(again.repeated, "it had been carried out: {again:?}");
            assert_eq!((&again.created, &again.result), (&done.created, &done.result));
        }
    }
}

/// Longer than any answer takes.
const LONG: Duration = Duration::from_secs(20);
/// Refusals of a node that is on its way out or in, not of the command.
const NOT_NOW: [&str; 3] = ["shutting_down", "stopped", "store_failed"];
