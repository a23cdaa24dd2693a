//! The people at a machine: what they might ask for, from what they see there. Much of it is refused, as in life.

use heliu_catalogue::catalogue;
use heliu_record::command::{Command, FIELD_ARGUMENT, KIND_ARGUMENT, Makes, Request, STATE_ARGUMENT, Subject};
use heliu_record::conflict::Conflict;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{Field, Kind, Merge, ValueType};
use heliu_replication::{Input, Ticket};
use heliu_storage::RecordRow;
use serde_json::Value;

use super::World;
use super::county::TO_COME;
use crate::dice::Dice;

impl World {
    /// Something that this machine shows, for somebody who erases.
    pub fn something_to_erase(&self, machine: usize, dice: &mut Dice) -> Option<RecordId> {
        let rows = self.machines[machine].disk.present();
        dice.pick(&rows).map(|row| row.id)
    }

    /// Somebody at this machine erases a record, if he may.
    pub fn somebody_erases(&mut self, machine: usize, record: RecordId) {
        let ticket = Ticket(self.next_ticket());
        let (who, role, reason) = ("registrar".to_owned(), "registry".to_owned(), String::new());
        self.feed_input(machine, Input::Erase { ticket, record, who, role, reason });
    }
}

/// Explicit, so that what people decide does not follow from a wrong clock.
const DAYS: [&str; 4] = ["2026-02-01", "2026-03-01", "2026-03-03", "2026-04-01"];

/// What one machine shows, and chance.
struct Desk<'w> {
    world: &'w mut World,
    machine: usize,
    rows: Vec<RecordRow>,
    dice: Dice,
}

impl World {
    /// What somebody at this machine might ask for now.
    pub fn something_to_ask(&mut self, machine: usize, dice: &mut Dice) -> Option<Request> {
        if !self.machines[machine].runs() {
            return None;
        }
        let rows = self.machines[machine].disk.present();
        let dice = dice.fork();
        Desk { world: self, machine, rows, dice }.choose()
    }
}

