//! S5: somebody of one township lives in a second, and is transferred to a third while the second records that he has come. Processes of
//! their own; apart are those that are not up at the same time.

use end_to_end::command_line::{Said, heliu};
use end_to_end::desk::Desk;
use end_to_end::patience::until;
use end_to_end::process::NodeProcess;
use end_to_end::realm::Realm;
use end_to_end::seats::code;
use heliu_catalogue::floating::count::{Floats, Half, floats};
use heliu_client::records::Record;
use heliu_record::id::SeatId;
use heliu_record::seats::Seats;
use heliu_record::view::View;
use serde_json::{Value, json};

struct Place {
    name: &'static str,
    dir: String,
    node: NodeProcess,
    desk: Desk,
}

impl Place {
    async fn open(realm: &Realm, name: &'static str) -> Self {
        let (node, desk) = realm.start(name).await;
        Place { name, dir: realm.dir(name), node, desk }
    }

    async fn says(&self, words: &[&str]) -> Said {
        heliu(&[words, &["--json", "--dir", &self.dir]].concat()).await
    }

    async fn comes_back(&mut self, realm: &Realm) {
        (self.node, self.desk) = realm.start(self.name).await;
    }

    async fn goes(&mut self) {
        assert!(self.node.stop().await.success(), "{}", self.node.log());
    }

    /// A branch of the township's own with ten members, from a file.
    async fn has_ten_members(&self, realm: &Realm, branch: &str, letter: &str) -> String {
        let branch_id = self.desk.makes("org.create", &[("name", branch), ("seat", &code(self.name))]).await;
        let row = |n: u32| format!("测试{letter}{n:04},{branch},2001-07-01\n");
        let text = "name,branch,joined_on\n".to_owned() + &(1..=10).map(row).collect::<String>();
        let file = realm.folder().join(format!("{}.csv", self.name));
        std::fs::write(&file, text).expect("the directory is ours");
        let told = self.says(&["import", "members", file.to_str().expect("its path is plain")]).await.exits(0).json();
        assert_eq!(told["created"], json!(10), "{told}");
        branch_id
    }

    /// The members that count at this node, by the township whose they are.
    async fn members_of(&self, townships: &[&str]) -> Vec<usize> {
        let all = self.desk.list("member").await;
        let counts = |record: &&Record| view(record).json["standing"] == "counted";
        let of = |name: &&str| {
            let is_its = |record: &&Record| record.owners.iter().any(|owner| owner.code == code(name));
            all.iter().filter(counts).filter(is_its).count()
        };
        townships.iter().map(of).collect()
    }

    async fn floats(&self, name: &str) -> Floats {
        let all = self.desk.list("floating").await;
        let halves: Vec<Half> = all.iter().filter_map(|half| Half::of(&view(half))).collect();
        let sums = floats(&halves, &Seats::default());
        let owner = all.iter().flat_map(|half| &half.owners).find(|owner| owner.code == code(name));
        let seat = owner.map(|owner| owner.id.parse::<SeatId>().expect("an id"));
        seat.and_then(|seat| sums.get(&seat).copied()).unwrap_or_default()
    }
}

