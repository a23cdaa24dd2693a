//! What becomes of each row, before anything is written: what it is about, what it would change, and whether the node would take
//! that. The node is asked by trials, so that whatever a command refuses is refused here.

use std::collections::BTreeMap;

use heliu_client::records::{ExecuteRequest, RevealRequest};
use heliu_client::schema::{Argument, SchemaLabel, ValueType};
use heliu_client::{Client, Schema};
use heliu_record::hash::hash16;

use super::compare::{Candidate, Says, says};
use super::fate::{Change, Fate, Planned, command, of_the_node, refused, said};
use super::form::Form;
use super::refer::Referring;
use super::rows::{BadRow, Row};
use super::sending::{self, Attempt, By, Outcome, Progress, Reference, References, is_refused};
use super::who::{Candidates, Found};
use crate::cli::Namesakes;
use crate::failure::Failure;
use crate::text::{Say, clean, say};

/// So many rows may say the same but for what is sealed in them, and so often may what a row made have been erased.
const ATTEMPTS_MAX: u32 = 8;

/// How somebody wants rows to be taken.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub by: By,
    pub namesakes: Option<Namesakes>,
    /// What is sealed is written even if it cannot be compared.
    pub overwrites_sealed: bool,
    /// What was erased is made again.
    pub anew: bool,
}

/// What an earlier row came to.
#[derive(Clone, Debug)]
enum Made {
    There(String),
    Planned,
    Refused(u64),
}

pub struct Planner<'p> {
    client: &'p Client,
    schema: &'p Schema,
    form: &'p Form<'p>,
    wanted: &'p Wanted,
    pub referring: Referring,
    made: Vec<Made>,
    /// Lines of rows by whom they are about, as digests.
    seen: BTreeMap<[u8; 16], u64>,
    /// How many rows of the file said the same.
    same: BTreeMap<[u8; 16], u32>,
    /// Whether whoever imports may read what is sealed.
    may_read: bool,
}

impl<'p> Planner<'p> {
    pub fn new(client: &'p Client, schema: &'p Schema, form: &'p Form<'p>, wanted: &'p Wanted) -> Self {
        Planner {
            client,
            schema,
            form,
            wanted,
            referring: Referring::default(),
            made: Vec::new(),
            seen: BTreeMap::new(),
            same: BTreeMap::new(),
            may_read: true,
        }
    }

    /// What becomes of the next rows.
    pub async fn plan(&mut self, rows: &[Row], progress: &mut Progress) -> Result<Vec<Planned>, Failure> {
        let references = self.referring.refer(self.client, self.schema, self.form, rows).await?;
        let mut candidates = Candidates::of(self.client, self.form, rows).await?;
        if self.may_read {
            let named: Vec<(&Row, &References)> =
                rows.iter().zip(&references).filter_map(|(row, found)| Some((row, found.as_ref().ok()?))).collect();
            let asker = RevealRequest {
                who: self.wanted.by.who.clone(),
                why: self.wanted.by.reason.clone(),
                ..RevealRequest::default()
            };
            self.may_read = candidates.open(self.client, self.form, &named, &self.referring.known, &asker).await?;
        }
        let mut planned = Vec::with_capacity(rows.len());
        for (row, references) in rows.iter().zip(&references) {
            let mut doubt = None;
            let (id, fate, notes) = self.row(row, references, &candidates, &mut doubt);
            self.made.push(match &fate {
                Fate::Refused(_) => Made::Refused(row.line),
                Fate::Created(_) => Made::Planned,
                Fate::Updated { .. } | Fate::Unchanged => Made::There(id.clone()),
            });
            planned.push(Planned { line: row.line, name: row.name().to_owned(), id, fate, notes, doubt });
        }
        let found: Vec<&References> = references.iter().map(|found| found.as_ref().unwrap_or(&NOTHING)).collect();
        self.try_out(rows, &found, &mut planned, progress).await?;
        Ok(planned)
    }

    fn row(
        &mut self,
        row: &Row,
        references: &Result<References, Vec<BadRow>>,
        candidates: &Candidates,
        doubt: &mut Option<BadRow>,
    ) -> (String, Fate, Vec<Say>) {
        let refused = |bad: Vec<BadRow>| (String::new(), Fate::Refused(bad), Vec::new());
        let references = match references {
            Ok(references) => references,
            Err(bad) => return refused(bad.clone()),
        };
        let held = references.values().flatten().find_map(|reference| match reference {
            Reference::Row(place) => match self.made.get(*place) {
                Some(Made::Refused(line)) => Some(*line),
                _ => None,
            },
            Reference::Known(_) | Reference::Over(..) => None,
        });
        if let Some(line) = held {
            return refused(vec![BadRow::whole(
                row.line,
                say!("所属的第 {line} 行没有被接受", "it belongs to line {line}, which is refused"),
            )]);
        }
        let found = match candidates.find(self.form, row, references, &self.referring.known, self.wanted.namesakes) {
            Ok(found) => found,
            Err(bad) => return refused(vec![bad]),
        };
        if let Some(twin) = self.twin(row, references, &found) {
            return refused(vec![twin]);
        }
        let others = match &found {
            Found::None(others) => others.as_slice(),
            Found::One(_) | Found::Doubt(_) => &[],
        };
        let notes = namesakes_told(others);
        match found {
            Found::None(_) | Found::Doubt(_) => {
                if let Found::Doubt(bad) = found {
                    *doubt = Some(bad);
                }
                if let Some(over) = self.over(row, references, |_| true) {
                    return refused(vec![over]);
                }
                let said = said(self.form, row);
                let repetition = self.same.entry(digest(&[&said])).or_default();
                *repetition += 1;
                let attempt = Attempt { repetition: *repetition, erased: 0 };
                (String::new(), Fate::Created(attempt), notes)
            }
            Found::One(one) => match self.changes(row, references, one) {
                Ok((changes, notes)) if changes.is_empty() => (one.id.clone(), Fate::Unchanged, notes),
                Ok((changes, notes)) => (one.id.clone(), Fate::Updated { leaves: one.leaves, changes }, notes),
                Err(bad) => refused(bad),
            },
        }
    }

