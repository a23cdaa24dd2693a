//! Who acts in the name of another seat, until when, and what he may do in it.

use heliu_record::command::{Asker, CommandId, Deputy, Plan, Refusal, Request};
use heliu_record::hash::hash16;
use heliu_record::id::{RecordId, SeatId};

use super::world::{Node, code_of, meet, nodes};
use crate::catalogue;

/// Asks in the name of another seat, whose nearest node is the keeper's.
fn asks_for(
    node: &mut Node,
    seat: &str,
    keeper: &str,
    command: &str,
    subject: Option<RecordId>,
    arguments: &[(&str, &str)],
) -> Result<Plan, Refusal> {
    let of = |name: &str| node.seats.by_code(&code_of(name)).expect(name).id;
    let (seat, keeper) = (of(seat), of(keeper));
    let arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    node.drawn += 1;
    let id = CommandId(hash16("test deputy", &[&node.seat.0, &node.drawn.to_le_bytes()]));
    let (name, who) = (command.to_owned(), "clerk".to_owned());
    let request = Request { id, name, subject, arguments, who, reason: String::new(), on_behalf: Some(seat) };
    let deputy = Some(Deputy { seat: node.seat, keeper });
    let asker =
        Asker { seat, deputy, place: 0, secret: Ok([7; 16]), today: node.today.clone(), sight: node.sight.clone() };
    let plan = catalogue().plan(&request, &asker, &*node)?;
    for write in &plan.writes {
        node.write_for(write, command, Some(seat));
    }
    Ok(plan)
}

fn made(plan: &Plan) -> RecordId {
    plan.result["record"].parse().expect("an id")
}

fn named(node: &Node, record: RecordId) -> Vec<Option<SeatId>> {
    node.records[&record].history.changes().map(|change| change.note.on_behalf).collect()
}

#[test]
fn a_seat_without_a_node_is_worked_by_the_nearest_that_has_one_which_may_do_no_more_than_the_seat_may() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let village = township.seat_named("V11");
    let branch = township.does("org.create", None, &[("name", "甲村党支部"), ("seat", &village)]).to_string();
    let arguments = [("name", "测试甲0001"), ("branch", &*branch)];
    let registered = asks_for(&mut township, "V11", "T1", "member.register", None, &arguments);
    let member = made(&registered.expect("the village has no node"));
    assert_eq!(named(&township, member), [Some(village.parse().expect("a seat"))], "its history says for whom");
    // As a village's own: whoever it registers waits for approval.
    assert_ne!(township.json(member)["stage"], "full");
    let (org, decision) = (branch.parse().expect("an id"), [("field", "lifecycle"), ("state", "rectifying")]);
    let decided = asks_for(&mut township, "V11", "T1", "record.decide", Some(org), &decision);
    assert_eq!(decided.expect_err("a village does not").code, "no_authority");
    township.does("record.decide", Some(org), &decision);
    // The county is above it, and another keeps it.
    county.hears(&township);
    let by_county = asks_for(&mut county, "V11", "T1", "member.register", None, &arguments);
    assert_eq!(by_county.expect_err("the township works it").code, "no_deputy");
    // Nobody acts for a seat that is not below his.
    let sideways = asks_for(&mut township, "V21", "T1", "org.create", None, &[("name", "乙村党支部")]);
    assert_eq!(sideways.expect_err("it is another's").code, "no_deputy");
}

#[test]
fn an_absence_holds_up_to_its_last_day_and_ends_by_itself() {
    let [mut township] = nodes(["T1"]);
    let village = township.seat_named("V11");
    let org = [("name", "甲村党支部")];
    let before = asks_for(&mut township, "V11", "V11", "org.create", None, &org);
    assert_eq!(before.expect_err("it has a node of its own").code, "no_deputy");
    township.does("seat.away", None, &[("seat", &village), ("until", "2026-03-10")]);
    for (day, may) in [("2026-03-01", true), ("2026-03-10", true), ("2026-03-11", false)] {
        township.today = day.to_owned();
        assert_eq!(asks_for(&mut township, "V11", "V11", "org.create", None, &org).is_ok(), may, "{day}");
    }
    township.today = "2026-03-02".to_owned();
    township.does("seat.back", None, &[("seat", &village)]);
    assert!(asks_for(&mut township, "V11", "V11", "org.create", None, &org).is_err(), "it is back");
    township.is_refused("not_away", "seat.back", None, &[("seat", &village)]);
    let (other, own) = (township.seat_named("V12"), township.seat_named("T1"));
    township.is_refused(
        "not_above",
        "seat.away",
        None,
        &[("seat", &village), ("until", "2026-03-10"), ("deputy", &other)],
    );
    township.is_refused("not_above", "seat.away", None, &[("seat", &own), ("until", "2026-03-10"), ("deputy", &own)]);
}

#[test]
fn what_a_deputy_wrote_while_the_absence_was_ended_elsewhere_stays_and_says_who_did_it_for_whom() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let village = township.seat_named("V11");
    township.does("seat.away", None, &[("seat", &village), ("until", "2026-03-10")]);
    meet(&mut county, &mut township);
    county.does("seat.back", None, &[("seat", &village)]);
    let plan = asks_for(&mut township, "V11", "V11", "org.create", None, &[("name", "甲村党支部")]);
    let org = made(&plan.expect("it has not heard of that"));
    meet(&mut county, &mut township);
    assert_eq!(named(&county, org), [Some(village.parse().expect("a seat"))]);
    assert!(county.open.is_empty(), "nobody disagrees: {:?}", county.open);
    assert!(asks_for(&mut township, "V11", "V11", "org.create", None, &[("name", "乙")]).is_err());
}

#[test]
fn where_two_tiers_wrote_apart_a_deputy_acts_only_as_long_as_both_say_so() {
    let [mut township, mut village] = nodes(["T1", "V11"]);
    let seat = township.seat_named("V11");
    township.does("seat.away", None, &[("seat", &seat), ("until", "2026-03-20")]);
    village.does("seat.away", None, &[("until", "2026-03-10")]);
    meet(&mut township, &mut village);
    assert_eq!(township.conflict("DIVERGED_FIELD").values.len(), 2, "both are shown");
    for (day, may) in [("2026-03-10", true), ("2026-03-11", false)] {
        township.today = day.to_owned();
        let asked = asks_for(&mut township, "V11", "V11", "org.create", None, &[("name", "甲村党支部")]);
        assert_eq!(asked.is_ok(), may, "{day}");
    }
}