fn view(record: &Record) -> View {
    let seats = |all: &[heliu_client::records::Seat]| all.iter().filter_map(|seat| seat.id.parse().ok()).collect();
    View {
        record: record.id.parse().expect("an id"),
        kind: record.kind.clone(),
        owners: seats(&record.owners),
        seats: seats(&record.participants),
        public: record.public,
        json: serde_json::from_str(&record.view_json).expect("a view is JSON"),
        refs: [].into(),
        signal: [0; 8],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_floats_to_one_township_is_transferred_to_another() {
    const TOWNSHIPS: [&str; 3] = ["T1", "T2", "T3"];
    let realm = Realm::init(&["C", "T1", "T2", "T3"]).await;
    let mut c = Place::open(&realm, "C").await;
    let (x, mut y, z) =
        (Place::open(&realm, "T1").await, Place::open(&realm, "T2").await, Place::open(&realm, "T3").await);
    until("three links are equal", async || c.says(&["verify"]).await.code == 0).await;
    let _bx = x.has_ten_members(&realm, "什集镇机关党支部", "甲").await;
    let _by = y.has_ten_members(&realm, "红船镇机关党支部", "乙").await;
    let bz = z.has_ten_members(&realm, "旧城镇机关党支部", "丙").await;
    let fy = y.says(&["do", "org.create", "name=红船镇流动党支部", "org_kind=floating"]).await.exits(0).json();
    let fy = text(&fy["created"][0]).to_owned();

    let host = format!("host={}", code("T2"));
    let declared = ["do", "float.declare", "member=测试甲0001", &host, "since=2026-02-20"];
    let declared = x.says(&declared).await.exits(0).json();
    let card = text(&declared["created"][0]).to_owned();
    until("the host has the card", async || y.desk.record(&card).await.is_some()).await;
    let m = text(&x.desk.view(&card).await["member"]).to_owned();
    let answer = y.desk.does("float.acknowledge", &card, &[("liaison", "李四")]).await.created[0].clone();
    y.desk.does("float.link", &answer, &[("org", &fy), ("card_no", "活动证8号")]).await;
    until("the home hears of it", async || x.desk.record(&answer).await.is_some()).await;
    until("all is quiet", async || c.says(&["verify"]).await.code == 0).await;
    assert_eq!(c.members_of(&TOWNSHIPS).await, [10, 10, 10]);

    // Apart: the host is down while the home issues and the third township receives; then it is up alone.
    y.goes().await;
    let to = format!("to_org={bz}");
    let to_seat = format!("to_seat={}", code("T3"));
    let _ = x.says(&["do", "member.transfer.issue", "测试甲0001", &to, &to_seat]).await.exits(0);
    until("the letter arrives", async || z.desk.record(&m).await.is_some()).await;
    z.desk.does("member.transfer.receive", &m, &[]).await;
    until("the home hears of it", async || x.desk.view(&m).await["home_epoch"] == 2).await;
    c.goes().await;
    y.comes_back(&realm).await;
    let _ = y.says(&["do", "float.record_inflow", &format!("half={card}")]).await.exits(0);
    c.comes_back(&realm).await;
    until("the county has heard of the inflow", async || {
        c.desk.record(&answer).await.is_some_and(|half| half.view_json.contains("inflow_on"))
    })
    .await;
    until("three links are equal", async || c.says(&["verify"]).await.code == 0).await;
    until("the home has heard of it", async || x.desk.view(&answer).await["state"] == "active").await;

    let moved = c.desk.view(&m).await;
    assert_eq!((&moved["effective_home"], &moved["home_epoch"]), (&json!(bz), &json!(2)));
    assert_eq!(c.members_of(&TOWNSHIPS).await, [9, 10, 11], "30 in all, each once");
    assert_eq!(x.floats("T1").await, Floats { out: 1, matched: 1, ..Floats::default() });
    assert_eq!(y.floats("T2").await, Floats { into: 1, declared: 1, ..Floats::default() });
    // The host has the card, and nothing else of him.
    let _ = y.says(&["get", &m]).await.exits(y.says(&["get", &"00".repeat(32)]).await.code);
    assert_ne!(y.says(&["get", &m]).await.code, 0);
    assert!(y.desk.list("member").await.iter().all(|record| record.id != m));
    let at_host = y.desk.view(&card).await;
    let fields: Vec<&String> = at_host.as_object().expect("a view").keys().collect();
    assert_eq!(fields, ["home_org", "host", "kind", "member", "name", "since", "state"], "{at_host}");
    assert_eq!((&at_host["member"], &at_host["name"]), (&json!(m), &json!("测试甲0001")));
    assert_eq!(y.desk.conflicts().await, []);
    assert_eq!(z.desk.record(&card).await, None, "nor is it any of the third township's business");

    let conflict = c.desk.conflict("FLOAT_VS_TRANSFER").await;
    assert_eq!((conflict.severity.as_str(), &conflict.subject), ("advisory", &card));
    assert_eq!(conflict.resolver.as_ref().map(|seat| seat.code.clone()), Some(code("C")));
    let ids = async |place: &Place| place.desk.conflicts().await.into_iter().map(|open| open.id).collect::<Vec<_>>();
    assert_eq!(ids(&x).await, ids(&c).await);
    c.desk.settles(&conflict, "close").await;
    until("the float is over everywhere", async || {
        x.desk.view(&card).await["state"] == "closed" && y.desk.view(&answer).await["state"] == "closed"
    })
    .await;
    until("all is quiet", async || c.says(&["verify"]).await.code == 0).await;
    for (place, seat) in [(&c, "T1"), (&c, "T2"), (&x, "T1"), (&y, "T2")] {
        assert_eq!(place.floats(seat).await, Floats::default(), "{seat} at {}", place.name);
    }
    for place in [&c, &x, &y, &z] {
        assert_eq!(place.desk.conflicts().await, [], "at {}", place.name);
        for (what, list) in [("quarantine", "quarantine"), ("stranded", "stranded")] {
            let told = place.says(&[list, "list"]).await.exits(0).out;
            assert!(!told.contains("\"id\""), "{what} at {}: {told}", place.name);
        }
    }
    assert_eq!(c.members_of(&TOWNSHIPS).await, [9, 10, 11]);
    goes_in_by_a_file_and_comes_out(&realm, &x).await;
}

/// Floats and needs come from tables as everything does, by what their kinds declare; the same file again changes nothing.
async fn goes_in_by_a_file_and_comes_out(realm: &Realm, x: &Place) {
    let host = code("T2");
    let floats = format!("党员,流入地,流动起始日,类别\n测试甲0002,{host},2026年2月21日,流动党员\n");
    let needs = "需求,提出组织,类型\n农技讲师,什集镇机关党支部,师资\n".to_owned();
    for (kind, text) in [("floating", floats), ("need", needs)] {
        let file = realm.folder().join(format!("{kind}.csv"));
        std::fs::write(&file, text).expect("the directory is ours");
        let file = file.to_str().expect("its path is plain");
        for (created, unchanged) in [(1, 0), (0, 1)] {
            let told = x.says(&["import", kind, file]).await.exits(0).json();
            assert_eq!((&told["created"], &told["unchanged"]), (&json!(created), &json!(unchanged)), "{told}");
        }
        let _ = x.says(&["template", kind, "--out", &format!("{file}.template.csv")]).await.exits(0);
        let _ = x.says(&["export", kind, "--out", &format!("{file}.out.csv")]).await.exits(0);
        let out = std::fs::read_to_string(format!("{file}.out.csv")).expect("it was written");
        assert!(out.contains("测试甲0002") || out.contains("农技讲师"), "{out}");
    }
    assert_eq!(x.floats("T1").await.out, 1);
}
