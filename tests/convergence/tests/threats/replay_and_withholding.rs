//! A machine sends old frames again, keeps back a part of what it has, says that it has what it forgets, or says nothing:
//! honest nodes agree among themselves, and those who have a line around it lack nothing.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn replay_and_withholding() {
    for (seed, name) in (0..12).zip(["V12", "T1", "V22"].into_iter().cycle()) {
        let mut threat = Threat::of(seed, name, false, &[Behaviour::Replay, Behaviour::Withholding]);
        for round in 0..6 {
            let value = format!("名{round}");
            let [village, township] = threat.records;
            threat.story.at("V11").done("record.set", Some(village), &[("field", "name"), ("value", &value)]);
            threat.story.at("T2").done("record.set", Some(township), &[("field", "name"), ("value", &value)]);
            threat.does(Behaviour::Replay, 2);
        }
        threat.ends_well();
    }
}

#[test]
fn a_machine_that_falls_silent_holds_nobody_up() {
    for (seed, name) in (0..4).zip(["V12", "T1"].into_iter().cycle()) {
        let mut threat = Threat::of(seed, name, false, &[Behaviour::Withholding]);
        threat.story.world.hostile_stop(false);
        threat.ends_well();
    }
}
