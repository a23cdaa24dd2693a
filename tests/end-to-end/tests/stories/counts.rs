//! What the ledgers count in the stories, at one set of nodes: a merger, somebody who is moved to two places, somebody who is admitted too
//! late, somebody who leaves the realm, and organisations above each other. Nobody is lost and nobody counts twice.

use end_to_end::county::County;
use end_to_end::desk::{Desk, Ledger};
use end_to_end::seats::code;

/// By the seats' names: who is counted where, at a node.
async fn by_seat(county: &County, node: &str) -> Ledger {
    county.at(node).ledger("members", "seat", "").await
}

async fn by_org(county: &County, node: &str) -> Ledger {
    county.at(node).ledger("members", "org", "").await
}

fn at(ledger: &Ledger, seat: &str, column: &str, ids: &[(String, String)]) -> i64 {
    let id = ids.iter().find(|(known, _)| *known == code(seat)).map_or("", |(_, id)| id);
    ledger.count(id, column)
}

async fn ids_of_seats(desk: &Desk) -> Vec<(String, String)> {
    let seats = desk.client.seats().await.expect("seats are told");
    seats.into_iter().map(|seat| (seat.code, seat.id)).collect()
}

async fn register(desk: &Desk, branch: &str, name: &str) -> String {
    desk.makes("member.register", &[("name", name), ("branch", branch), ("joined_on", "2001-07-01")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_and_nobody_counts_twice_in_any_of_the_stories() {
    let links = [("C", ""), ("C'", "C"), ("T1", "C'"), ("T2", "C'"), ("T3", "C")];
    let county = County::start(&links, &["V11", "V12", "V13", "V21", "V31"]).await;
    let ids = ids_of_seats(county.at("C")).await;
    let committee = county.branch("T1", "镇党委").await;
    let mut branches = Vec::new();
    for seat in ["V11", "V12", "V13", "V21", "V31"] {
        branches.push(county.branch(seat, &format!("{seat}党支部")).await);
    }
    let [a, b, c, near, far] = &branches[..] else { panic!("five branches") };

    // A merger of 12 and 37.
    let mut people = Vec::new();
    for n in 0..49 {
        let branch = if n < 12 { a } else { b };
        people.push(register(county.at("T1"), branch, &format!("测试甲{n:04}")).await);
    }
    let leaves = |desk: Desk, people: Vec<String>| async move {
        let mut leaves = Vec::new();
        for person in &people {
            leaves.push(desk.record(person).await.map(|record| record.leaves));
        }
        leaves
    };
    let before = leaves(county.at("T1").clone(), people.clone()).await;
    let merge = [("name", "合建党总支"), ("predecessors", &*format!("{a},{b}"))];
    let merged = county.at("T1").makes("org.merge_build", &merge).await;
    county.is_quiet().await;
    for node in ["C", "T1"] {
        let seats = by_seat(&county, node).await;
        assert_eq!((at(&seats, "V11", "total", &ids), at(&seats, "V12", "total", &ids)), (12, 37), "{node}");
        let orgs = by_org(&county, node).await;
        assert_eq!((orgs.count(&merged, "total"), orgs.count(a, "total"), orgs.total("total")), (49, 0, 49), "{node}");
    }
    assert!(county.is_settled().await);
    assert_eq!(leaves(county.at("T1").clone(), people.clone()).await, before, "nothing is written in the 49");

    // S1: two places receive one person.
    let m = register(county.at("T1"), c, "测试乙0001").await;
    county.is_quiet().await;
    county.cut("C'");
    county.at("T1").does("member.transfer.issue", &m, &[("to_org", near), ("to_seat", &code("V21"))]).await;
    county.is_quiet().await;
    county.at("T2").does("member.transfer.receive", &m, &[]).await;
    county.at("C").does("member.transfer.issue", &m, &[("to_org", far)]).await;
    county.is_quiet().await;
    county.at("T3").does("member.transfer.receive", &m, &[]).await;
    county.is_quiet().await;
    // Each side counts him where it knows him to be, and once.
    assert_eq!(by_seat(&county, "C").await.total("total"), 50);
    assert_eq!(by_seat(&county, "C'").await.total("total"), 50);
    county.heals().await;
    for node in ["C", "C'"] {
        let (seats, orgs) = (by_seat(&county, node).await, by_org(&county, node).await);
        assert_eq!((at(&seats, "V13", "total", &ids), seats.total("total")), (1, 50), "{node}: where nobody disputes");
        assert_eq!((orgs.count(c, "total"), orgs.count(near, "total"), orgs.count(far, "total")), (1, 0, 0), "{node}");
    }
    let inbox = county.at("C").ledger("inbox", "", "").await;
    assert!(
        inbox.0.lines.iter().any(|line| line.cells[2].text == "MULTI_HOME" && line.cells[0].text == inbox_turn(&ids))
    );
    let conflict = county.at("C").conflict("MULTI_HOME").await;
    county.at("C").settles(&conflict, near).await;
    county.is_quiet().await;
    for node in ["C", "C'"] {
        let (seats, orgs) = (by_seat(&county, node).await, by_org(&county, node).await);
        assert_eq!((at(&seats, "V21", "total", &ids), seats.total("total")), (1, 50), "{node}");
        assert_eq!((orgs.count(near, "total"), orgs.count(c, "total")), (1, 0), "{node}");
    }

    // S12: two organisations end up above each other, and each is counted once.
    let orgs_before = county.at("C").ledger("organisations", "", "").await.total("total");
    for org in [c, &merged] {
        county.at("C").does("org.set_parent", org, &[("parent_org", &committee)]).await;
    }
    county.is_quiet().await;
    county.cut("T1");
    county.at("T1").does("org.set_parent", c, &[("parent_org", &merged)]).await;
    county.at("C").does("org.set_parent", &merged, &[("parent_org", c)]).await;
    county.heals().await;
    for node in ["C", "T1"] {
        let orgs = by_org(&county, node).await;
        assert_eq!((orgs.count(&merged, "total"), orgs.count(&committee, "total")), (49, 49), "{node}");
    }
    assert_eq!(county.at("C").ledger("organisations", "", "").await.total("total"), orgs_before);
    let conflict = county.at("C").conflict("PARENT_CYCLE").await;
    county.at("C").settles(&conflict, &merged).await;
    county.is_quiet().await;

    // Somebody leaves the realm: one less, and the movements say so at every seat.
    let one = &people[0];
    county.at("T1").does("member.transfer.out", one, &[("to_text", "北京某支部")]).await;
    assert_eq!(by_seat(&county, "T1").await.total("total"), 49, "until the receipt is there");
    county.at("T1").does("member.transfer.arrived", one, &[]).await;
    county.is_quiet().await;
    assert_eq!((by_seat(&county, "C").await.total("total"), by_org(&county, "C").await.total("total")), (49, 49));
    let movements = county.at("C").ledger("movements", "", "").await;
    assert_eq!((movements.total("opening"), movements.total("moved_out"), movements.total("closing")), (50, 1, 49));
    let moved = |seat, column| at(&movements, seat, column, &ids);
    assert_eq!((moved("T1", "moved_out"), moved("T2", "moved_in"), moved("V13", "moved_out")), (2, 1, 1));

    // S2: a letter that was issued before is received after the branch has ended.
    let units = format!("{},{}", code("V12"), code("V13"));
    let joint = county.at("T1").makes("joint_branch.form", &[("name", "联合党支部"), ("units", &units)]).await;
    county.at("T1").does("org.set_parent", &joint, &[("parent_org", &committee)]).await;
    let there = register(county.at("T1"), &joint, "测试丙0001").await;
    county.is_quiet().await;
    let successors = format!("{}={merged},{}={c}", code("V12"), code("V13"));
    let dissolution = [("effective_on", "2026-03-01"), ("successors", successors.as_str())];
    county.cut("T1");
    county.at("C").does("org.dissolve", &joint, &dissolution).await;
    let late =
        [("name", "测试丙0002"), ("branch", &*joint), ("joined_on", "2001-07-01"), ("admitted_on", "2026-03-03")];
    let late = county.at("T1").makes("member.register", &late).await;
    county.heals().await;
    let seats = by_seat(&county, "T1").await;
    assert_eq!(
        (seats.total("total"), at(&seats, "T1", "unallocated", &ids)),
        (50, 2),
        "{there} has no unit that is succeeded"
    );
    let orgs = by_org(&county, "T1").await;
    assert_eq!(orgs.count(&committee, "unallocated"), 2);
    let conflict = county.at("T1").conflict("ADD_TO_DISSOLVED_ORG").await;
    assert_eq!(conflict.subject, late);
    county.at("T1").settles(&conflict, c).await;
    county.is_quiet().await;
    assert_eq!(at(&by_seat(&county, "C").await, "T1", "unallocated", &ids), 1);

    // The same by the command line, on paper and for programs.
    let told = county.says("C", &["ledger", "members", "--json"]).await.exits(0).json();
    assert_eq!((&told["total"]["total"], &told["balanced"]), (&51.into(), &true.into()));
    let asked = county.says("T1", &["ledger", "roster", "--at", "V13党支部"]).await.exits(0);
    assert!(asked.out.contains("测试丙0002"), "{}", asked.out);
    let folder = tempfile::tempdir().expect("a directory");
    for name in ["members.csv", "members.xlsx"] {
        let file = folder.path().join(name);
        let file = file.to_str().expect("a plain path");
        let _ = county.says("C", &["ledger", "members", "-o", file]).await.exits(0);
        assert!(std::fs::metadata(file).expect("it is written").len() > 100);
    }
    let csv = std::fs::read_to_string(folder.path().join("members.csv")).expect("it is there");
    assert!(csv.starts_with("\u{feff}seat,own,unallocated,below,total,full,probationary,suspended\r\n"), "{csv}");
    assert!(csv.contains("total,,,,51,51,0,0"), "{csv}");
    county.agrees().await;
    county.ends().await;
}

/// The county settles it.
fn inbox_turn(ids: &[(String, String)]) -> String {
    ids.iter().find(|(known, _)| *known == code("C")).map(|(_, id)| id.clone()).unwrap_or_default()
}
