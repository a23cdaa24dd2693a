//! What was acknowledged, kept by the test itself, and the comparison with what every node holds. A command's id is written
//! as its reason, and so it can be found in the history of the record that it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use end_to_end::desk::{Desk, order};
use end_to_end::seats::{code, covers};
use futures::stream::{self, StreamExt as _};
use heliu_client::records::{ChangeStatus, ExecuteRequest, ExecuteResponse};

/// Histories asked for at the same time.
const AT_ONCE: usize = 8;

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// In the order of registration.
    order: Vec<String>,
    members: BTreeMap<String, Entry>,
    refused: BTreeSet<String>,
    answers: u64,
    /// Answers that came only after one had been lost, and those of them that told of the first time.
    late: u64,
    repeated: u64,
}

/// One member: where it began, who may know of it, and the commands that changed it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub home: &'static str,
    invited: BTreeSet<&'static str>,
    commands: BTreeMap<String, String>,
}

impl Entry {
    /// Whether a node of this name is in the audience.
    pub fn is_seen_by(&self, node: &str) -> bool {
        [self.home].iter().chain(&self.invited).any(|village| covers(node, &code(village)))
    }

    pub fn is_invited_by(&self, node: &str) -> bool {
        self.invited.iter().any(|village| covers(node, &code(village)))
    }
}

impl Ledger {
    pub fn members(&self) -> impl DoubleEndedIterator<Item = (&str, &Entry)> {
        self.order.iter().map(|member| (member.as_str(), &self.members[member]))
    }

    pub fn registered(&mut self, member: &str, home: &'static str) {
        let entry = Entry { home, invited: BTreeSet::new(), commands: BTreeMap::new() };
        let before = self.members.insert(member.to_owned(), entry);
        assert!(before.is_none(), "two registrations made one member");
        self.order.push(member.to_owned());
    }

    pub fn shared_with(&mut self, member: &str, village: &'static str) {
        self.entry(member).invited.insert(village);
    }

    pub fn acknowledged_at(&mut self, member: &str, order: &ExecuteRequest) {
        self.entry(member).commands.insert(order.command_id.clone(), order.command.clone());
    }

    fn entry(&mut self, member: &str) -> &mut Entry {
        self.members.get_mut(member).expect("it was registered")
    }

    pub fn answered(&mut self, was_lost: bool, done: &ExecuteResponse) {
        self.answers += 1;
        self.late += u64::from(was_lost);
        self.repeated += u64::from(was_lost && done.repeated);
    }

    pub fn refused(&mut self, order: &ExecuteRequest) {
        self.refused.insert(order.command_id.clone());
    }

    pub fn acknowledged(&self) -> usize {
        self.members.values().map(|entry| entry.commands.len()).sum()
    }

    /// Every acknowledged command is in the history of its member at every entitled node, once and admitted; a refused one
    /// is nowhere; other nodes have never heard of the member.
    pub async fn holds_everywhere(&self, desks: &BTreeMap<&'static str, Desk>) {
        for (name, desk) in desks {
            let listed = desk.list("member").await.len();
            let entitled = self.members.values().filter(|entry| entry.is_seen_by(name)).count();
            assert_eq!(listed, entitled, "members at {name}");
        }
        let faults = self.faults(desks).await;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults[..faults.len().min(20)].join("\n"));
        self.misses_what_was_not_done(desks).await;
    }

    async fn faults(&self, desks: &BTreeMap<&'static str, Desk>) -> Vec<String> {
        let pairs = self.members.iter().flat_map(|(member, entry)| desks.iter().map(move |at| (member, entry, at)));
        let compared: Vec<Option<String>> = stream::iter(pairs)
            .map(|(member, entry, (name, desk))| self.compare(member, entry, name, desk))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        compared.into_iter().flatten().collect()
    }

    /// The comparison can fail: of one member it is told what never happened, and finds that at each node.
    async fn misses_what_was_not_done(&self, desks: &BTreeMap<&'static str, Desk>) {
        let (member, entry) = self.members.first_key_value().expect("somebody was registered");
        let entitled = desks.keys().filter(|name| entry.is_seen_by(name)).count();
        let alone = Ledger { members: BTreeMap::from([(member.clone(), entry.clone())]), ..Ledger::default() };
        let mut lost = alone.clone();
        lost.acknowledged_at(member, &order("record.set", member, &[]));
        assert_eq!(lost.faults(desks).await.len(), entitled, "a lost change is missed wherever it should be");
        let mut twice = alone.clone();
        twice.entry(member).commands.clear();
        assert_eq!(twice.faults(desks).await.len(), entitled, "a change that nobody was told of is found");
        let mut leaked = alone;
        (leaked.entry(member).home, leaked.entry(member).invited) = ("V99", BTreeSet::new());
        let others = entitled - usize::from(desks.contains_key("C"));
        assert_eq!(leaked.faults(desks).await.len(), others, "what is where it should not be is found");
    }

    /// What is wrong with one member at one node.
    async fn compare(&self, member: &str, entry: &Entry, name: &str, desk: &Desk) -> Option<String> {
        let history = desk.history(member).await;
        let Some(history) = history.filter(|_| entry.is_seen_by(name)) else {
            // A node that may know of it and has nothing, or one that may not and has something.
            let holds = desk.history(member).await.is_some();
            return (holds != entry.is_seen_by(name)).then(|| format!("member {member} at {name}: held is {holds}"));
        };
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for change in &history {
            *times.entry(&change.reason).or_default() += 1;
            if change.status() != ChangeStatus::Admitted {
                return Some(format!("change {} at {name} is {:?}", change.leaf, change.status()));
            }
            if self.refused.contains(&change.reason) {
                return Some(format!("{} was refused, and is in the history at {name}", change.command));
            }
        }
        let wrong = entry.commands.iter().find(|(id, _)| times.get(id.as_str()) != Some(&1));
        if let Some((id, command)) = wrong {
            let times = times.get(id.as_str()).copied().unwrap_or_default();
            return Some(format!("{command} {id} was acknowledged, and is {times} times in {member} at {name}"));
        }
        let foreign = times.keys().find(|id| !entry.commands.contains_key(**id));
        foreign.map(|id| format!("{id} was never acknowledged, and is in {member} at {name}"))
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, changes, refused) = (self.members.len(), self.acknowledged(), self.refused.len());
        let Ledger { answers, late, repeated, .. } = self;
        write!(
            f,
            "{answers} answers, {late} of them after a lost one ({repeated} carried out the first time), {refused} refusals; \
             {members} members with {changes} acknowledged changes"
        )
    }
}
