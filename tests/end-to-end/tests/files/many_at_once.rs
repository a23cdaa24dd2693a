//! Several hundred commands at once, over a file or over what is found: told before, done once, whatever happens meanwhile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use end_to_end::command_line::command;
use end_to_end::desk::Desk;
use end_to_end::patience::until;
use end_to_end::seats::code;
use serde_json::Value;

use super::{Office, refused};

const PEOPLE: usize = 300;

/// The letters that are open, each member's by itself.
async fn letters(desk: &Desk) -> Vec<usize> {
    let open = |view: &Value| view["moves"].as_object().map_or(0, serde_json::Map::len);
    desk.list("member").await.iter().map(|one| open(&serde_json::from_str(&one.view_json).expect("a view"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_letters_are_issued_in_one_go_that_is_killed_in_the_middle_and_each_is_there_once() {
    let mut office = Office::open().await;
    let mut roster = "name,member_no,branch\n".to_owned();
    let mut leaving = "姓名,党员编号,介绍信编号\n".to_owned();
    for number in 1..=PEOPLE {
        // Some are of one name, and told apart by their numbers.
        let name = if number % 10 == 0 { "张伟".to_owned() } else { format!("测试甲{number:04}") };
        writeln!(roster, "{name},A{number:04},{}", code("V11")).expect("a text grows");
        writeln!(leaving, "{name},A{number:04},2026-{number:03}").expect("a text grows");
    }
    let told = office.imports(&roster, &[], 0).await;
    assert_eq!(told["created"], PEOPLE);
    let file = office.write("leaving.csv", &leaving);
    let line = ["do", "member.transfer.issue", "to_org=乙村党支部", "--each", &file, "--reason", "并村", "--json"];

    let told = office.says(&[&line[..], &["--dry-run"]].concat()).await.exits(0).json();
    assert_eq!((&told["rows"], &told["ready"], &told["done"]), (&300.into(), &300.into(), &0.into()));
    assert_eq!(letters(&office.desk).await.iter().sum::<usize>(), 0, "a preview writes nothing");
    let _ = office.says(&line).await.exits(2).complains("--yes");

    let words = [&line[..], &["--yes", "--dir", &office.dir]].concat();
    let mut under_way = command(&words).spawn().expect("the binary runs");
    until("some letters are out", async || letters(&office.desk).await.iter().any(|open| *open > 0)).await;
    office.crashes().await;
    let _ = under_way.kill().await;
    office.starts().await;
    let before: usize = letters(&office.desk).await.iter().sum();

    let told = office.says(&[&line[..], &["--yes"]].concat()).await.exits(0).json();
    assert_eq!(told["repeated"].as_u64(), Some(before as u64), "{told}");
    assert_eq!(told["done"].as_u64(), Some((PEOPLE - before) as u64));
    assert_eq!(letters(&office.desk).await, vec![1; PEOPLE], "each has one letter");
    let told = office.says(&[&line[..], &["--yes"]].concat()).await.exits(0).json();
    assert_eq!((&told["repeated"], &told["done"]), (&300.into(), &0.into()));
    // A file in which one line was put right does the others no second time.
    let corrected = leaving.replace("2026-001", "2026-901");
    let file = office.write("corrected.csv", &corrected);
    let told = office
        .says(&["do", "member.transfer.issue", "to_org=乙村党支部", "--each", &file, "--json", "--yes", "--skip-bad"])
        .await;
    let told = told.exits(4).json();
    assert_eq!((&told["repeated"], &told["done"]), (&299.into(), &0.into()));
    assert!(refused(&told)[0].2.contains("open letter"), "{told}");
    office.is_equal().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_told_by_line_and_column_and_stops_the_rest_unless_that_is_said() {
    let office = Office::open().await;
    let (v11, v12) = (code("V11"), code("V12"));
    let roster = format!("name,member_no,branch\n张伟,A1,{v11}\n张伟,A2,{v12}\n李娜,A3,{v11}\n王芳,A4,{v11}\n");
    let _ = office.imports(&roster, &[], 0).await;
    let change = async |name: &str, text: &str, flags: &[&str], code: i32| {
        let file = office.write(name, text);
        let line = ["do", "record.set", "field=education", "--each-of", "党员", "--each", &file, "--json"];
        office.says(&[&line[..], flags].concat()).await.exits(code).json()
    };
    let file = format!(
        "姓名,党员编号,党支部,值\n张伟,,,大专\n张伟,,{v12},大专\n李娜,A4,,大专\n无名氏,,,大专\n王芳,,,大专\n王芳,,,博士后后\n,,,大专\n"
    );
    let told = change("bad.csv", &file, &["--dry-run"], 2).await;
    let faults: Vec<(u64, String)> = refused(&told).into_iter().map(|(line, _, why)| (line, why)).collect();
    let lines: Vec<u64> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5, 6, 7, 8], "{told}");
    for (at, words) in [
        (0, "more than one record"),
        (1, "does not say"),
        (2, "no record that is called"),
        (3, "line 7, about the same record"),
        (5, "which record"),
    ] {
        assert!(faults[at].1.contains(words), "{words}: {told}");
    }
    let told = change("bad.csv", &file, &["--yes"], 2).await;
    assert_eq!((&told["done"], &told["ready"]), (&0.into(), &1.into()), "nothing is done of it");
    let told = change("bad.csv", &file, &["--yes", "--skip-bad"], 4).await;
    assert_eq!(told["done"], 1, "{told}");
    let done = told["plan"].as_array().expect("a list").iter().find(|line| line["outcome"] == "done");
    assert_eq!(
        office.desk.view(done.expect("one")["id"].as_str().expect("an id")).await["education"],
        "junior_college"
    );

    // Of all that are found, with one reason; the same lines once more only if that is said.
    let of =
        ["do", "record.set", "field=education", "value=本科", "--each-of", "党员", "--at", &v11, "--json", "--yes"];
    let told = office.says(&of).await.exits(0).json();
    assert_eq!(told["done"], 3, "{told}");
    let ids: BTreeSet<&str> =
        told["plan"].as_array().expect("a list").iter().filter_map(|line| line["id"].as_str()).collect();
    for id in ids {
        assert_eq!(office.desk.view(id).await["education"], "bachelor");
    }
    assert_eq!(office.says(&of).await.exits(0).json()["repeated"], 3);
    assert_eq!(office.says(&[&of[..], &["--again", "2027"]].concat()).await.exits(0).json()["done"], 3);
    let _ = office.says(&["do", "org.create", "--each-of", "org"]).await.exits(2);
    let _ = office.says(&["do", "org.dissolve", "--each-of", "member"]).await.exits(2);
}
