//! Commands of rows, to a node: many at a time, each by itself. What a command's id follows from is here, so that a file that is given
//! again makes nothing twice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt as _};
use heliu_client::records::{ExecuteRequest, ExecuteResponse};
use heliu_client::schema::Argument;
use heliu_client::{Client, Error};
use heliu_record::hash::hash16;
use heliu_record::id::to_hex;

use crate::out::{Stream, complain};
use crate::text::{Say, count, tr};

/// Commands of one call: the node makes few commits of what comes together.
const EACH: usize = 256;
/// Calls under way at once: the node works on one while the next is on its way.
const AT_ONCE: usize = 2;

/// What a value that names something stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A value as the node takes it.
    Known(String),
    /// A record that has ended, and what is said to whoever wants to add to it.
    Over(String, Say),
    /// The record that an earlier row makes, by its place among the rows.
    Row(usize),
}

/// By the name of the argument: a list has several.
pub type References = BTreeMap<String, Vec<Reference>>;

/// Who imports, and why.
#[derive(Clone, Debug, Default)]
pub struct By {
    pub who: String,
    pub reason: String,
    /// In the name of which seat; empty: the node's own.
    pub on_behalf: String,
}

/// Which id a row's command has, of those that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// Which row it is of those that say the same (but for what is sealed), from 1.
    pub repetition: u32,
    /// How often what it made was erased.
    pub erased: u32,
}

/// What a row says, in one encoding. What is to be sealed is left out: ids are made of this, and who carries a record could
/// try every telephone number until its id comes out.
pub fn said(command: &str, columns: &[Argument], values: &BTreeMap<String, String>) -> Vec<u8> {
    let mut said = command.as_bytes().to_vec();
    let is_sealed = |name: &str| columns.iter().any(|column| column.name == name && column.sealed);
    for (name, value) in values.iter().filter(|(name, _)| !is_sealed(name)) {
        for part in [name.as_bytes(), value.as_bytes()] {
            said.extend_from_slice(&(part.len() as u64).to_le_bytes());
            said.extend_from_slice(part);
        }
    }
    said
}

/// The id of the command of a row that says this. The node mixes a secret into it, so that nobody else reckons it.
pub fn command_id(said: &[u8], attempt: Attempt) -> String {
    let (repetition, erased) = (u64::from(attempt.repetition), u64::from(attempt.erased));
    to_hex(&hash16("heliu import 2", &[said, &repetition.to_le_bytes(), &erased.to_le_bytes()]))
}

/// The id of the command that corrects a record which has so many changes: once it is carried out, there is one more.
pub fn update_id(record: &str, leaves: u32, line: u64, said: &[u8]) -> String {
    to_hex(&hash16("heliu import update 1", &[record.as_bytes(), &leaves.to_le_bytes(), &line.to_le_bytes(), said]))
}

pub fn request(
    command: &str,
    subject: &str,
    arguments: BTreeMap<String, String>,
    command_id: String,
    by: &By,
) -> ExecuteRequest {
    ExecuteRequest {
        command: command.to_owned(),
        subject: subject.to_owned(),
        arguments: arguments.into_iter().collect(),
        command_id,
        guessable_id: true,
        dry_run: false,
        who: by.who.clone(),
        reason: by.reason.clone(),
        on_behalf: by.on_behalf.clone(),
    }
}

/// A node that has just joined gets the secret of ids within seconds: so long it is waited for.
const SECRET_ATTEMPTS: u32 = 40;
const SECRET_PAUSE: Duration = Duration::from_millis(250);

pub type Outcome = Result<ExecuteResponse, Error>;

/// Gives commands, in calls of many: what became of each, in their order. Of a call that failed nothing is known, and the first
/// such failure ends it.
pub async fn give(
    client: &Client,
    requests: Vec<ExecuteRequest>,
    progress: &mut Progress,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes: Vec<Option<Vec<Outcome>>> = Vec::new();
    let (mut queue, mut under_way) = (requests.chunks(EACH).enumerate(), FuturesUnordered::new());
    outcomes.resize_with(requests.len().div_ceil(EACH), || None);
    let mut failed = None;
    loop {
        while failed.is_none()
            && under_way.len() < AT_ONCE
            && let Some((at, requests)) = queue.next()
        {
            under_way.push(async move { (at, call(client, requests).await) });
        }
        let Some((at, answer)) = under_way.next().await else { break };
        match answer {
            Ok(answer) => {
                progress.add(answer.len());
                outcomes[at] = Some(answer);
            }
            // What is under way is waited for.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or_else(|| Ok(outcomes.into_iter().flatten().flatten().collect()), Err)
}

async fn call(client: &Client, requests: &[ExecuteRequest]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = client.execute_each(requests.to_vec()).await?;
    for attempt in 0..SECRET_ATTEMPTS {
        if !outcomes.iter().any(|outcome| is_refused(outcome, "no_secret_of_ids")) {
            break;
        }
        if attempt == 0 {
            complain(&tr!(
                "本节点尚无编号密钥,等待上级发来(最多 10 秒)…\n",
                "this node has not got the secret of ids yet: waiting for it to come from the superior (10 seconds at most)...\n"
            ));
        }
        tokio::time::sleep(SECRET_PAUSE).await;
        outcomes = client.execute_each(requests.to_vec()).await?;
    }
    Ok(outcomes)
}

pub fn is_refused(outcome: &Outcome, why: &str) -> bool {
    outcome.as_ref().is_err_and(|error| error.reason() == why)
}

/// As wide as what is told of progress ever is.
const PROGRESS_COLUMNS: usize = 60;

/// A line on standard error that is written over; nothing where there is no terminal.
pub struct Progress {
    what: Say,
    done: u64,
    live: bool,
    shown: Option<Instant>,
}

impl Progress {
    /// Of what is done, as it is told.
    pub fn new(what: Say) -> Self {
        Progress { what, done: 0, live: Stream::Err.is_terminal(), shown: None }
    }

    fn add(&mut self, rows: usize) {
        const PAUSE: Duration = Duration::from_millis(100);
        self.done += rows as u64;
        if !self.live || self.shown.is_some_and(|shown| shown.elapsed() < PAUSE) {
            return;
        }
        self.shown = Some(Instant::now());
        let (what, done) = (self.what.now(), count(self.done));
        let said = tr!("{what} {done} 行", "{what} {done} rows");
        let _ = Stream::Err.write_over(PROGRESS_COLUMNS, &format!("  {said}"));
    }

    /// Leaves an empty line.
    pub fn end(&self) {
        if self.live && self.shown.is_some() {
            let _ = Stream::Err.write_over(PROGRESS_COLUMNS, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_follows_from_what_is_to_be_sealed() {
        let schema = crate::served::schema();
        let command = schema.command("member.register").expect("it is declared");
        let row = |name: &str, contact: &str| {
            said(
                &command.name,
                &command.arguments,
                &[("name", name), ("contact", contact)].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            )
        };
        assert_eq!(row("王红", "13800001234"), row("王红", "13900005678"));
        assert_ne!(row("王红", "13800001234"), row("李明", "13800001234"));
    }

    #[test]
    fn a_correction_that_is_taken_back_and_made_again_is_another_command() {
        assert_eq!(update_id("ab", 3, 2, b"name=x"), update_id("ab", 3, 2, b"name=x"));
        assert_ne!(update_id("ab", 3, 2, b"name=x"), update_id("ab", 5, 2, b"name=x"));
    }
}