    /// A row that is about whom an earlier one is about.
    fn twin(&mut self, row: &Row, references: &References, found: &Found<'_>) -> Option<BadRow> {
        let number = self.form.number().and_then(|column| row.values.get(&column.name));
        let place = self.form.place().and_then(|column| references.get(&column.name)).map(|named| format!("{named:?}"));
        let days: Vec<&str> =
            self.form.days().map(|column| row.values.get(&column.name).map_or("", String::as_str)).collect();
        let mut keys: Vec<[u8; 16]> = Vec::new();
        if let Some(number) = number {
            keys.push(digest(&[b"number", number.as_bytes()]));
        }
        match found {
            Found::One(one) => keys.push(digest(&[b"id", one.id.as_bytes()])),
            Found::None(_) | Found::Doubt(_) if number.is_none() => {
                let mut said: Vec<&[u8]> = vec![b"who", row.name().as_bytes()];
                let place = place.unwrap_or_default();
                said.push(place.as_bytes());
                said.extend(days.iter().map(|day| day.as_bytes()));
                keys.push(digest(&said));
            }
            Found::None(_) | Found::Doubt(_) => {}
        }
        let first = keys.iter().find_map(|key| self.seen.get(key).copied());
        keys.into_iter().for_each(|key| {
            self.seen.entry(key).or_insert(row.line);
        });
        let line = first?;
        Some(BadRow::whole(
            row.line,
            say!(
                "与第 {line} 行是同一个(编号,或名称与日期相同)",
                "it is the one of line {line} (by its number, or its name and days)"
            ),
        ))
    }

    /// What a row would add to something that has ended.
    fn over(&self, row: &Row, references: &References, counts: impl Fn(&Argument) -> bool) -> Option<BadRow> {
        self.form.columns.iter().filter(|column| counts(column)).find_map(|column| {
            references.get(&column.name)?.iter().find_map(|reference| match reference {
                Reference::Over(_, why) => Some(BadRow::of(row.line, column, why.clone())),
                Reference::Known(_) | Reference::Row(_) => None,
            })
        })
    }

    /// The cells that say something else than the record, and what else is to be told.
    fn changes(
        &self,
        row: &Row,
        references: &References,
        one: &Candidate,
    ) -> Result<(Vec<Change>, Vec<Say>), Vec<BadRow>> {
        let (mut changes, mut notes, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for column in self.form.columns.iter() {
            let SchemaLabel { zh: label, en: _ } = &column.label;
            let name = &column.name;
            let Some(own) = row.values.get(name) else { continue };
            let old = match says(self.form, column, row, references, one, &self.referring.known) {
                Says::Same => continue,
                Says::Made(place) if matches!(self.made.get(place), Some(Made::There(id)) if self.says_id(column, one, id)) =>
                {
                    continue;
                }
                Says::Sealed if !self.wanted.overwrites_sealed => {
                    notes.push(say!(
                        "{label}已密封,您无权查看,不知是否相同,未改;确要写入用 --overwrite-sealed",
                        "{name} is sealed and you may not read it: whether it differs is not known, and it is left as it is; --overwrite-sealed writes it"
                    ));
                    continue;
                }
                Says::Sealed | Says::Made(_) => String::new(),
                Says::Other(old) => old,
            };
            let Some(field) = self.form.field(column) else {
                let old = self.spoken(column, &old);
                let (zh, en) = (&old.zh, &old.en);
                bad.push(BadRow::of(
                    row.line,
                    column,
                    say!(
                        "记录上是“{zh}”,导入不改归属;请办理转接或由上级调整",
                        "the record says {en}; importing moves nothing: use a letter, or have a superior do it"
                    ),
                ));
                continue;
            };
            if let Some(over) = self.over(row, references, |other| other.name == column.name) {
                bad.push(over);
                continue;
            }
            let value = match references.get(name) {
                Some(named) => named.iter().filter_map(|reference| self.id_of(reference)).collect::<Vec<_>>().join(","),
                None => own.clone(),
            };
            let (old, new) = if column.sealed {
                Default::default()
            } else {
                (self.spoken(column, &old), self.spoken(column, &value))
            };
            changes.push(Change {
                field: field.name.clone(),
                label: column.label.clone(),
                old,
                new,
                sealed: column.sealed,
                value,
            });
        }
        if bad.is_empty() { Ok((changes, notes)) } else { Err(bad) }
    }

    fn says_id(&self, column: &Argument, one: &Candidate, id: &str) -> bool {
        self.form.read_as(column).into_iter().any(|name| one.text(name) == id)
    }

    fn id_of(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Known(id) | Reference::Over(id, _) => Some(id.clone()),
            Reference::Row(place) => match self.made.get(*place) {
                Some(Made::There(id)) => Some(id.clone()),
                _ => None,
            },
        }
    }

