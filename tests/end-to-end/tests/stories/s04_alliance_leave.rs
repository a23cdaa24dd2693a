//! S4: the owner of a hall leaves an alliance, offline, while another member adds a room and a third asks for the hall.

use end_to_end::county::County;
use end_to_end::desk::Desk;
use end_to_end::seats::code;
use heliu_client::records::Record;
use serde_json::{Value, json};

async fn offer(desk: &Desk, name: &str, owner: &str) -> String {
    desk.makes("resource.offer", &[("name", name), ("owner_org", owner), ("capacity", "120")]).await
}

async fn book(desk: &Desk, hall: &str, org: &str, alliance: &str, day: &str) -> String {
    let booking = [("org", org), ("alliance", alliance), ("use_on", day)];
    desk.does("booking.request", hall, &booking).await.result["entry"].clone()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// How many count in each of the three townships, and nobody anywhere else.
async fn members(desk: &Desk) -> [usize; 3] {
    let all = desk.list("member").await;
    let counts = |record: &&Record| record.view_json.contains("\"standing\":\"counted\"");
    let counted: Vec<&Record> = all.iter().filter(counts).collect();
    let of = |name| counted.iter().filter(|record| record.owners.iter().all(|owner| owner.code == code(name))).count();
    let sums = ["T1", "T2", "T3"].map(of);
    assert_eq!(sums.iter().sum::<usize>(), counted.len());
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_leaves_the_alliance_and_takes_its_hall_along() {
    let county = County::start(&[("C", ""), ("T1", "C"), ("T2", "C"), ("T3", "C")], &[]).await;
    let convenor = county.branch("T1", "甲镇党委").await;
    let other = county.branch("T2", "乙镇党委").await;
    let owner = county.branch("T3", "丙镇党委").await;
    let invited = format!("{},{}", code("T2"), code("T3"));
    let form = [("name", "联盟"), ("convenor", convenor.as_str()), ("seats", &invited)];
    let league = county.at("T1").makes("alliance.form", &form).await;
    county.is_quiet().await;
    county.at("T2").does("alliance.join", &league, &[("org", &other)]).await;
    county.at("T3").does("alliance.join", &league, &[("org", &owner)]).await;
    let hall = offer(county.at("T3"), "礼堂", &owner).await;
    county.at("T3").does("alliance.add_resource", &league, &[("resource", &hall)]).await;
    county.is_quiet().await;
    // Somebody of the owner's is to be a part-time member at the convenor's.
    let lent = [("host", convenor.as_str()), ("person", "测试丙0001"), ("from_unit", &owner), ("term", "2026-2028")];
    county.at("T1").does("part_time.nominate", &league, &lent).await;
    county.is_quiet().await;
    county.at("T1").is_refused("no_authority", "part_time.approve", &league, &[]).await;
    for (township, branch, people) in [("T1", &convenor, 3), ("T2", &other, 2), ("T3", &owner, 4)] {
        for n in 1..=people {
            let (name, branch) = (format!("测试{township}{n:04}"), branch.as_str());
            let member = [("name", name.as_str()), ("branch", branch), ("joined_on", "2001-07-01")];
            county.at(township).makes("member.register", &member).await;
        }
    }
    let booked = book(county.at("T1"), &hall, &convenor, &league, "2026-07-01").await;
    county.at("T1").is_refused("no_authority", "booking.confirm", &hall, &[("booking", &booked)]).await;
    county.is_quiet().await;
    county.at("T3").does("booking.confirm", &hall, &[("booking", &booked)]).await;
    county.is_quiet().await;

    county.cut("T3");
    county.at("T3").does("alliance.leave", &league, &[("org", &owner)]).await;
    county.at("T3").does("resource.withdraw", &hall, &[]).await;
    // The county, which has not heard of it, approves who is lent.
    county.at("C").does("part_time.approve", &league, &[]).await;
    let room = offer(county.at("T2"), "活动室", &other).await;
    county.at("T2").does("alliance.add_resource", &league, &[("resource", &room)]).await;
    let asked = book(county.at("T1"), &hall, &convenor, &league, "2026-07-15").await;

    county.heals().await;
    county.agrees().await;
    for node in ["C", "T1", "T2", "T3"] {
        let view = county.at(node).view(&league).await;
        assert_eq!(texts(&view["present"]).len(), 2, "{node}: the owner is out, and nobody else");
        assert!(texts(&view["resources"]).contains(&room.as_str()), "{node}: what was added meanwhile is kept");
        let lent = view["part_time"].as_object().and_then(|lent| lent.values().next()).expect("a part-time member");
        assert_eq!(lent["state"], json!("lapsing"), "at {node}");
        assert!(lent.get("approved_on").is_some(), "it was approved meanwhile, and that is kept");
    }
    assert_eq!(members(county.at("C")).await, [3, 2, 4], "nobody's home has changed");
    let bookings = &county.at("T1").view(&hall).await["bookings"];
    assert_eq!(bookings[&booked]["state"], json!("needs_owner_reconfirm"));
    assert_eq!(bookings[&asked]["state"], json!("owner_left"), "it counts as declined");
    let found = county.at("T3").conflicts().await;
    assert_eq!(found.len(), 2, "{found:?}");
    for conflict in &found {
        assert_eq!((conflict.kind.as_str(), conflict.severity.as_str()), ("WITHDRAWN_RESOURCE_BOOKED", "advisory"));
        assert_eq!(conflict.resolver.as_ref().map(|seat| seat.code.clone()), Some(code("T3")), "its owner settles");
        assert!(county.who_sees(&conflict.id).await.contains(&"T1"), "the convenor is informed");
        let keeps = conflict.field.ends_with(&booked);
        county.at("T3").settles(conflict, if keeps { "keep" } else { "decline" }).await;
    }
    county.is_quiet().await;
    county.agrees().await;
    assert!(county.is_settled().await);
    let bookings = &county.at("T1").view(&hall).await["bookings"];
    assert_eq!(bookings[&asked]["state"], json!("declined"));
    assert_eq!(members(county.at("C")).await, [3, 2, 4]);
    county.ends().await;
}
