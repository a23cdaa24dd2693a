//! Who shows no certificate, another realm's, an expired one, or one of a fenced node, gets nothing; and operators at both ends
//! see why.

use std::time::{SystemTime, UNIX_EPOCH};

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::Realm;
use heliu_client::{Access, Client, Pinned};
use heliu_tls::{Expected, Identity, connect, connector, make};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Signer as _;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("before the year 292,278,994")
}

fn pinned(realm: &Realm, name: &str) -> Pinned {
    let access = Access::read(&realm.node_folder(name).join("local.access")).expect("it is ours");
    access.pinned.expect("it is secured")
}

/// The key of a node that somebody has stolen.
fn key(realm: &Realm, name: &str) -> Ed25519Key {
    let text = std::fs::read_to_string(realm.node_folder(name).join("node.key")).expect("it is ours");
    let line = text.lines().find_map(|line| line.strip_prefix("ed25519 ")).expect("a key file");
    Ed25519Key::from_seed(heliu_record::id::from_hex(line.trim()).expect("hexadecimal digits"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_of_the_node_or_with_another_ones_nothing_is_answered() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_county, _) = realm.start("C").await;
    let (_township, _) = realm.start("T1").await;
    let good = Access::read(&realm.node_folder("C").join("local.access")).expect("it is ours");
    let other = Access::read(&realm.node_folder("T1").join("local.access")).expect("it is ours");

    let asked = async |access: Access| match Client::open(&access).await {
        Ok(client) => client.status().await.expect_err("nothing is answered").reason().to_owned(),
        Err(error) => error.reason().to_owned(),
    };
    assert_eq!(asked(Access { token: None, ..good.clone() }).await, "no_token");
    assert_eq!(asked(Access { token: other.token.clone(), ..good.clone() }).await, "bad_token");
    let stranger = Pinned { node: NodeId([7; 16]), ..pinned(&realm, "C") };
    assert_eq!(asked(Access { pinned: Some(stranger), ..good.clone() }).await, "untrusted");
    let plain = heliu(&["status", "--node", &realm.address("C").to_string()]).await;
    assert_ne!(plain.code, 0, "{plain:?}");
    let _ = heliu(&["status", "--dir", &realm.dir("C")])
        .await
        .exits(0)
        .answers("! refused")
        .answers("unknown access token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_what_its_roles_say_until_it_is_revoked() {
    let realm = Realm::init(&["C"]).await;
    let (_county, _) = realm.start("C").await;
    let (dir, file) = (realm.dir("C"), realm.folder().join("reader.access"));
    let file = file.to_str().expect("plain");
    let add = ["access", "add", "--name", "reader", "--role", "read", "--out", file, "--dir", &dir, "--json"];
    let made = heliu(&add).await.exits(0).json();
    let id = made["id"].as_str().expect("an id").to_owned();
    until("it is taken", async || heliu(&["list", "--access", file]).await.code == 0).await;
    // The token in a file that is there would stay good, with nobody to know of it.
    let again = heliu(&add).await.exits(1).complains(&id).complains("heliu access revoke");
    assert!(again.err.contains("is not written over"), "{again:?}");
    let listed = heliu(&["access", "list", "--dir", &dir, "--json"]).await.exits(0).json();
    assert_eq!(listed["tokens"].as_array().map(Vec::len), Some(2), "no token was made in vain");
    let said = heliu(&["do", "org.create", "name=x", "--access", file]).await.exits(4);
    let _ = said.complains("write");
    let _ = heliu(&["access", "list", "--dir", &dir]).await.exits(0).answers("reader").answers("local");
    let _ = heliu(&["access", "revoke", &id, "--dir", &dir]).await.exits(0);
    // With which code depends on how often it was tried in vain before the node knew it.
    until("it is refused", async || heliu(&["list", "--access", file]).await.code != 0).await;
    let _ = heliu(&["access", "add", "--name", "x", "--role", "raed", "--out", file, "--dir", &dir])
        .await
        .exits(2)
        .complains("did you mean read?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_realm_and_one_with_an_expired_certificate_get_no_link() {
    let (realm, other) = (Realm::init(&["C", "T1"]).await, Realm::init(&["C", "T1"]).await);
    let (_county, _) = realm.start("C").await;
    let county = realm.address("C").to_string();
    let (_stranger, _) = other.start_with("T1", &[("HELIU_LINKS_PARENTS", &county)]).await;
    let dir = realm.dir("C");
    // It is the stranger who sees first that this is not its realm.
    until("operators of the county see it", async || {
        heliu(&["status", "--json", "--dir", &dir]).await.out.contains("refused_there")
    })
    .await;
    let dialler = other.dir("T1");
    until("those of the stranger too", async || heliu(&["peers", "--dir", &dialler]).await.out.contains("realm")).await;

    let Pinned { realm: id, node } = pinned(&realm, "C");
    let key = key(&realm, "T1");
    let elsewhere = pinned(&other, "C").realm;
    for (of, made_ms, code) in [(id, now_ms() - 400 * DAY_MS, "expired"), (elsewhere, now_ms(), "other_realm")] {
        let pair = make(&key, of, &[], made_ms).expect("it is made");
        let (certificate, secret) = (realm.folder().join("its.crt"), realm.folder().join("its.key"));
        pair.write(&certificate, &secret).expect("it is ours");
        let identity = Identity::load(&certificate, &secret).expect("it reads");
        let connector =
            connector(Some(&identity), Expected { realm: id, node: Some(node) }, None).expect("it is usable");
        // TLS 1.3: the dialling end is done before the other has judged it.
        let _ = connect(&connector, &county).await;
        let status = ["status", "--json", "--dir", &dir];
        until(&format!("{code} is noted"), async || heliu(&status).await.out.contains(code)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_node_is_shut_out_and_both_ends_say_so() {
    let realm = Realm::init(&["C", "T1", "V11"]).await;
    let (_county, county) = realm.start("C").await;
    let (_township, township) = realm.start("T1").await;
    let (mut village_node, village) = realm.start("V11").await;
    let before = village.makes("org.create", &[("name", "一村党支部")]).await;
    until("it has come up", async || county.record(&before).await.is_some()).await;

    village_node.kill_nine().await;
    let node = pinned(&realm, "V11").node;
    assert_eq!(node, key(&realm, "V11").node());
    let (id, dir) = (node.to_string(), realm.dir("C"));
    let fence = ["fence", &id, "--reason", "the machine was stolen", "--dir", &dir];
    let _ = heliu(&fence).await.exits(2).complains("--yes");
    let _ = heliu(&[&fence[..], &["--yes"]].concat()).await.exits(0).answers("is fenced");
    let _ = heliu(&["nodes", "--dir", &dir]).await.exits(0).answers("fenced");
    let down = realm.dir("T1");
    until("the township knows", async || heliu(&["nodes", "--dir", &down]).await.out.contains("fenced")).await;

    let (_thief, stolen) = realm.start("V11").await;
    let at = realm.dir("V11");
    until("the thief's own operators read why", async || heliu(&["peers", "--dir", &at]).await.out.contains("refused"))
        .await;
    until("and the township's", async || heliu(&["status", "--dir", &down]).await.out.contains("fenced")).await;
    let forged = stolen.client.execute(end_to_end::desk::order("org.create", "", &[("name", "假支部")])).await;
    if let Ok(done) = forged {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert!(township.record(&done.created[0]).await.is_none(), "what it writes now reaches nobody");
    }
    assert!(county.record(&before).await.is_some(), "what it wrote before stays");
}
