//! Small files that once went wrong: each row is told what becomes of it, before and after.

use std::time::Duration;

use end_to_end::command_line::{command, heliu};
use end_to_end::seats::{code, title};

use super::{Office, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_finds_its_person_by_number_or_by_name_branch_and_day_and_a_namesake_is_somebody_else() {
    let office = Office::open().await;
    let (v11, v12) = (code("V11"), code("V12"));
    // Another of the name, by the day of birth, which is sealed.
    let head = "name,branch,birth_date,contact\n";
    let first = format!("{head}张伟,{v11},1980-03-04,13800000001\n");
    let second = format!("{head}张伟,{v11},1992-11-20,13800000002\n");
    assert_eq!(office.brings(&first).await, [1, 0, 0]);
    let told = office.imports(&second, &["--dry-run"], 0).await;
    assert!(told["plan"][0]["notes"][0].as_str().is_some_and(|note| note.contains("another person")), "{told}");
    assert_eq!(office.brings(&second).await, [1, 0, 0]);
    assert_eq!(office.brings(&format!("{first}张伟,{v11},1992-11-20,13800000002\n")).await, [0, 0, 2]);
    assert_eq!(office.members().await, 2);
    // Who it is cannot be told without a day, nor at the county, which may not read it.
    let told = office.imports(&format!("name,branch,contact\n张伟,{v11},13911112222\n"), &[], 2).await;
    assert!(
        refused(&told)[0].2.contains("may be somebody of the name") && refused(&told)[0].2.contains("甲村党支部"),
        "{told}"
    );
    office.is_equal().await;
    let (file, county) = (office.write("second.csv", &second), office.realm.dir("C"));
    let told = heliu(&["import", "members", &file, "--json", "--dir", &county]).await.exits(2).json();
    assert!(refused(&told)[0].2.contains("cannot be read here"), "{told}");

    // A corrected telephone number is a correction, and is never shown.
    let row = |contact: &str| format!("name,branch,member_no,contact\n李娜,{v11},B001,{contact}\n");
    assert_eq!(office.brings(&row("13900000000")).await, [1, 0, 0]);
    assert_eq!(office.brings(&row("13900000000")).await, [0, 0, 1]);
    let told = office.imports(&row("13911112222"), &["--dry-run"], 0).await;
    let change = &told["plan"][0]["changes"][0];
    assert!(change["field"] == "contact" && change["sealed"] == true && change["new"].is_null(), "{told}");
    assert!(!told.to_string().contains("1391111"), "{told}");
    assert_eq!(office.brings(&row("13911112222")).await, [0, 1, 0]);
    let li = office.member("李娜").await;
    assert_eq!(office.contact(&li).await, "13911112222");

    // A corrected day is one put, and back again is another.
    let row = |day: &str| format!("name,branch,member_no,joined_on\n王芳,{v11},C001,{day}\n");
    assert_eq!(office.brings(&row("2001-07-01")).await, [1, 0, 0]);
    let wang = office.member("王芳").await;
    for (day, leaves) in [("2001-07-11", 2), ("2001-07-01", 3), ("2001-07-11", 4)] {
        assert_eq!(office.brings(&row(day)).await, [0, 1, 0]);
        assert_eq!(office.brings(&row(day)).await, [0, 0, 1]);
        let history = office.desk.history(&wang).await.expect("it is here");
        assert_eq!((history.len(), history.last().map(|change| change.puts.len())), (leaves, Some(1)));
        assert_eq!(office.desk.view(&wang).await["joined_on"], day);
    }

    // A number that is somebody else's.
    assert_eq!(office.brings(&format!("name,branch,member_no\n郑一,{v11},F001\n")).await, [1, 0, 0]);
    for (name, branch) in [("郑二", &v12), ("李四", &v11)] {
        let told = office.imports(&format!("name,branch,member_no\n{name},{branch},F001\n"), &[], 2).await;
        let (line, column, why) = refused(&told).remove(0);
        assert!((line, column.as_str()) == (2, "member_no") && why.contains("郑一"), "{told}");
    }
    // Who moved has not moved by a file.
    let told = office.imports(&format!("name,branch,member_no\n郑一,{v12},F001\n"), &[], 2).await;
    assert!(refused(&told)[0].2.contains("member.transfer.issue"), "{told}");
    // A name that was misspelt.
    assert_eq!(office.brings(&format!("name,branch,member_no\n郑壹一,{v11},F001\n")).await, [0, 1, 0]);
    assert_eq!(office.members().await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_with_line_and_column_before_anything_is_written_and_the_rest_comes_in_if_that_is_said() {
    let office = Office::open().await;
    let v11 = code("V11");
    // A name of one wide blank, and people who are there twice once what cannot be seen is gone.
    let blank =
        format!("name,branch,member_no\n甲一,{v11},A001\n甲二,{v11},A002\n\u{3000},{v11},A003\n甲四,{v11},A004\n");
    let told = office.imports(&blank, &[], 2).await;
    assert_eq!(refused(&told), [(4, "name".to_owned(), "it is empty, and it is required".to_owned())]);
    let unseen = format!(
        "name,branch,member_no\n赵六,{v11},D001\n赵 六\u{3000},{v11},D001 \n赵\u{200b}六,{v11},D\u{200b}001\n\u{feff}赵六,{v11},\u{feff}Ｄ００１\n"
    );
    let told = office.imports(&unseen, &["--dry-run"], 2).await;
    let lines: Vec<u64> = refused(&told).iter().map(|bad| bad.0).collect();
    assert!(lines == [3, 4, 5] && refused(&told)[0].2.contains("line 2"), "{told}");
    // Empty columns and lines are none.
    assert_eq!(
        office.brings(&format!("name,branch,member_no,,\n孙一,{v11},E001,,\n孙二,{v11},E002,,\n,,,,\n")).await,
        [2, 0, 0]
    );
    let told = office.imports(&format!("name,branch,member_no,,\n孙三,{v11},E003,x,\n"), &[], 2).await;
    assert!(refused(&told)[0].2.contains("column 4, which has no name"), "{told}");
    // Columns that are not known are named, and left out if that is said.
    let more = format!("序号,姓名,党支部,党员编好,备注\n1,孙一,{v11},E001,x\n");
    let told = office.says(&["import", "members", &office.write("more.csv", &more)]).await.exits(2);
    let _ = told.complains("did you mean 党员编号").complains("--skip-unknown");
    let told = office.imports(&more.replace("编好", "编号"), &["--skip-unknown"], 0).await;
    assert_eq!((&told["unchanged"], &told["skipped_columns"][1]), (&1.into(), &"备注".into()), "{told}");
    // A long number that a spreadsheet has ruined.
    let told = office.imports(&format!("name,branch,member_no\n吴三,{v11},3.71726E+17\n"), &[], 2).await;
    assert!(refused(&told)[0].1 == "member_no" && !told.to_string().contains("3.71726"), "{told}");

    assert_eq!(office.members().await, 2);
    let told = office.imports(&blank, &["--skip-bad"], 4).await;
    assert_eq!((&told["created"], refused(&told).len()), (&3.into(), 1), "{told}");
    let told = office.imports(&blank, &["--skip-bad"], 4).await;
    assert_eq!((&told["created"], &told["unchanged"]), (&0.into(), &3.into()), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_came_from_another_tier_stop_nothing_and_an_import_that_was_killed_is_ended_by_the_same_file() {
    let office = Office::open().await;
    let v11 = code("V11");
    let row = |n: u32| format!("花名册{n:04},{v11},R{n:04},2001-07-01,1970-01-01,1380000{n:04}\n");
    let head = "name,branch,member_no,joined_on,birth_date,contact\n";
    let file = |rows: std::ops::Range<u32>| head.to_owned() + &rows.map(row).collect::<String>();
    assert_eq!(office.brings(&file(0..20)).await, [20, 0, 0]);
    office.is_equal().await;
    let (more, county) = (office.write("more.csv", file(0..22)), office.realm.dir("C"));
    let at_county = ["import", "members", &more, "--dir", &county];
    let _ = heliu(&at_county).await.exits(0).answers("2 created, 0 updated, 20 unchanged");
    let _ = heliu(&at_county).await.exits(0).answers("0 created, 0 updated, 22 unchanged");

    // Killed in the middle: what is in stays, and nothing is in twice.
    let large = office.write("large.csv", file(100..3_100));
    let import = ["import", "members", &large, "--dir", &office.dir];
    let before = office.members().await;
    let mut killed = command(&import).stdout(std::process::Stdio::null()).spawn().expect("it starts");
    while office.members().await == before && killed.try_wait().expect("its state").is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    killed.kill().await.expect("it is ours");
    let told = heliu(&import).await.exits(0);
    let _ = told.answers("3,000 rows").answers("0 refused");
    office.is_equal().await;
    assert_eq!(office.members().await, 3_022);
    let _ = heliu(&import).await.exits(0).answers("0 created, 0 updated, 3,000 unchanged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_division_under_another_township_is_told_and_never_passed_over() {
    let office = Office::open().await;
    let county = office.realm.dir("C");
    let regions = std::fs::read_to_string(office.realm.regions()).expect("it is there");
    let line = |name: &str, above: &str| format!("{},{},{}\n", code(name), title(name), code(above));
    let with_other = |above: &str| regions.clone() + &line("T2", "C") + &line("V13", above);
    let file = office.write("more.csv", with_other("T1"));
    let import = ["import", "regions", &file, "--reason", "a new township", "--dir", &county];
    let _ = heliu(&import).await.exits(0).answers("seats added: 2");
    // The village under the other township, alone and beside something new.
    for more in ["", &line("V14", "T1")] {
        let file = office.write("moved.csv", with_other("T2") + more);
        for flags in [&["--dry-run"][..], &[]] {
            let told = heliu(&[&["import", "regions", &file, "--dir", &county], flags].concat()).await.exits(2);
            let told = told.complains(&format!("({}) is under {}", code("V13"), code("T1")));
            let _ = told.complains("cannot be done yet").complains("nothing was written");
        }
    }
    assert_eq!(office.desk.client.seats().await.expect("they are told").len(), 6);
}
