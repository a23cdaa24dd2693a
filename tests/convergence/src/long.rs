//! Worlds that take minutes: a village that is away for a year, a record that everybody writes in ten thousand times, a
//! county of two hundred nodes. They end as every other, with every promise held against them.

use std::time::Instant;

use heliu_record::id::RecordId;

use crate::dice::Dice;
use crate::story::Story;
use crate::world::Habits;

const DAY_MS: u64 = 86_400_000;

/// A long world by its name.
pub struct Long {
    pub name: &'static str,
    pub about: &'static str,
    run: fn() -> Story,
}

pub const ALL: [Long; 3] = [
    Long { name: "year", about: "a village offline for a simulated year, while both sides write", run: a_year_offline },
    Long {
        name: "record",
        about: "10,000 changes in one record, by two tiers that are cut apart",
        run: one_long_record,
    },
    Long {
        name: "county",
        about: "200 nodes, cut apart, restored, cloned and lost while they write",
        run: a_large_county,
    },
];

impl Long {
    /// Lives it, and holds its end against every promise; what it came to, in words.
    ///
    /// # Panics
    /// If a promise is not kept.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn live(&self) -> String {
        let begin = Instant::now();
        let story = (self.run)();
        story.ends_well();
        let (machines, leaves) = (story.world.machines.len(), story.world.ledger.leaves().count());
        let commands: u64 = story.world.tally.commands.values().sum();
        let (frames, days) = (story.world.tally.frames, story.world.now as f64 / DAY_MS as f64);
        let (name, about, seconds) = (self.name, self.about, begin.elapsed().as_secs_f64());
        format!(
            "{name}: {about}: {machines} machines, {commands} commands, {leaves} leaves, {frames} frames, {days:.2} \
             simulated days, every promise kept; {seconds:.0} s"
        )
    }
}

fn set(story: &mut Story, at: &str, record: RecordId, field: &str, value: &str) {
    story.at(at).done("record.set", Some(record), &[("field", field), ("value", value)]);
}

fn a_year_offline() -> Story {
    let habits = Habits { tick_ms: 60_000, redial_ms: (60_000, 600_000), ..Habits::default() };
    let mut story = Story::quietly(1, &["C", "T1", "V11", "V12"], Habits::default());
    let [seat, other] = [story.seat("V11"), story.seat("V12")];
    let branch = story.at("T1").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    let contact = [("name", "测试甲0001"), ("branch", &branch.to_string()), ("contact", "13800001234")];
    let member = story.at("T1").makes("member.register", &contact);
    story.run_until_quiet();
    story.world.habits = habits;
    story.cut(&["V11"], &["T1"]);
    let village = story.world.machine("V11");
    for week in 0..52 {
        let [above, here] = [format!("上级{week}"), format!("本村{week}")];
        set(&mut story, "T1", branch, "name", &above);
        set(&mut story, "V11", branch, "name", &here);
        set(&mut story, "V11", member, "person_digest", &format!("{week:018}"));
        story.at("V12").makes("org.create", &[("name", &here), ("seat", &other)]);
        // A process that runs for weeks is restarted now and then.
        if week % 9 == 4 {
            story.world.crash(village);
            story.world.run_for(DAY_MS);
            story.world.start(village);
        }
        story.world.run_for(7 * DAY_MS);
    }
    story.heal();
    story.world.habits = Habits::default();
    story.world.run_for(30 * 60_000);
    story.run_until_quiet();
    let names = story.at("C").view(branch)["name_concurrent"].as_array().map(Vec::len);
    assert_eq!(names, Some(2), "both names are shown");
    story
}

fn one_long_record() -> Story {
    let habits = Habits { store_ms: (0, 1), duplicates: 0, repeats: 0, ..Habits::default() };
    let mut story = Story::quietly(2, &["C", "T1", "V11"], habits);
    let seat = story.seat("V11");
    let branch = story.at("T1").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    story.run_until_quiet();
    story.cut(&["V11"], &["T1"]);
    for change in 0..5_000usize {
        for at in ["T1", "V11"] {
            match change % 2 {
                0 => set(&mut story, at, branch, "name", &format!("名{change}")),
                _ => set(&mut story, at, branch, "org_kind", ["village", "enterprise"][change / 2 % 2]),
            }
        }
    }
    story.heal();
    story.run_until_quiet();
    // It can be edited, and a new disk is given all of it.
    let county = story.world.machine("C");
    story.world.lose_disk(county);
    story.run_until_quiet();
    set(&mut story, "C", branch, "name", "县定名");
    story.run_until_quiet();
    assert_eq!(story.everywhere(branch).len(), 3);
    story
}

fn a_large_county() -> Story {
    let names: Vec<String> = ["C".to_owned()]
        .into_iter()
        .chain((1..=9).map(|township| format!("T{township}")))
        .chain((1..=9).flat_map(|township| (1..=21).map(move |village| format!("V{township}{village}"))))
        .chain(["C'".to_owned()])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(names.len(), 200);
    let mut story = Story::quietly(3, &names, Habits { frame_ms: (1, 60), ..Habits::default() });
    let mut dice = Dice::new(200);
    for name in &names[1..199] {
        let (seat, machine) = (story.seat(name), story.world.machine(name));
        let mut request = story.world.request("org.create", None);
        request.arguments = [("name", (*name).to_owned()), ("seat", seat)].map(|(k, v)| (k.to_owned(), v)).into();
        story.world.ask(machine, request);
    }
    for round in 0..300u64 {
        story.world.run_for(200);
        for _ in 0..8 {
            let machine = dice.index(story.world.machines.len());
            if let Some(request) = story.world.something_to_ask(machine, &mut dice) {
                story.world.ask(machine, request);
            }
        }
        let machine = dice.index(200);
        match round % 15 {
            2 => story.world.part(machine, dice.index(10)),
            4 => story.world.crash(machine),
            6 => story.world.back_up(machine),
            9 => story.world.mend(),
            10 => story.world.start_all(),
            12 => {
                let backed_up = story.world.machines.iter().position(|machine| machine.backup.is_some());
                backed_up.into_iter().for_each(|machine| {
                    story.world.restore(machine);
                });
            }
            13 if round % 90 == 43 => story.world.lose_disk(machine),
            14 if round % 90 == 59 => {
                story.world.clone_machine(machine);
            }
            _ => {}
        }
    }
    story.heal();
    story.world.start_all();
    story.run_until_quiet();
    story
}
