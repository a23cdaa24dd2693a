//! A part of I13 and of I3: what was typed to be sealed is in no store, in no form that can be read; and whoever may read it
//! can, as soon as anybody who can hands on the key. Who may read is said by what counts alone: a leaf that waits lets a
//! record travel further, and nobody read what is sealed in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_storage::Loaded;
use heliu_trust::audience::AudienceKeys;
use heliu_trust::grant::{Keyring, Recipient, SignedGrant};
use heliu_trust::seal::AudienceKey;
use heliu_trust::statement::{Body, SignedStatement};
use serde_json::Value;

use super::{Scene, Violation};
use crate::world::SEALED_FIELDS;
use crate::world::county::sealing_of;
use crate::world::machine::Machine;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let machines = scene.holdings.keys().map(|machine| &scene.world.machines[*machine]);
    for machine in machines.filter(|_| !scene.world.secrets.is_empty()) {
        let stored = machine.disk.everything(machine.answered.keys());
        for secret in &scene.world.secrets {
            if stored.iter().any(|text| text.contains(secret)) {
                found.push(Violation::new("I13", format!("{} keeps what was to be sealed: {secret}", machine.name)));
            }
        }
    }
    if !scene.is_main {
        return; // Who is cut off by hostile nodes may not know who may read.
    }
    let records = scene.holdings.values().flat_map(|holding| &holding.records);
    let sealed: BTreeSet<RecordId> =
        records.filter(|(_, held)| !named_keys(held).is_empty()).map(|(record, _)| *record).collect();
    let opened = Opened::default();
    for record in sealed {
        check_readers(scene, record, &opened, found);
    }
}

fn check_readers(scene: &Scene<'_>, record: RecordId, opened: &Opened, found: &mut Vec<Violation>) {
    let Some(truth) = scene.truths.get(&record) else { return };
    let holdings = scene.holdings.iter().filter(|(_, holding)| holding.is_present(record));
    let holders: Vec<(&Machine, &Loaded)> = holdings
        .filter_map(|(machine, holding)| Some((&scene.world.machines[*machine], holding.records.get(&record)?)))
        .collect();
    let directory = scene.world.county.directory();
    let readers = directory.seats().readers(&truth.reach.owners);
    for (machine, held) in &holders {
        if !readers.contains(&machine.seat) || directory.is_fenced(machine.node()) {
            continue;
        }
        for key in named_keys(held) {
            if opened.can_open(scene, machine, held, key) {
                continue;
            }
            let hands_on = |other: &&(&Machine, &Loaded)| {
                // Who neither reads the record nor takes part in it has no reason to look.
                let reads = directory.seats().readers(&other.1.row.scope.named().collect()).contains(&other.0.seat);
                reads && !directory.is_fenced(other.0.node()) && opened.can_open(scene, other.0, other.1, key)
            };
            if let Some((holder, _)) = holders.iter().find(hands_on) {
                let what = format!("{} may read {} and cannot; {} can", machine.name, record.short(), holder.name);
                found.push(Violation::new("I3", what));
            }
        }
    }
}

fn named_keys(held: &Loaded) -> BTreeSet<KeyId> {
    let view: Value = serde_json::from_slice(&held.row.view).unwrap_or_default();
    let key = |value: &Value| value["sealed"].as_str().and_then(|key| key.parse().ok());
    let of = |field: &&str| {
        let concurrent = view[format!("{field}_concurrent")].as_array().cloned().unwrap_or_default();
        concurrent.iter().chain([&view[*field]]).filter_map(key).collect::<Vec<_>>()
    };
    SEALED_FIELDS.iter().flat_map(of).collect()
}

/// The keys of audiences as machines have them.
#[derive(Default)]
struct Opened {
    heard: RefCell<BTreeMap<String, AudienceKeys>>,
    keys: RefCell<BTreeMap<(String, SeatId, KeyId), Option<AudienceKey>>>,
}

impl Opened {
    fn can_open(&self, scene: &Scene<'_>, machine: &Machine, held: &Loaded, key: KeyId) -> bool {
        let audiences = |of: KeyId| {
            let mut heard = self.heard.borrow_mut();
            let heard = heard.entry(machine.name.clone()).or_insert_with(|| heard_by(machine));
            heard.of(of).collect::<Vec<SeatId>>()
        };
        let open =
            |of: KeyId| audiences(of).into_iter().find_map(|audience| self.audience_key(scene, machine, audience, of));
        if open(key).is_some() {
            return true;
        }
        let grants: Vec<_> = held.grants.iter().filter_map(|row| SignedGrant::decode(&row.grant).ok()).collect();
        let keyring = Keyring::of(grants.iter().map(|signed| &signed.grant));
        let place = (&scene.world.county.realm, &held.row.id);
        let (me, secret) = (Recipient::Node(machine.node()), sealing_of(&machine.name));
        keyring.keys(key).map(|of_record| (key, of_record)).any(|which| {
            let is_handed = keyring.wrapped_for(which).any(|to| {
                let Recipient::Audience(under) = to else { return false };
                open(under).is_some_and(|opened| keyring.handed_over(place, which, (under, &opened)).is_some())
            });
            is_handed || keyring.open(place, which, me, &secret).is_some()
        })
    }

    fn audience_key(&self, scene: &Scene<'_>, machine: &Machine, audience: SeatId, key: KeyId) -> Option<AudienceKey> {
        let heard = self.heard.borrow();
        let (me, secret) = (Recipient::Node(machine.node()), sealing_of(&machine.name));
        let open = || heard.get(&machine.name)?.open(&scene.world.county.realm, audience, key, me, &secret);
        self.keys.borrow_mut().entry((machine.name.clone(), audience, key)).or_insert_with(open).clone()
    }
}

fn heard_by(machine: &Machine) -> AudienceKeys {
    let mut keys = AudienceKeys::default();
    for signed in machine.disk.statements().iter().filter_map(|row| SignedStatement::decode(&row.bytes).ok()) {
        if let Body::Keys(said) = &signed.statement.body {
            keys.add(signed.statement.author, said);
        }
    }
    keys
}