    /// A value as people read it.
    fn spoken(&self, column: &Argument, value: &str) -> SchemaLabel {
        let plain = |text: &str| SchemaLabel { zh: clean(text), en: clean(text) };
        match &column.value {
            ValueType::Choice(words) => words.iter().find(|word| word.name == value).map(|word| word.label.clone()),
            ValueType::Record(_) | ValueType::Unit(_) => {
                let named = value.split(',').map(|id| {
                    self.referring.known.name(id).map_or_else(|| id.chars().take(8).collect(), str::to_owned)
                });
                Some(plain(&named.collect::<Vec<String>>().join(", ")))
            }
            _ => None,
        }
        .or_else(|| self.form.field(column).and_then(|field| Some(field.state(value)?.label.clone())))
        .unwrap_or_else(|| plain(value))
    }

    /// Asks the node whether it would take all this. Of a row whose id stands for another one the next is tried.
    async fn try_out(
        &mut self,
        rows: &[Row],
        references: &[&References],
        planned: &mut [Planned],
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut waiting: Vec<usize> = (0..rows.len()).collect();
        for attempt in 0..=ATTEMPTS_MAX {
            let mut asked: Vec<(usize, ExecuteRequest)> = Vec::new();
            for at in waiting.drain(..) {
                let made = |place: usize| match self.made.get(place) {
                    Some(Made::There(id)) => Some(id.clone()),
                    _ => None,
                };
                // What names a record that is not there yet is judged when that is.
                if let Some(request) =
                    command(self.form, &rows[at], references[at], &planned[at], &self.wanted.by, &made)
                {
                    asked.push((at, ExecuteRequest { dry_run: true, ..request }));
                }
            }
            if asked.is_empty() {
                return Ok(());
            }
            let (places, requests): (Vec<usize>, Vec<ExecuteRequest>) = asked.into_iter().unzip();
            let outcomes = sending::give(self.client, requests, progress).await?;
            for (at, outcome) in places.into_iter().zip(outcomes) {
                if let Some(failure) = outcome.as_ref().err().and_then(of_the_node) {
                    return Err(failure);
                }
                if self.judge(&rows[at], &mut planned[at], outcome, attempt == ATTEMPTS_MAX) {
                    waiting.push(at);
                }
            }
        }
        Ok(())
    }

    /// What a trial came to; whether the row is to be tried once more.
    fn judge(&self, row: &Row, planned: &mut Planned, outcome: Outcome, is_last: bool) -> bool {
        if let Fate::Created(attempt) = &mut planned.fate {
            let is_other = is_refused(&outcome, "command_id_reused")
                || (is_refused(&outcome, "already_made") && (!planned.notes.is_empty() || planned.doubt.is_some()));
            if is_other && !is_last {
                attempt.repetition += 1;
                return true;
            }
            if is_refused(&outcome, "erased") && self.wanted.anew && !is_last {
                attempt.erased += 1;
                return true;
            }
        }
        match outcome {
            Ok(done) if done.repeated => {
                planned.id = done.created.into_iter().next().unwrap_or_default();
                planned.fate = Fate::Unchanged;
                planned.notes = if planned.doubt.is_some() { Vec::new() } else { vec![made_before()] };
            }
            Ok(_) => {
                if let Some(doubt) = planned.doubt.take() {
                    planned.fate = Fate::Refused(vec![doubt]);
                }
            }
            Err(error) if error.reason() == "already_made" => {
                planned.fate = Fate::Unchanged;
                planned.notes = vec![made_before()];
            }
            Err(error) => planned.fate = Fate::Refused(vec![refused(self.form, row.line, &error)]),
        }
        false
    }
}

static NOTHING: References = References::new();

fn made_before() -> Say {
    say!(
        "此行以前已导入,记录后来有改动,保持不变",
        "this very row was imported before; its record was changed since, and stays as it is"
    )
}

fn namesakes_told(others: &[&Candidate]) -> Vec<Say> {
    let Some(first) = others.first() else { return Vec::new() };
    let (number, id) = (others.len(), crate::render::short(&first.id));
    vec![say!(
        "同处已有 {number} 名同名者(如 {id}),日期不同,作为另一人新建",
        "{number} of this name are there already (as {id}), with other days: taken for another person"
    )]
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    hash16("heliu import row 1", parts)
}
