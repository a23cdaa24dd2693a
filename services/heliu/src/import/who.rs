//! Which record a row is about: by its number, else by its name, the place where it belongs, and a day. Of too little nobody is
//! guessed: who could be several is told with all of them, and a namesake is somebody else.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{StreamExt as _, TryStreamExt as _};
use heliu_client::Client;
use heliu_client::records::{Record, RecordState, RevealRequest};
use heliu_client::schema::{Argument, SchemaLabel};
use serde_json::Value;

use super::compare::{Candidate, Days, Says, days, is_there, says};
use super::form::Form;
use super::refer::Known;
use super::rows::{BadRow, Row};
use super::sending::References;
use crate::cli::Namesakes;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::render::{short, view_of};
use crate::text::{Say, clean, say};
use crate::which::has_ended;

/// Records of which what is sealed is opened at once.
const REVEALED_AT_ONCE: usize = 16;
/// Of more candidates only the first are shown.
const SHOWN: usize = 4;

/// What was found for a row.
#[derive(Debug)]
pub enum Found<'c> {
    /// Nobody; and others of the name, from whom the row is told apart.
    None(Vec<&'c Candidate>),
    One(&'c Candidate),
    /// It may be somebody who is there: what is to be said, unless this very row was imported before.
    Doubt(BadRow),
}

/// Records that rows may be about, by what these are called.
#[derive(Debug, Default)]
pub struct Candidates {
    all: Vec<Candidate>,
    by_name: BTreeMap<String, Vec<usize>>,
    by_number: BTreeMap<String, Vec<usize>>,
}

impl Candidates {
    /// Those that the node holds of the names and the numbers of these rows.
    pub async fn of(client: &Client, form: &Form<'_>, rows: &[Row]) -> Result<Self, Failure> {
        let number = form.number();
        let numbers = rows.iter().filter_map(|row| row.values.get(&number?.name));
        let names = rows.iter().map(Row::name).collect();
        let number = number.map(|column| column.name.as_str());
        let asked = [(Some(find::NAME), names), (number, numbers.map(String::as_str).collect())];
        let mut candidates = Candidates::default();
        let mut seen = BTreeSet::new();
        for (field, texts) in asked {
            let Some(field) = field.filter(|field| find::is_sought(form.kind, field)) else { continue };
            for record in find::saying(client, &form.kind.name, field, &texts).await? {
                // Somebody may be found by both.
                if !seen.insert(record.id.clone()) {
                    continue;
                }
                // What is too long for a list is asked for by itself.
                let whole = if record.cuts.is_empty() { record } else { client.get(&record.id).await? };
                candidates.add(form, &whole);
            }
        }
        Ok(candidates)
    }

    fn add(&mut self, form: &Form<'_>, record: &Record) {
        if record.state() != RecordState::Present {
            return;
        }
        let view = view_of(record);
        let ended = has_ended(form.kind, |name| view.get(name).and_then(Value::as_str).unwrap_or_default());
        self.enter(
            form,
            Candidate {
                id: record.id.clone(),
                seats: record.owners.iter().map(|owner| owner.code.clone()).collect(),
                leaves: record.leaves,
                ended,
                view,
                opened: BTreeMap::new(),
            },
        );
    }

    pub fn enter(&mut self, form: &Form<'_>, candidate: Candidate) {
        let place = self.all.len();
        self.by_name.entry(candidate.name().to_owned()).or_default().push(place);
        if let Some(number) =
            form.number().map(|column| candidate.text(&column.name)).filter(|number| !number.is_empty())
        {
            self.by_number.entry(number.to_owned()).or_default().push(place);
        }
        self.all.push(candidate);
    }

    fn named<'c>(&'c self, name: &str) -> impl Iterator<Item = &'c Candidate> {
        self.by_name.get(name).into_iter().flatten().map(|place| &self.all[*place])
    }

    fn numbered<'c>(&'c self, form: &Form<'_>, row: &Row) -> Vec<&'c Candidate> {
        let number = form.number().and_then(|column| row.values.get(&column.name));
        let places = number.and_then(|number| self.by_number.get(number));
        places.into_iter().flatten().map(|place| &self.all[*place]).collect()
    }

    /// Opens what is sealed in those with which rows are to be compared. Each is in the node's audit log. False: whoever imports
    /// may not read it.
    pub async fn open(
        &mut self,
        client: &Client,
        form: &Form<'_>,
        rows: &[(&Row, &References)],
        known: &Known,
        asker: &RevealRequest,
    ) -> Result<bool, Failure> {
        let sealed: Vec<&str> =
            form.columns.iter().filter(|column| column.sealed).map(|column| column.name.as_str()).collect();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for (row, references) in rows.iter().filter(|(row, _)| sealed.iter().any(|name| row.values.contains_key(*name)))
        {
            let near = self.named(row.name()).filter(|one| is_there(form, one, references, known) != Some(false));
            let near = near.chain(self.numbered(form, row)).filter(|one| one.ended.is_none());
            wanted.extend(
                near.filter(|one| sealed.iter().any(|name| one.view.contains_key(*name))).map(|one| one.id.clone()),
            );
        }
        let asked = wanted.iter().map(|id| {
            let request = RevealRequest { id: id.clone(), ..asker.clone() };
            async move { client.reveal(request).await.map(|fields| (id.clone(), fields)) }
        });
        let opened: Result<Vec<_>, _> =
            futures::stream::iter(asked).buffer_unordered(REVEALED_AT_ONCE).try_collect().await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let failure = Failure::from(error);
                return if failure.exit == Exit::Refused { Ok(false) } else { Err(failure) };
            }
        };
        for (id, fields) in opened {
            let Some(one) = self.all.iter_mut().find(|one| one.id == id) else { continue };
            // Of what this node has no key for it cannot be said that it is the same.
            let whole =
                fields.into_iter().filter(|field| field.locked == 0 && field.values.len() == field.total as usize);
            one.opened = whole.map(|field| (field.field, field.values)).collect();
        }
        Ok(true)
    }

    /// Whom a row is about. What cannot be told is a bad row, with those whom it could be.
    pub fn find<'c>(
        &'c self,
        form: &Form<'_>,
        row: &Row,
        references: &References,
        known: &Known,
        namesakes: Option<Namesakes>,
    ) -> Result<Found<'c>, BadRow> {
        let bad = |column: Option<&Argument>, reason: Say| match column {
            Some(column) => BadRow::of(row.line, column, reason),
            None => BadRow::whole(row.line, reason),
        };
        let number = form.number();
        match self.numbered(form, row)[..] {
            [] => {}
            [one] => {
                return match self.is_bearer(form, row, references, one, known) {
                    Ok(()) => Ok(Found::One(one)),
                    Err(why) => Err(bad(number, said_of(form, one, known, &why))),
                };
            }
            ref several => {
                let (zh, en) = shown(form, several, known);
                return Err(bad(
                    number,
                    say!("节点上有几条记录用这个编号:{zh}", "several records have this number at the node: {en}"),
                ));
            }
        }
        let here: Vec<&Candidate> =
            self.named(row.name()).filter(|one| is_there(form, one, references, known) != Some(false)).collect();
        let verdicts: Vec<(&Candidate, Days)> = here.iter().map(|one| (*one, days(form, row, one))).collect();
        let of = |wanted: Days| -> Vec<&'c Candidate> {
            verdicts.iter().filter(|(_, days)| *days == wanted).map(|(one, _)| *one).collect()
        };
        match (&of(Days::Same)[..], &of(Days::Unknown)[..]) {
            ([one], _) if one.ended.is_some() => Err(bad(None, said_of(form, one, known, &ended(one)))),
            ([one], _) => Ok(Found::One(one)),
            ([], unknown) => {
                let differing = of(Days::Other);
                // Who bears another number is somebody else.
                let has_other = |one: &&Candidate| {
                    number.is_some_and(|number| {
                        let theirs = one.text(&number.name);
                        !theirs.is_empty() && row.values.get(&number.name).is_some_and(|own| own != theirs)
                    })
                };
                let unknown: Vec<&Candidate> =
                    unknown.iter().copied().filter(|one| !has_other(one) && one.ended.is_none()).collect();
                let has_days = form.days().next().is_some();
                match (&unknown[..], namesakes) {
                    ([], _) | (_, Some(Namesakes::New)) => Ok(Found::None(differing)),
                    ([one], Some(Namesakes::Same)) => Ok(Found::One(one)),
                    ([one], None) if !has_days || self.agrees(form, row, references, one, known) => Ok(Found::One(one)),
                    (several, _) => Ok(Found::Doubt(bad(None, could_be(form, several, known, row)))),
                }
            }
            (several, _) => Ok(Found::Doubt(bad(None, could_be(form, several, known, row)))),
        }
    }

    /// Whether the bearer of a row's number is whom it is about. A name that was corrected is shown by the preview; but who has
    /// another name and nothing in common is another.
    fn is_bearer(
        &self,
        form: &Form<'_>,
        row: &Row,
        references: &References,
        one: &Candidate,
        known: &Known,
    ) -> Result<(), Say> {
        if one.ended.is_some() {
            return Err(ended(one));
        }
        let is_here = is_there(form, one, references, known) != Some(false);
        let is_named = one.name() == row.name();
        let days = days(form, row, one);
        let shares = row.name().chars().any(|c| one.name().contains(c));
        match (is_named, is_here) {
            (true, true) => Ok(()),
            (true, false) => Err(say!(
                "这个编号的人在别处;要转到这里,请开组织关系介绍信(member.transfer.issue)或由上级调整(member.reassign)",
                "who has this number belongs elsewhere; a move needs a letter (member.transfer.issue) or a superior (member.reassign)"
            )),
            (false, true) if days == Days::Same || (days == Days::Unknown && shares) => Ok(()),
            (false, _) => Err(say!("这个编号已属于另一人", "this number is already somebody else's")),
        }
    }

    /// Whether a record says all that a row says.
    fn agrees(&self, form: &Form<'_>, row: &Row, references: &References, one: &Candidate, known: &Known) -> bool {
        let differs = |column: &&Argument| {
            row.values.contains_key(&column.name) && says(form, column, row, references, one, known) != Says::Same
        };
        !form.columns.iter().any(|column| differs(&column))
    }
}