impl Desk<'_> {
    fn choose(&mut self) -> Option<Request> {
        if self.of("org").is_empty() && self.dice.chance(30) {
            return self.create_org();
        }
        match self.dice.below(100) {
            0..2 => self.create_org(),
            2..14 => self.register(),
            14..16 | 20..26 => self.anything(),
            16..20 | 26..30 => self.rename(),
            30..33 => self.set_field(),
            33..46 => self.issue(),
            46..59 => self.receive(),
            59..61 => self.on_member("member.transfer.cancel"),
            61..63 => self.on_member("member.transfer.return"),
            63..66 => self.reassign(),
            66..68 => self.form_joint(),
            68..70 => self.dissolve(),
            70..73 => self.set_parent(),
            73..74 => self.guide(),
            74..78 => self.form_alliance(),
            78..81 => self.in_alliance("alliance.join", "org", "org"),
            81..83 => self.in_alliance("alliance.leave", "org", "org"),
            83..85 => self.offer(),
            85..87 => self.in_alliance("alliance.add_resource", "resource", "resource"),
            87..90 => self.book(),
            90..93 => self.answer_booking(),
            93..94 => self.withdraw(),
            94..95 => self.decide(),
            95..98 => self.settle(),
            _ => self.anything(),
        }
    }

    fn of(&self, kind: &str) -> Vec<RecordId> {
        self.rows.iter().filter(|row| row.preimage.kind == kind).map(|row| row.id).collect()
    }

    fn any(&mut self, kind: &str) -> Option<RecordId> {
        let all = self.of(kind);
        self.dice.pick(&all).copied()
    }

    /// A record that shows what is looked for, if there is one.
    fn any_with(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Option<(RecordId, Value)> {
        let view = |row: &RecordRow| serde_json::from_slice::<Value>(&row.view).unwrap_or_default();
        let rows = self.rows.iter().filter(|row| row.preimage.kind == kind);
        let all: Vec<(RecordId, Value)> = rows.map(|row| (row.id, view(row))).filter(|(_, view)| fits(view)).collect();
        let index = self.dice.index(all.len());
        all.into_iter().nth(index)
    }

    /// The seats that this node's directory has.
    fn seats(&self, fits: impl Fn(SeatId) -> bool) -> Vec<SeatId> {
        let directory = self.world.machines[self.machine].engine.as_ref().map(heliu_replication::Engine::directory);
        let seats = directory.into_iter().flat_map(|directory| directory.seats().iter());
        seats.map(|seat| seat.id).filter(|seat| fits(*seat)).collect()
    }

    /// This seat, or one of those below it.
    fn seat_here(&mut self) -> SeatId {
        let own = self.world.machines[self.machine].seat;
        let below = self.seats(|seat| self.world.county.upward(seat).any(|at| at == own));
        self.dice.pick(&below).copied().unwrap_or(own)
    }

    /// Any seat that people have heard of: the directory may learn of it only later, or never.
    fn any_seat(&mut self) -> SeatId {
        let mut seats = self.seats(|_| true);
        if self.dice.chance(20) {
            seats = TO_COME.iter().copied().flatten().map(|name| self.world.county.seat(name)).collect();
        }
        self.dice.pick(&seats).copied().unwrap_or(self.world.machines[self.machine].seat)
    }

    fn name(&mut self, stem: &str) -> String {
        format!("{stem}{:04}", self.dice.below(10_000))
    }

    fn day(&mut self) -> &'static str {
        DAYS[self.dice.index(DAYS.len())]
    }

    fn ask(&mut self, name: &str, subject: Option<RecordId>, arguments: &[(&str, String)]) -> Option<Request> {
        let mut request = self.world.request(name, subject);
        request.arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if self.dice.chance(8) {
            request.on_behalf = Some(self.seat_here());
        }
        Some(request)
    }

    fn create_org(&mut self) -> Option<Request> {
        let (name, seat) = (self.name("支部"), self.seat_here());
        let mut arguments = vec![("name", name), ("seat", seat.to_string())];
        if let Some(parent) = self.any("org").filter(|_| self.dice.chance(50)) {
            arguments.push(("parent_org", parent.to_string()));
        }
        self.ask("org.create", None, &arguments)
    }

    fn register(&mut self) -> Option<Request> {
        let (branch, name, day) = (self.any("org")?, self.name("测试甲"), self.day().to_owned());
        let mut arguments = vec![("name", name), ("branch", branch.to_string()), ("admitted_on", day)];
        if self.dice.chance(40) {
            arguments.push(("contact", self.contact()));
        }
        self.ask("member.register", None, &arguments)
    }

    fn rename(&mut self) -> Option<Request> {
        let all: Vec<RecordId> = self.rows.iter().map(|row| row.id).collect();
        let (subject, value) = (self.dice.pick(&all).copied(), self.name("名"));
        self.ask("record.set", subject, &[("field", "name".to_owned()), ("value", value)])
    }

    /// Something that nobody else types, so that it can be looked for.
    fn contact(&mut self) -> String {
        format!("密{:012}", self.dice.below(1_000_000_000_000))
    }

    fn set_field(&mut self) -> Option<Request> {
        let (kind, field, value) = match self.dice.below(8) {
            4..6 => ("member", "contact", self.contact()),
            6 => ("member", "person_digest", self.contact()),
            0 => ("org", "org_kind", ["village", "enterprise"][self.dice.index(2)].to_owned()),
            1 => ("member", "member_no", self.name("")),
            2 => ("resource", "capacity", self.dice.below(500).to_string()),
            _ => ("member", "full_on", self.day().to_owned()),
        };
        let subject = self.any(kind)?;
        self.ask("record.set", Some(subject), &[("field", field.to_owned()), ("value", value)])
    }

    fn issue(&mut self) -> Option<Request> {
        let (member, _) = self.any_with("member", |view| view.get("pending").is_none())?;
        let org = self.any("org")?;
        let mut arguments = vec![("to_org", org.to_string())];
        if self.dice.chance(40) {
            // Somewhere whose organisation this node may never have seen.
            arguments.push(("to_seat", self.any_seat().to_string()));
        }
        self.ask("member.transfer.issue", Some(member), &arguments)
    }

    fn receive(&mut self) -> Option<Request> {
        let pending = |view: &Value| view["pending"].as_array().is_some_and(|p| p.contains(&"transfer_pending".into()));
        let (member, _) = self.any_with("member", pending)?;
        let mut arguments = Vec::new();
        if self.dice.chance(50) {
            arguments.push(("seat", self.seat_here().to_string()));
        }
        self.ask("member.transfer.receive", Some(member), &arguments)
    }

    fn on_member(&mut self, name: &str) -> Option<Request> {
        let (member, _) = self.any_with("member", |view| view.get("moves").is_some())?;
        self.ask(name, Some(member), &[])
    }

    fn reassign(&mut self) -> Option<Request> {
        let (member, org) = (self.any("member")?, self.any("org")?);
        self.ask("member.reassign", Some(member), &[("to_org", org.to_string())])
    }

    fn form_joint(&mut self) -> Option<Request> {
        let units = format!("{},{}", self.seat_here(), self.seat_here());
        let name = self.name("联合支部");
        self.ask("joint_branch.form", None, &[("name", name), ("units", units)])
    }

    fn dissolve(&mut self) -> Option<Request> {
        let (org, successor, day) = (self.any("org")?, self.any("org")?, self.day().to_owned());
        let successors = format!("all={successor}");
        self.ask("org.dissolve", Some(org), &[("successors", successors), ("effective_on", day)])
    }

    fn set_parent(&mut self) -> Option<Request> {
        let (org, parent) = (self.any("org")?, self.any("org")?);
        self.ask("org.set_parent", Some(org), &[("parent_org", parent.to_string())])
    }

    fn guide(&mut self) -> Option<Request> {
        let (org, guide) = (self.any("org")?, self.any("org")?);
        let name = if self.dice.chance(60) { "record.add" } else { "record.remove" };
        self.ask(name, Some(org), &[("field", "guidance_orgs".to_owned()), ("element", guide.to_string())])
    }

    fn form_alliance(&mut self) -> Option<Request> {
        let (name, org) = (self.name("联盟"), self.any("org")?);
        let seats = format!("{},{}", self.any_seat(), self.any_seat());
        self.ask("alliance.form", None, &[("name", name), ("convenor", org.to_string()), ("seats", seats)])
    }

    fn in_alliance(&mut self, command: &str, argument: &str, kind: &str) -> Option<Request> {
        let (alliance, record) = (self.any("alliance")?, self.any(kind)?);
        self.ask(command, Some(alliance), &[(argument, record.to_string())])
    }

    fn offer(&mut self) -> Option<Request> {
        let (name, org) = (self.name("礼堂"), self.any("org")?);
        self.ask("resource.offer", None, &[("name", name), ("owner_org", org.to_string())])
    }

    fn book(&mut self) -> Option<Request> {
        let (resource, org) = (self.any("resource")?, self.any("org")?);
        let mut arguments = vec![("org", org.to_string()), ("use_on", self.day().to_owned())];
        if let Some(alliance) = self.any("alliance") {
            arguments.push(("alliance", alliance.to_string()));
        }
        self.ask("booking.request", Some(resource), &arguments)
    }

    fn answer_booking(&mut self) -> Option<Request> {
        let (resource, view) = self.any_with("resource", |view| view.get("bookings").is_some())?;
        let entries: Vec<String> = view["bookings"].as_object()?.keys().cloned().collect();
        let entry = self.dice.pick(&entries)?.clone();
        let name = if self.dice.chance(70) { "booking.confirm" } else { "booking.decline" };
        self.ask(name, Some(resource), &[("booking", entry)])
    }

    fn withdraw(&mut self) -> Option<Request> {
        let resource = self.any("resource")?;
        self.ask("resource.withdraw", Some(resource), &[])
    }

    fn decide(&mut self) -> Option<Request> {
        let (kind, field, states) = match self.dice.below(2) {
            0 => ("org", "lifecycle", ["active", "rectifying", "terminated"]),
            _ => ("member", "stage", ["suspended", "left", "full"]),
        };
        let (subject, state, day) = (self.any(kind)?, states[self.dice.index(3)].to_owned(), self.day().to_owned());
        let arguments = [("field", field.to_owned()), ("state", state), ("effective_on", day)];
        self.ask("record.decide", Some(subject), &arguments)
    }

    /// Any command that the product declares, with whatever its arguments take: what is declared anew is drawn without being named
    /// here.
    fn anything(&mut self) -> Option<Request> {
        let commands: Vec<&Command> = catalogue().commands().collect();
        let command = *self.dice.pick(&commands)?;
        let rows: Vec<(RecordId, String)> = self.rows.iter().map(|row| (row.id, row.preimage.kind.clone())).collect();
        let is_of_kind = |kind: &str| match command.subject {
            Subject::None => false,
            Subject::Any => true,
            Subject::Of(named) => named.name == kind,
        };
        let of_kind: Vec<(RecordId, &str)> =
            rows.iter().filter(|(_, kind)| is_of_kind(kind)).map(|(id, kind)| (*id, kind.as_str())).collect();
        let subject = self.dice.pick(&of_kind).copied();
        let made = match command.makes {
            Makes::Named => Some(*self.dice.pick(&catalogue().kinds().collect::<Vec<_>>())?),
            Makes::Kind(_) | Makes::Nothing => None,
        };
        let about = subject.and_then(|(_, kind)| catalogue().kind(kind)).or(made);
        let fields: Vec<&Field> = about.into_iter().flat_map(Kind::fields).collect();
        let written = self.dice.pick(&fields).copied();
        let subject = subject.map(|(id, _)| id);
        let mut arguments = Vec::new();
        for argument in command.arguments {
            if !argument.required && !self.dice.chance(40) {
                continue;
            }
            let value = match (argument.name, written) {
                (FIELD_ARGUMENT, Some(field)) => Some(field.name.to_owned()),
                ("value" | "element", Some(field)) => self.value(field.value, field.sealed),
                (STATE_ARGUMENT, Some(field)) => self.state(field),
                (KIND_ARGUMENT, _) if made.is_some() => made.map(|kind| kind.name.to_owned()),
                (name, _) => match self.entry(subject, about, name) {
                    None => self.value(argument.value, argument.sealed),
                    entry => entry,
                },
            };
            arguments.extend(value.map(|value| (argument.name, value)));
        }
        for field in fields.into_iter().filter(|_| command.takes_fields) {
            if field.required || self.dice.chance(10) {
                let value = self.value(field.value, field.sealed);
                arguments.extend(value.map(|value| (field.name, value)));
            }
        }
        self.ask(command.name, subject, &arguments)
    }

    /// Something that a value of a type could be.
    fn value(&mut self, value: ValueType, sealed: bool) -> Option<String> {
        Some(match value {
            ValueType::Birth => {
                format!("19{}-0{}-1{}", self.dice.between(30, 89), self.dice.between(1, 9), self.dice.below(9))
            }
            _ if sealed => self.contact(),
            ValueType::Text(_) | ValueType::Name(_) | ValueType::Number(_) => self.name("写"),
            ValueType::Date | ValueType::Past => self.day().to_owned(),
            ValueType::Int | ValueType::Count => self.dice.between(1, 40).to_string(),
            ValueType::Bool => self.dice.chance(50).to_string(),
            ValueType::Seat => self.any_seat().to_string(),
            ValueType::Unit(_) if self.dice.chance(50) => self.any_seat().to_string(),
            ValueType::Record(kind) | ValueType::Unit(kind) => self.any(kind.name)?.to_string(),
            ValueType::Choice(words) => self.dice.pick(words)?.name.to_owned(),
        })
    }

    fn state(&mut self, field: &Field) -> Option<String> {
        let Merge::State(machine) = field.merge else { return None };
        self.dice.pick(machine.states).map(|state| state.name.to_owned())
    }

    /// An entry of the record, where an argument names one.
    fn entry(&mut self, subject: Option<RecordId>, kind: Option<&Kind>, argument: &str) -> Option<String> {
        let field = kind?.fields().find(|field| field.noun.name == argument && !field.parts().is_empty())?;
        let row = self.rows.iter().find(|row| Some(row.id) == subject)?;
        let view: Value = serde_json::from_slice(&row.view).ok()?;
        let entries: Vec<String> = view[field.name].as_object()?.keys().cloned().collect();
        self.dice.pick(&entries).cloned()
    }

    fn settle(&mut self) -> Option<Request> {
        let conflicts = self.world.machines[self.machine].disk.conflicts();
        let mut open: Vec<Conflict> =
            conflicts.iter().filter_map(|row| serde_json::from_slice(&row.body).ok()).collect();
        open.sort_by_key(|conflict| (conflict.subject, conflict.field.clone()));
        let conflict = self.dice.pick(&open)?.clone();
        let choice = self.dice.between(1, 2).to_string();
        self.ask(
            "conflict.settle",
            Some(conflict.subject),
            &[("conflict", conflict.id.to_string()), ("choice", choice)],
        )
    }
}