fn ended(one: &Candidate) -> Say {
    let SchemaLabel { zh, en } = one.ended.clone().unwrap_or_default();
    say!(
        "此记录已是“{zh}”,不由导入改动或重建",
        "that record has ended ({en}); importing neither changes nor makes it again"
    )
}

fn said_of(form: &Form<'_>, one: &Candidate, known: &Known, why: &Say) -> Say {
    let ((shown_zh, shown_en), Say { zh, en }) = (shown(form, &[one], known), why);
    say!("{zh}:{shown_zh}", "{en}: {shown_en}")
}

fn could_be(form: &Form<'_>, several: &[&Candidate], known: &Known, row: &Row) -> Say {
    let (zh, en) = shown(form, several, known);
    let is_locked = form.days().any(|column| column.sealed && row.values.contains_key(&column.name));
    let (why_zh, why_en) = if is_locked {
        (
            "。出生日期已密封,在此看不到,请在能查看的席位导入,或填编号",
            ". The day of birth is sealed and cannot be read here: import it at a seat that may, or give a number",
        )
    } else {
        ("。请填编号或日期(出生、入党)", ". Give a number or a day (birth, joining)")
    };
    say!(
        "分不清是不是已有的同名者:{zh}{why_zh};确是同一人用 --namesakes same,确是另一人用 --namesakes new",
        "this may be somebody of the name who is there: {en}{why_en}; --namesakes same if it is, --namesakes new if it is not"
    )
}

/// Candidates as people tell them apart. What is sealed is not shown.
fn shown(form: &Form<'_>, candidates: &[&Candidate], known: &Known) -> (String, String) {
    let one = |one: &&Candidate, is_zh: bool| {
        let mut facts = vec![format!("{} {}", short(&one.id), clean(one.name()))];
        let number = form.number().map(|column| one.text(&column.name)).filter(|number| !number.is_empty());
        facts.extend(number.map(clean));
        let place = form
            .place()
            .into_iter()
            .flat_map(|column| form.read_as(column))
            .map(|name| one.text(name))
            .find(|id| !id.is_empty());
        facts.extend(place.map(|id| known.name(id).map_or_else(|| short(id), clean)));
        for column in form.days().filter(|column| !column.sealed && !one.text(&column.name).is_empty()) {
            let label = if is_zh { &column.label.zh } else { &column.label.en };
            facts.push(format!("{label} {}", clean(one.text(&column.name))));
        }
        facts.join(", ")
    };
    let all = |is_zh| {
        let mut told: Vec<String> = candidates.iter().take(SHOWN).map(|candidate| one(candidate, is_zh)).collect();
        if candidates.len() > SHOWN {
            told.push("…".to_owned());
        }
        told.join(if is_zh { ";" } else { "; " })
    };
    (all(true), all(false))
}

#[cfg(test)]
mod tests;
